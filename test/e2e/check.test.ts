/** CHECK of pods that were damaged, each in one way: every damage is found and named. */

import { afterAll, beforeAll, describe, it, type TestContext } from 'vitest';
import {
  type CheckedPod,
  type Damage,
  inBlock,
  inEndpoint,
  inPod,
  makeCheckedPod,
  onHost,
} from '../support/checked-pod.ts';
import { writeCluster, writePool } from '../support/cluster.ts';
import { whyNoNetns } from '../support/netns.ts';
import { type SimulatedNode, startNode } from '../support/simulated-node.ts';

const why = whyNoNetns();

/** What was done, and what CHECK must say: in its message, or among the details. */
type Row = readonly [string, Damage, (pod: CheckedPod) => string];
const NETWORK_DAMAGES: readonly Row[] = [
  [
    'its interface deleted',
    inPod(() => 'ip link del eth0'),
    () => 'interface eth0 in the sandbox: expected present, found missing',
  ],
  [
    'another kind of interface of that name',
    inPod(() => 'ip link del eth0; ip link add eth0 type bridge'),
    () => 'interface eth0 in the sandbox: expected kind veth, found kind bridge',
  ],
  [
    'the host end renamed',
    onHost(
      ({ hostIf }) =>
        `ip link set ${hostIf} down; ip link set ${hostIf} name x${hostIf.slice(1)}; ip link set x${hostIf.slice(1)} up`,
    ),
    ({ hostIf }) => `interface ${hostIf} on the host: expected present, found missing`,
  ],
  [
    'the end of another pair in the sandbox',
    (pod) => {
      pod.netns.sh(
        'ip link set eth0 name old0; ip link add eth0 type veth peer name other0; ip link set eth0 up',
      );
    },
    ({ hostIf }) =>
      `interface eth0 in the sandbox: expected the other end of ${hostIf}, found the end of another pair`,
  ],
  [
    'its interface down',
    inPod(() => 'ip link set eth0 down'),
    () => 'interface eth0: expected up, found down',
  ],
  [
    'the host end down',
    onHost(({ hostIf }) => `ip link set ${hostIf} down`),
    ({ hostIf }) => `interface ${hostIf}: expected up, found down`,
  ],
  [
    'another MAC',
    inPod(() => 'ip link set eth0 address 02:00:00:00:00:99'),
    () => 'found mac 02:00:00:00:00:99',
  ],
  [
    'another MAC of the host end',
    onHost(({ hostIf }) => `ip link set ${hostIf} address 02:00:00:00:00:98`),
    ({ hostIf }) =>
      `interface ${hostIf} on the host: expected mac ee:ee:ee:ee:ee:ee, found mac 02:00:00:00:00:98`,
  ],
  [
    'a smaller MTU',
    inPod(() => 'ip link set eth0 mtu 1300'),
    () => 'interface eth0 in the sandbox: expected mtu 1440, found mtu 1300',
  ],
  [
    'a smaller MTU of the host end',
    onHost(({ hostIf }) => `ip link set ${hostIf} mtu 1300`),
    ({ hostIf }) => `interface ${hostIf} on the host: expected mtu 1440, found mtu 1300`,
  ],
  [
    'no IPv4 address',
    inPod(() => 'ip address flush dev eth0 scope global'),
    ({ ipv4 }) => `address ${ipv4}/32 of eth0: expected present, found missing`,
  ],
  [
    'no IPv6 address',
    inPod(({ ipv6 }) => `ip address del ${ipv6}/128 dev eth0`),
    ({ ipv6 }) => `address ${ipv6}/128 of eth0: expected present, found missing`,
  ],
  [
    'no default route',
    inPod(() => 'ip route del default'),
    () => 'route 0.0.0.0/0: expected via 169.254.1.1 dev eth0, found missing',
  ],
  [
    'a default route by another gateway',
    inPod(() => 'ip route replace default via 10.9.9.9 dev eth0 onlink'),
    () => 'route 0.0.0.0/0: expected via 169.254.1.1 dev eth0, found via 10.9.9.9',
  ],
  [
    'no IPv6 default route',
    inPod(() => 'ip -6 route del default'),
    () => 'route ::/0: expected via fe80::ecee:eeff:feee:eeee dev eth0, found missing',
  ],
  [
    'no way to its gateway',
    inPod(() => 'ip route del 169.254.1.1'),
    () => 'route 169.254.1.1/32: expected dev eth0, found missing',
  ],
  [
    'no neighbour, where the host does not answer for it',
    inPod(() => 'ip neighbour del 169.254.1.1 dev eth0'),
    () => 'neighbour 169.254.1.1 of eth0: expected ee:ee:ee:ee:ee:ee permanent, found missing',
  ],
  [
    'another neighbour',
    inPod(() => 'ip neighbour replace 169.254.1.1 lladdr 02:00:00:00:00:97 dev eth0 nud permanent'),
    () => 'neighbour 169.254.1.1 of eth0: expected ee:ee:ee:ee:ee:ee permanent, found 02:00:00:00:00:97',
  ],
  [
    'no host route',
    onHost(({ ipv4 }) => `ip route del ${ipv4}`),
    ({ ipv4, hostIf }) => `host route ${ipv4}/32: expected dev ${hostIf}, found missing`,
  ],
  [
    'no IPv6 host route',
    onHost(({ ipv6 }) => `ip -6 route del ${ipv6}`),
    ({ ipv6, hostIf }) => `host route ${ipv6}/128: expected dev ${hostIf}, found missing`,
  ],
  [
    'a host route elsewhere',
    onHost(({ ipv4 }) => `ip route replace ${ipv4}/32 dev elsewhere`),
    ({ ipv4, hostIf }) => `host route ${ipv4}/32: expected dev ${hostIf}, found dev `,
  ],
  [
    'a blackhole for its address',
    onHost(({ ipv4 }) => `ip route del ${ipv4}; ip route add blackhole ${ipv4}/32`),
    ({ ipv4, hostIf }) => `host route ${ipv4}/32: expected dev ${hostIf}, found dev `,
  ],
  [
    'no link-local address of the host end',
    onHost(({ hostIf }) => `ip address del fe80::ecee:eeff:feee:eeee/64 dev ${hostIf}`),
    ({ hostIf }) => `address fe80::ecee:eeff:feee:eeee/64 of ${hostIf}: expected present, found missing`,
  ],
  ...[
    'ipv4/conf/*/proxy_arp',
    'ipv4/conf/*/forwarding',
    'ipv4/conf/*/route_localnet',
    'ipv6/conf/*/proxy_ndp',
  ].map(
    (key) =>
      [
        `${key} off`,
        onHost(({ hostIf }) => `echo 0 > /proc/sys/net/${key.replace('*', hostIf)}`),
        ({ hostIf }: CheckedPod) => `sysctl net/${key.replace('*', hostIf)} on the host: expected 1, found 0`,
      ] as const,
  ),
  [
    'IPv6 turned off in the sandbox',
    inPod(() => 'echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6'),
    () => 'sysctl net/ipv6/conf/default/disable_ipv6 in the sandbox: expected 0, found 1',
  ],
  [
    'duplicate address detection turned on',
    inPod(() => 'echo 1 > /proc/sys/net/ipv6/conf/eth0/accept_dad'),
    () => 'sysctl net/ipv6/conf/eth0/accept_dad in the sandbox: expected 0, found 1',
  ],
];

