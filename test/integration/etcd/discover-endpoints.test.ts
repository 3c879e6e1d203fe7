/** etcd's endpoints from a real name server, of the test's own. */

import { describe, expect, it } from 'vitest';
import { deadlineIn } from '../../../src/base/deadline.ts';
import { createInterrupter } from '../../../src/base/interruption.ts';
import { type Discovery, discoverEndpoints } from '../../../src/datastore/etcd/discover-endpoints.ts';
import { deadline, realClock } from '../../support/clock.ts';
import { type NameServer, startNameServer } from '../../support/name-server.ts';

const TLS = '_etcd-client-ssl._tcp.example.com';
const PLAIN = '_etcd-client._tcp.example.com';

function discover({ address }: Pick<NameServer, 'address'>, changes: Partial<Discovery> = {}) {
  const settings = { deadline: deadline(), random: () => 0.5, wantsTls: false, nameServers: [address] };
  return discoverEndpoints('example.com', { ...settings, ...changes });
}

describe('discoverEndpoints()', () => {
  it('takes those with TLS when there are any, and asks for no others', async () => {
    const server = await startNameServer({
      [TLS]: [
        { priority: 2, port: 2379, target: 'c.example.com' },
        { priority: 1, port: 2379, target: 'a.example.com' },
        { priority: 1, port: 4001, target: 'b.example.com', weight: 100 },
      ],
      [PLAIN]: [{ port: 2379, target: 'plain.example.com' }],
    });
    expect(await discover(server)).toEqual([
      'https://b.example.com:4001',
      'https://a.example.com:2379',
      'https://c.example.com:2379',
    ]);
    expect(server.asked).toEqual([TLS]);
  });

  it('takes those without TLS otherwise', async () => {
    const server = await startNameServer({ [PLAIN]: [{ port: 2379, target: 'plain.example.com' }] });
    expect(await discover(server)).toEqual(['http://plain.example.com:2379']);
    expect(server.asked).toEqual([TLS, PLAIN]);
  });

  it('does not do without TLS when TLS files are configured', async () => {
    const server = await startNameServer({ [PLAIN]: [{ port: 2379, target: 'plain.example.com' }] });
    await expect(discover(server, { wantsTls: true })).rejects.toMatchObject({
      kind: 'config',
      message: expect.stringContaining(`only ${PLAIN} is there, endpoints without TLS`),
      details: `add SRV records ${TLS}, or leave out the TLS files`,
    });
  });

  it('does not do without TLS because a name server is in trouble', async () => {
    const records = { [PLAIN]: [{ port: 2379, target: 'plain.example.com' }] };
    for (const trouble of [{ failing: [TLS] }, { silent: [TLS] }]) {
      await expect(discover(await startNameServer(records, trouble))).rejects.toMatchObject({
        kind: 'unavailable',
        message: expect.stringContaining(`failed to discover etcd endpoints through SRV discovery: ${TLS}: `),
      });
    }
  });

  it('names both records when there is neither', async () => {
    const expected = {
      kind: 'unavailable',
      message: `failed to discover etcd endpoints through SRV discovery: no SRV records ${TLS} or ${PLAIN}`,
      details: /check etcd_discovery_srv/,
    };
    await expect(discover(await startNameServer({}))).rejects.toMatchObject(expected);
    // RFC 2782: a target of "." says that the service is not there.
    const nothing = [{ port: 0, target: '.' }];
    await expect(discover(await startNameServer({ [TLS]: nothing, [PLAIN]: [] }))).rejects.toMatchObject(
      expected,
    );
  });

  it('ends at its deadline, and when it is interrupted', async () => {
    const server = await startNameServer({}, { silent: [TLS] });
    await expect(discover(server, { deadline: deadline(200) })).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(/no answer in time$/),
    });
    const { interruption, interrupt } = createInterrupter();
    const looking = discover(server, { deadline: deadlineIn(realClock, 10_000, 'ADD', interruption) });
    interrupt('SIGTERM');
    await expect(looking).rejects.toThrow('terminated by SIGTERM before ADD was done');
  });
});
