/** kubernetes-internal-ip: the Node of Kubernetes over HTTPS, the Node of Calico in a store. */

import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { tryParseIpNetwork } from '../../../src/base/cidr.ts';
import { deadlineIn } from '../../../src/base/deadline.ts';
import { createInterrupter } from '../../../src/base/interruption.ts';
import { formatIpAddress } from '../../../src/base/ip-address.ts';
import { createLog } from '../../../src/base/log.ts';
import { systemRandom } from '../../../src/base/system-random.ts';
import { internalAddresses } from '../../../src/cli/internal-addresses.ts';
import { registerHost } from '../../../src/node/registration/registrar.ts';
import { readRegistrationSettings } from '../../../src/node/registration/registration-settings.ts';
import { deadline, realClock } from '../../support/clock.ts';
import { json, statusOf, TOKEN, useFakeApi } from '../../support/fake-kubernetes-api.ts';
import { createMemoryStore } from '../../support/memory-store.ts';

const fake = useFakeApi();
const KEY = '/calico/resources/v3/projectcalico.org/nodes/node1';

type Answer = (response: ServerResponse) => void;

const node =
  (...addresses: readonly object[]): Answer =>
  (response) =>
    json(response, 200, { kind: 'Node', metadata: { name: 'worker-1' }, spec: {}, status: { addresses } });
const OWN = [
  { type: 'Hostname', address: 'worker-1' },
  { type: 'ExternalIP', address: '192.0.2.7' },
  { type: 'InternalIP', address: '10.50.0.12' },
  { type: 'InternalIP', address: '2001:db8::12' },
];

/** The kubeconfig of a server that answers so, as the environment of the agent names it. */
async function kubeconfig(answer: Answer, asked: string[] = []): Promise<{ readonly KUBECONFIG: string }> {
  const server = await fake.serve((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
    answer(response);
  });
  const cluster = { server, 'certificate-authority': fake.pki().ca.cert };
  return { KUBECONFIG: fake.kubeconfigWith(cluster, { token: TOKEN }) };
}

const asking = (env: Readonly<Record<string, string>>) => {
  const ask = internalAddresses('worker-1', { env, clock: realClock });
  return ask ?? expect.unreachable('nobody is asked');
};

describe('internalAddresses()', () => {
  it('asks for the Node alone, and gives its InternalIPs of both families', async () => {
    const asked: string[] = [];
    const addresses = await asking(await kubeconfig(node(...OWN), asked))(deadline());
    expect(addresses.map(formatIpAddress)).toEqual(['10.50.0.12', '2001:db8::12']);
    expect(asked).toEqual([`GET /api/v1/nodes/worker-1 Bearer ${TOKEN}`]);
  });

  it('is not there where nothing says whom to ask', () => {
    expect(internalAddresses('worker-1', { env: {}, clock: realClock })).toBeUndefined();
  });

  it('waits for a kubelet that has not reported the address yet', async () => {
    await expect(asking(await kubeconfig(node()))(deadline())).rejects.toMatchObject({
      kind: 'unavailable',
      message: 'node worker-1 of Kubernetes has no InternalIP yet',
    });
  });
});

describe('registerHost() by kubernetes-internal-ip', () => {
  async function register(env: Readonly<Record<string, string>>, recorded?: string, until = deadline()) {
    const store = createMemoryStore(new Map(recorded === undefined ? [] : [[KEY, nodeText(recorded)]]));
    const network = tryParseIpNetwork('10.50.0.12/24') ?? expect.unreachable('no network');
    const registered = await registerHost(
      'node1',
      readRegistrationSettings({ IP: 'autodetect', IP_AUTODETECTION_METHOD: 'kubernetes-internal-ip' }),
      {
        ...{ store, clock: realClock, random: systemRandom, interruption: createInterrupter().interruption },
        log: createLog({
          level: 'error',
          pid: 1,
          nowNs: realClock.nowNs,
          write: () => undefined,
          context: {},
        }),
        readInterfaces: () => ({
          links: [
            { name: 'eth0', ifIndex: 2 },
            { name: 'eth1', ifIndex: 3 },
          ],
          addresses: [
            { ifIndex: 2, network },
            { ifIndex: 3, network: tryParseIpNetwork('10.99.0.1/24') ?? network },
          ],
        }),
        sourceAddress: async () => undefined,
        internalAddresses: internalAddresses('worker-1', { env, clock: realClock }),
      },
      until,
    );
    return { ...registered, spec: JSON.parse(store.values().get(KEY) ?? '{}').spec };
  }
  const nodeText = (ipv4Address: string) =>
    JSON.stringify({
      kind: 'Node',
      apiVersion: 'projectcalico.org/v3',
      metadata: { name: 'node1' },
      spec: { bgp: { ipv4Address } },
    });

  it('takes the InternalIP with the mask of the interface that has it, not the first address', async () => {
    const { spec, warnings } = await register(await kubeconfig(node(...OWN)));
    expect(spec.bgp.ipv4Address).toBe('10.50.0.12/24');
    expect(warnings).toEqual([]);
  });

  it.each([
    [
      'is refused',
      (response: ServerResponse) => json(response, 403, statusOf(403, 'Forbidden', 'no')),
      'worker-1',
    ],
    [
      'has no such Node',
      (response: ServerResponse) => json(response, 404, statusOf(404, 'NotFound', 'no')),
      'worker-1',
    ],
    ['names an address of another host', node({ type: 'InternalIP', address: '10.50.0.99' }), '10.50.0.99'],
    ['knows IPv6 alone', node({ type: 'InternalIP', address: '2001:db8::12' }), 'no InternalIP of IPv4'],
  ])('keeps what is recorded, and says why, when it %s', async (_, answer, reason) => {
    const env = await kubeconfig(answer);
    const { spec, warnings } = await register(env, '10.50.0.12/24');
    expect(spec.bgp.ipv4Address).toBe('10.50.0.12/24');
    expect(warnings).toContainEqual(expect.stringContaining(reason));
  });

  it('keeps what is recorded, in time, when it does not answer', async () => {
    const until = deadlineIn(realClock, 1_500, 'the registration');
    const { spec, warnings } = await register(await kubeconfig(() => undefined), '10.50.0.12/24', until);
    expect(spec.bgp.ipv4Address).toBe('10.50.0.12/24');
    expect(warnings).not.toEqual([]);
  });

  it('tries again where nothing is recorded, and says why', async () => {
    const env = await kubeconfig(node({ type: 'InternalIP', address: '10.50.0.99' }));
    await expect(register(env)).rejects.toMatchObject({
      kind: 'unavailable',
      message: 'could not find an IPv4 address of this host',
      details: expect.stringContaining(
        'the InternalIP 10.50.0.99 of the Node of Kubernetes is on no interface',
      ),
    });
  });

  it('ends where there is no API server to ask', async () => {
    await expect(register({})).rejects.toMatchObject({
      kind: 'config',
      message: 'kubernetes-internal-ip needs an API server, and none is configured',
    });
  });
});
