/** What a host looks like to its agent, on a real kernel. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { formatIpNetwork } from '../../../../src/base/cidr.ts';
import { formatIpAddress } from '../../../../src/base/ip-address.ts';
import { localAddresses } from '../../../../src/node/registration/detect-address.ts';
import { writeHostFile } from '../../../../src/node/registration/host-file.ts';
import { hostIdentity } from '../../../../src/node/registration/host-identity.ts';
import { becomeOnlyAgent } from '../../../../src/node/registration/only-agent.ts';
import { readInterfaces } from '../../../../src/node/registration/read-interfaces.ts';
import { sourceAddress } from '../../../../src/node/registration/source-address.ts';
import { deadline } from '../../../support/clock.ts';
import { type Lab, makeLab, whyNoNetns } from '../../../support/netns.ts';

describe.skipIf(whyNoNetns())('a host with two interfaces', () => {
  let lab: Lab;
  beforeAll(() => {
    lab = makeLab();
    lab.host.sh(`
      ip link add eth0 type veth peer name far0
      ip link add eth1 type veth peer name far1
      ip link set lo up; ip link set eth0 up; ip link set far0 up
      ip addr add 10.50.0.11/24 dev eth0; ip addr add 10.50.0.12/24 dev eth0
      ip -6 addr add fd00:50::11/64 dev eth0 nodad
      ip addr add 192.168.7.1/16 dev eth1
      ip route add default via 10.50.0.1 dev eth0 src 10.50.0.12`);
  });
  afterAll(() => lab[Symbol.dispose]());

  it('readInterfaces() has all addresses, also of what is down, in the kernel’s order', () => {
    const found = localAddresses(readInterfaces()).map(
      ({ ifName, network }) => `${ifName} ${formatIpNetwork(network)}`,
    );
    expect(found.filter((text) => !text.includes('fe80:'))).toEqual([
      'eth1 192.168.7.1/16',
      'eth0 10.50.0.11/24',
      'eth0 10.50.0.12/24',
      'eth0 fd00:50::11/64',
      ...['uplink 192.0.2.1/24', 'uplink 2001:db8::1/64'],
      'lo 127.0.0.1/8',
      'lo ::1/128',
    ]);
  });

  it.each([
    ['8.8.8.8', 4, '10.50.0.12'],
    ['10.50.0.99', 4, '10.50.0.11'],
    ['fd00:50::99', 6, 'fd00:50::11'],
    ['fd99::1', 6, undefined],
    ['no.such.name.invalid', 4, undefined],
  ] as const)('sourceAddress() of packets to %s', async (destination, family, expected) => {
    const found = await sourceAddress(destination, family, deadline(3_000));
    expect(found && formatIpAddress(found)).toBe(expected);
  });

  it('becomeOnlyAgent() lets one in, and the next when that has gone', async () => {
    const first = await becomeOnlyAgent();
    await expect(becomeOnlyAgent()).rejects.toMatchObject({
      kind: 'conflict',
      message: /^another node agent runs on this host/,
    });
    first[Symbol.dispose]();
    const second = await becomeOnlyAgent();
    second[Symbol.dispose]();
  });

  it('hostIdentity() is that of the network namespace', () => {
    expect(hostIdentity()).toMatch(/^[0-9a-f-]{36} net:\[\d+\]$/);
  });
});

describe('writeHostFile()', () => {
  const folder = () => {
    const path = mkdtempSync(join(tmpdir(), 'host-file-'));
    onTestFinished(() => rmSync(path, { recursive: true }));
    return path;
  };

  it('writes exactly the text, for all to read, in folders that were not there', () => {
    const path = join(folder(), 'lib/calico/nodename');
    writeHostFile(path, 'node9', 'a');
    expect(readFileSync(path)).toEqual(Buffer.from('node9'));
    expect(statSync(path).mode & 0o777).toBe(0o644);
  });

  it('replaces what was there at once, and leaves alone what is right', () => {
    const path = join(folder(), 'mtu');
    writeFileSync(path, '1500\n');
    const before = statSync(path).ino;
    writeHostFile(path, '1450', 'a');
    const { ino, mtimeMs } = statSync(path);
    expect(ino).not.toBe(before);
    writeHostFile(path, '1450', 'a');
    expect(statSync(path)).toMatchObject({ ino, mtimeMs });
    expect(readdirSync(join(path, '..'))).toEqual(['mtu']);
  });

  it('names the file that it cannot write', () => {
    const path = join(folder(), 'a');
    writeHostFile(path, 'x', 'a');
    expect(() => writeHostFile(join(path, 'b'), 'x', 'a')).toThrow(path);
  });
});
