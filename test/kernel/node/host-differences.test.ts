/** The checker of agents is checked: it finds a host right that is right, and each kind of damage. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostDifferences } from '../../support/host-differences.ts';
import { moveTo, whyNoNetns } from '../../support/netns.ts';
import { blockRecord, poolRecord } from '../../unit/node/records.ts';
import { type Fabric, HOST_NAMES, type HostName, makeFabric, RECORDS, startAgent } from './fabric.ts';

const MODES = ['Always', 'CrossSubnet', 'Never'] as const;

function recordsOf(vxlanMode: string): ReadonlyMap<string, string> {
  const pool = { vxlanMode, ipipMode: 'Never', natOutgoing: true };
  const all = [
    ...RECORDS,
    poolRecord('v4', '10.77.0.0/16', pool),
    poolRecord('next', '10.78.0.0/16', pool),
    poolRecord('v6', 'fd00:77::/48', pool),
    blockRecord('10.77.9.0/28', 'host:node3', { 0: 'node3', 3: 'node2', 4: 'node1' }),
    blockRecord('10.77.10.0/28', null, { 5: 'node2' }),
    blockRecord('10.99.0.0/28', 'host:node2', { 0: 'node2' }),
  ];
  return new Map(all.map(({ key, text = '' }) => [key, text]));
}

/** What is done to node1, and what is then said of it. */
const DAMAGES: readonly (readonly [string, string, readonly (string | RegExp)[]])[] = [
  [
    'a route that is gone',
    'ip route del 10.77.161.192/28',
    ['route 10.77.161.192/28 is missing: via 10.77.161.192 dev vxlan.calico onlink mtu 1450'],
  ],
  [
    'a route with another MTU',
    'ip route change 10.77.161.192/28 via 10.77.161.192 dev vxlan.calico onlink mtu 1400 proto 202',
    [/^route 10\.77\.161\.192\/28 is .* mtu 1400, not .* mtu 1450$/],
  ],
  [
    'a route by another way',
    'ip route change 10.77.101.80/28 via 10.50.0.1 dev eth0 onlink proto 202',
    ['route 10.77.101.80/28 is via 10.50.0.1 dev eth0 onlink, not via 10.50.0.12 dev eth0 onlink'],
  ],
  [
    'a route of ours that nobody wants',
    'ip route add 10.77.200.0/28 via 10.50.0.12 dev eth0 proto 202',
    ['route 10.77.200.0/28 is there and should not be: via 10.50.0.12 dev eth0'],
  ],
  [
    'a route with another metric',
    'ip route add 10.77.161.192/28 via 10.77.161.192 dev vxlan.calico onlink metric 9',
    [/^route 10\.77\.161\.192\/28 metric 9 is there and should not be: .* proto boot$/],
  ],
  [
    'a block of our own that leaves the host',
    'ip route del blackhole 10.77.180.112/28',
    ['route 10.77.180.112/28 is missing: blackhole'],
  ],
  [
    'an IPv6 route that is gone',
    'ip -6 route del fd00:77:0:3::/122',
    [/^route fd00:77:0:3::\/122 is missing: via fd00:77:0:3:: dev vxlan-v6\.calico onlink mtu 1430$/],
  ],
  [
    'a neighbour that is gone',
    'ip neigh del 10.77.161.192 dev vxlan.calico',
    [/^neighbour 10\.77\.161\.192 on vxlan\.calico is missing: 66:/],
  ],
  [
    'a neighbour with another MAC',
    'ip neigh replace 10.77.161.192 lladdr 66:00:00:00:00:01 nud permanent dev vxlan.calico',
    [/^neighbour 10\.77\.161\.192 on vxlan\.calico is 66:00:00:00:00:01, not 66:/],
  ],
  [
    'a neighbour too many',
    'ip neigh add 10.77.1.1 lladdr 66:00:00:00:00:01 nud permanent dev vxlan.calico',
    ['neighbour 10.77.1.1 on vxlan.calico is there and should not be: 66:00:00:00:00:01'],
  ],
  [
    'an FDB that is empty',
    'bridge fdb flush dev vxlan.calico 2>/dev/null || bridge fdb show dev vxlan.calico | while read mac rest; do bridge fdb del $mac dev vxlan.calico; done',
    [/^fdb 66:\S+ on vxlan\.calico is missing: to 10\.50\.0\.12$/, /is missing: to 10\.60\.0\.13$/],
  ],
  [
    'an FDB entry with two ends',
    'bridge fdb append 00:00:00:00:00:00 dev vxlan.calico dst 10.50.0.9; bridge fdb append 00:00:00:00:00:00 dev vxlan.calico dst 10.50.0.8',
    [/^fdb 00:00:00:00:00:00 .* should not be: to 10\.50\.0\.\d, and also to 10\.50\.0\.\d$/],
  ],
  [
    'a device with another MTU',
    'ip link set vxlan.calico mtu 1300',
    [/^device vxlan\.calico is up mtu 1300 .*, not up mtu 1450 /],
  ],
  [
    'a device with an address too many',
    'ip addr add 10.77.180.114/32 dev vxlan.calico',
    ['address 10.77.180.114/32 on vxlan.calico is there and should not be: there'],
  ],
  [
    'a device with another address',
    'ip addr add 10.77.180.114/32 dev vxlan.calico; ip addr del 10.77.180.112/32 dev vxlan.calico',
    [
      'address 10.77.180.112/32 on vxlan.calico is missing: there',
      'address 10.77.180.114/32 on vxlan.calico is there and should not be: there',
    ],
  ],
  [
    'a set with another member',
    'nft add element ip calico-node excluded { 192.0.2.0/24 }',
    ['set excluded of ip4 is 10.77.0.0-10.78.255.255, 192.0.2.0-192.0.2.255, not 10.77.0.0-10.78.255.255'],
  ],
  [
    'a rule too many',
    'nft add rule ip calico-node postrouting ip daddr 192.0.2.1 masquerade',
    [/^rules of ip4 is (?:.|\n)*192\.0\.2\.1 masquerade, not /],
  ],
  [
    'no masquerading',
    'nft delete table ip6 calico-node',
    [/^rules of ip6 is missing/, /^set excluded of ip6 is missing/, /^set masqueraded of ip6 is missing/],
  ],
  [
    'a host that forwards nothing',
    'echo 0 > /proc/sys/net/ipv4/ip_forward',
    ['switch net/ipv4/ip_forward is 0, not 1'],
  ],
];