const RECORD_DAMAGES: readonly Row[] = [
  [
    'no endpoint',
    ({ node, endpointKey }) => node.etcd.remove(endpointKey),
    ({ id }) => `workload endpoint default/node1-cni-${id}-eth0: expected present, found missing`,
  ],
  [
    'an endpoint of another interface',
    inEndpoint({ interfaceName: 'calielsewhere' }),
    ({ hostIf }) => `expected interface ${hostIf}, found interface calielsewhere`,
  ],
  [
    'an endpoint with another MAC',
    inEndpoint({ mac: '02:00:00:00:00:96' }),
    () => 'found mac 02:00:00:00:00:96',
  ],
  [
    'an endpoint with another address',
    inEndpoint({ ipNetworks: ['10.99.0.1/32'] }),
    ({ ipv4 }) => `expected address ${ipv4}, found address 10.99.0.1`,
  ],
  [
    'no handle',
    ({ node, handleKey }) => node.etcd.remove(handleKey),
    ({ id }) => `handle k8s-pod-network.${id}: expected present, found missing`,
  ],
  [
    'a handle that counts nothing there',
    ({ edit, handleKey }) => edit(handleKey, () => '{"block":{"10.0.0.0/26":1},"deleted":false}'),
    ({ id }) => `handle k8s-pod-network.${id}: expected 1 of block 192.168.`,
  ],
  [
    'another owner of its address',
    inBlock({ handle_id: 'k8s-pod-network.thief', secondary: {} }),
    ({ id }) =>
      `expected allocated to handle k8s-pod-network.${id}, found allocated to handle k8s-pod-network.thief`,
  ],
  [
    'its address free for others',
    inBlock(null),
    ({ id }) => `expected allocated to handle k8s-pod-network.${id}, found free`,
  ],
  [
    'its address in cooldown',
    inBlock({ releasedAt: '2026-01-01T00:00:00Z' }),
    () => 'found released at 2026-01-01T00:00:00Z',
  ],
];

describe.skipIf(why !== undefined)(`CHECK${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let node: SimulatedNode;
  const conf = { cniVersion: '1.1.0', ipam: { type: 'calico-ipam', assign_ipv6: 'true' } };

  beforeAll(async () => {
    node = await startNode();
    node.host.sh(
      'ip link add elsewhere type veth peer name nowhere; ip link set elsewhere up; ip link set nowhere up',
    );
    await writeCluster(node.etcd);
    await writePool(node.etcd, 'v6', 'fd00:9::/112');
  });
  afterAll(async () => {
    await node.stop();
  });

  const findDamage = async ([_name, damage, expected]: Row, { expect }: Pick<TestContext, 'expect'>) => {
    const pod = await makeCheckedPod(node, { conf });
    expect(await pod.check()).toMatchObject({ exitCode: 0, stdout: '' });
    await damage(pod);
    const { exitCode, json } = await pod.check();
    expect(exitCode).toBe(1);
    expect(json).toMatchObject({ cniVersion: '1.1.0', code: 108 });
    expect(`${json.msg}; ${json.details ?? ''}`).toContain(expected(pod));
  };

  it.concurrent.for(NETWORK_DAMAGES)('finds %s', findDamage);
  // One by one: what is written past our code must not be overwritten by another pod's ADD.
  it.for(RECORD_DAMAGES)('finds %s', findDamage);
});