const why = whyNoNetns();
describe.skipIf(why !== undefined)('the check of a host', () => {
  let fabric: Fabric;

  beforeAll(() => {
    fabric = makeFabric();
  });
  afterAll(() => fabric[Symbol.dispose]());

  /** Agents that bring every host to where the records say, and end. */
  async function settle(records: ReadonlyMap<string, string>, names: readonly HostName[]): Promise<void> {
    for (const name of names) {
      // The packet filter is reached from where the thread is.
      using _here = moveTo(fabric.hosts[name]);
      using agent = startAgent(fabric.hosts[name], name, []);
      const { failures } = await agent.tell(Array.from(records, ([key, text]) => ({ key, text })));
      await agent.quiet();
      expect(failures).toEqual([]);
    }
  }

  it.each(MODES)('finds nothing on hosts that are as they must be (VXLAN %s)', async (mode) => {
    const records = recordsOf(mode);
    await settle(records, HOST_NAMES);
    for (const name of HOST_NAMES) expect(hostDifferences(records, name, fabric.hosts[name])).toEqual([]);
  });

  it.each(DAMAGES)('finds %s', async (_, damage, lines) => {
    const records = recordsOf('CrossSubnet');
    await settle(records, ['node1']);
    fabric.hosts.node1.sh(damage);
    const found = hostDifferences(records, 'node1', fabric.hosts.node1);
    const expected = lines.map((line) =>
      typeof line === 'string' ? `node1: ${line}` : expect.stringMatching(withName(line)),
    );
    expect(found).toEqual(expected);
  });

  it('finds all that goes with a device', async () => {
    const records = recordsOf('CrossSubnet');
    await settle(records, ['node1']);
    fabric.hosts.node1.sh('ip link del vxlan.calico');
    const found = hostDifferences(records, 'node1', fabric.hosts.node1);
    expect(found.filter((line) => !line.includes('is missing'))).toEqual([]);
    expect(found.map((line) => line.split(' ')[1])).toEqual([
      ...['address', 'device', 'fdb', 'fdb', 'neighbour', 'neighbour', 'route', 'route'],
    ]);
  });
});

function withName({ source }: RegExp): RegExp {
  return new RegExp(source.replace(/^\^/, '^node1: '));
}
