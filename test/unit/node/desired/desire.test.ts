import { describe, expect, it } from 'vitest';
import { applyChanges } from '../../../../src/node/apply-changes.ts';
import type { ClusterState } from '../../../../src/node/cluster.ts';
import { desiredHost } from '../../../../src/node/desired/desire.ts';
import type { HostFacts } from '../../../../src/node/host-facts.ts';
import { formatHostRoute, formatHostStep } from '../../../../src/node/reconcile/format-step.ts';
import { planChanges } from '../../../../src/node/reconcile/plan.ts';
import { EMPTY_HOST } from '../host-model.ts';
import {
  blockRecord,
  clusterOf,
  deleted,
  endpointRecord,
  felixRecord,
  nodeRecord,
  poolRecord,
} from '../records.ts';
import { BLOCKS, factsOf, factsWith, HOSTS, type HostName, link, NODES, vxlanPool } from '../three-hosts.ts';

function lines(cluster: ClusterState, facts: HostFacts): readonly string[] {
  return planChanges(desiredHost(cluster, facts), EMPTY_HOST).steps.map(formatHostStep);
}

function routes(cluster: ClusterState, facts: HostFacts): readonly string[] {
  return desiredHost(cluster, facts).routes.map(formatHostRoute).toSorted();
}

function kinds(cluster: ClusterState, facts: HostFacts): readonly string[] {
  return desiredHost(cluster, facts).findings.map(({ kind }) => kind);
}

/** The captured cluster as one of its nodes sees it. */
function captured(name: HostName, mode: string, ...more: Parameters<typeof clusterOf>[1][]): ClusterState {
  return clusterOf(name, ...NODES, ...BLOCKS, vxlanPool(mode), ...more);
}

describe('desiredHost() with VXLAN', () => {
  it('is what Felix made of the captured cluster, but for the protocol of the routes', () => {
    expect(lines(captured('node1', 'Always'), factsOf('node1'))).toEqual([
      'sysctl -w net/ipv4/ip_forward=1',
      'ip link add vxlan.calico address 66:f9:37:c3:7e:94 mtu 1450 type vxlan id 4096 local 10.50.0.11 dev eth0 dstport 4789 nolearning',
      'ethtool -K vxlan.calico tx off',
      'ip addr add 10.77.180.112/32 dev vxlan.calico',
      'ip link set vxlan.calico up',
      'bridge fdb replace 66:2d:bf:44:a6:8b dev vxlan.calico dst 10.50.0.12 self permanent',
      'bridge fdb replace 66:a4:6f:e0:c4:da dev vxlan.calico dst 10.60.0.13 self permanent',
      'ip neigh replace 10.77.101.80 lladdr 66:2d:bf:44:a6:8b dev vxlan.calico nud permanent',
      'ip neigh replace 10.77.161.192 lladdr 66:a4:6f:e0:c4:da dev vxlan.calico nud permanent',
      'ip route replace blackhole 10.77.180.112/28 proto 202',
      'ip route replace 10.77.101.80/28 via 10.77.101.80 dev vxlan.calico proto 202 onlink mtu 1450',
      'ip route replace 10.77.161.192/28 via 10.77.161.192 dev vxlan.calico proto 202 onlink mtu 1450',
    ]);
  });

  it('reaches nodes of our subnet directly with CrossSubnet, and keeps their entries', () => {
    const desired = desiredHost(captured('node1', 'CrossSubnet'), factsOf('node1'));
    expect(desired.routes.map(formatHostRoute).toSorted()).toEqual([
      '10.77.101.80/28 via 10.50.0.12 dev eth0 proto 202 onlink',
      '10.77.161.192/28 via 10.77.161.192 dev vxlan.calico proto 202 onlink mtu 1450',
      'blackhole 10.77.180.112/28 proto 202',
    ]);
    expect([desired.neighbours.length, desired.fdb.length]).toEqual([2, 2]);
    expect(desired.findings).toEqual([]);
  });

  it('tunnels to both others from behind the router', () => {
    expect(routes(captured('node3', 'CrossSubnet'), factsOf('node3'))).toEqual([
      '10.77.101.80/28 via 10.77.101.80 dev vxlan.calico proto 202 onlink mtu 1450',
      '10.77.180.112/28 via 10.77.180.112 dev vxlan.calico proto 202 onlink mtu 1450',
      'blackhole 10.77.161.192/28 proto 202',
    ]);
  });

  it('goes by our mask alone, and says that another sees it otherwise', () => {
    const node2 = nodeRecord('node2', '10.50.0.12/32', { ipv4VXLANTunnelAddr: HOSTS.node2.tunnel });
    const [first, , third] = NODES;
    const nodes = [first, node2, third].filter((record) => record !== undefined);
    const seen = (name: HostName) => clusterOf(name, ...nodes, ...BLOCKS, vxlanPool('CrossSubnet'));

    expect(routes(seen('node1'), factsOf('node1'))).toContain(
      '10.77.101.80/28 via 10.50.0.12 dev eth0 proto 202 onlink',
    );
    expect(routes(seen('node2'), factsWith(['10.50.0.12/32']))).toContain(
      '10.77.180.112/28 via 10.77.180.112 dev vxlan.calico proto 202 onlink mtu 1450',
    );
    const severity = (rpFilter: number) =>
      desiredHost(seen('node1'), factsOf('node1', { rpFilter })).findings.map((finding) => [
        finding.kind,
        finding.severity,
      ]);
    expect(severity(0)).toEqual([['masks-differ', 'warning']]);
    expect(severity(1)).toEqual([['masks-differ', 'error']]);
  });

  describe('and borrowed addresses', () => {
    const borrowed = [
      blockRecord('10.77.101.80/28', 'host:node2', { 0: 'node2', 10: 'node1' }),
      blockRecord('10.77.161.192/28', 'host:node3', { 0: 'node3', 8: 'node1' }),
    ];
    const viaVxlan = 'via 10.77.180.112 dev vxlan.calico proto 202 onlink mtu 1450';
    it.each([
      ['node1', 'Always', []],
      ['node1', 'CrossSubnet', []],
      ['node2', 'Always', [`10.77.101.90/32 ${viaVxlan}`, `10.77.161.200/32 ${viaVxlan}`]],
      [
        'node2',
        'CrossSubnet',
        [
          '10.77.101.90/32 via 10.50.0.11 dev eth0 proto 202 onlink',
          '10.77.161.200/32 via 10.50.0.11 dev eth0 proto 202 onlink',
        ],
      ],
      ['node3', 'Always', [`10.77.101.90/32 ${viaVxlan}`, `10.77.161.200/32 ${viaVxlan}`]],
      ['node3', 'CrossSubnet', [`10.77.101.90/32 ${viaVxlan}`, `10.77.161.200/32 ${viaVxlan}`]],
    ] as const)('%s with %s has a route to each that others hold', (name, mode, expected) => {
      const all = routes(captured(name, mode, ...borrowed), factsOf(name));
      expect(all.filter((route) => route.includes('/32'))).toEqual(expected);
      expect(all.filter((route) => route.includes('/28'))).toHaveLength(3);
    });

    it('leave a block of one address to the pod that has it here', () => {
      const single = blockRecord('10.77.9.9/32', 'host:node2', { 0: 'node1' });
      expect(routes(captured('node1', 'Always', single), factsOf('node1')).join()).not.toContain('10.77.9.9');
      expect(routes(captured('node3', 'Always', single), factsOf('node3'))).toContain(
        `10.77.9.9/32 ${viaVxlan}`,
      );
    });
  });

  it('takes the same of two blocks that say different things of an address, whichever came first', () => {
    const small = blockRecord('10.77.5.8/29', 'host:node1', { 1: 'node2' });
    const large = blockRecord('10.77.5.0/28', 'host:node1', { 9: 'node3' });
    for (const blocks of [
      [small, large],
      [large, small],
    ])
      expect(routes(captured('node1', 'Always', ...blocks), factsOf('node1'))).toContain(
        '10.77.5.9/32 via 10.77.101.80 dev vxlan.calico proto 202 onlink mtu 1450',
      );
  });

  it.each([
    ['no affinity', null, ['10.77.5.1/32 via 10.77.101.80 dev vxlan.calico proto 202 onlink mtu 1450']],
    [
      'a virtual owner',
      'virtual:load-balancer',
      ['10.77.5.1/32 via 10.77.101.80 dev vxlan.calico proto 202 onlink mtu 1450'],
    ],
  ])('of a block with %s has only the addresses', (_what, affinity, expected) => {
    const block = blockRecord('10.77.5.0/28', affinity, { 1: 'node2' });
    expect(
      routes(captured('node1', 'Always', block), factsOf('node1')).filter((r) => r.includes('10.77.5.')),
    ).toEqual(expected);
  });

  it('makes no blackhole for a block of one address, and no gateway for a tunnel address alone in its block', () => {
    const single = [
      nodeRecord('node1', '10.50.0.11/24', { ipv4VXLANTunnelAddr: '10.77.1.1' }),
      nodeRecord('node2', '10.50.0.12/24', { ipv4VXLANTunnelAddr: '10.77.2.2' }),
      blockRecord('10.77.1.1/32', 'host:node1', { 0: 'node1' }),
      blockRecord('10.77.2.2/32', 'host:node2', { 0: 'node2' }),
    ];
    const cluster = clusterOf('node1', ...single, vxlanPool('Always'));
    expect(routes(cluster, factsOf('node1'))).toEqual([
      '10.77.2.2/32 dev vxlan.calico proto 202 scope link mtu 1450',
    ]);
  });

  it('waits for the tunnel address of a peer, and says whom it waits for', () => {
    const cluster = captured('node1', 'Always', nodeRecord('node2', '10.50.0.12/24'));
    const desired = desiredHost(cluster, factsOf('node1'));
    expect(desired.routes.map(formatHostRoute).join()).not.toContain('10.77.101.80');
    expect(desired.findings).toMatchObject([{ kind: 'peer-incomplete', subject: 'IPv4 VXLAN' }]);
    expect(desired.findings[0]?.message).toContain('pods of node2 are not reached by VXLAN');
    expect([desired.neighbours.length, desired.fdb.length]).toEqual([1, 1]);
  });

  it('takes the routes of a node away with its Node, although its blocks remain', () => {
    const [, second] = NODES;
    const gone = second === undefined ? [] : [deleted(second)];
    const desired = desiredHost(captured('node1', 'Always', ...gone), factsOf('node1'));
    expect(desired.routes).toHaveLength(2);
    expect(desired.findings).toMatchObject([{ kind: 'peer-incomplete', subject: 'IPv4 without Node' }]);
  });

  it('follows a MAC that the Node names', () => {
    const named = nodeRecord('node3', '10.60.0.13/24', {
      ipv4VXLANTunnelAddr: '10.77.161.192',
      vxlanTunnelMACAddr: '02:AA:bb:cc:dd:ee',
    });
    const { neighbours, fdb } = desiredHost(captured('node1', 'Always', named), factsOf('node1'));
    expect([neighbours.at(-1)?.mac, fdb.at(-1)?.mac]).toEqual(['02:aa:bb:cc:dd:ee', '02:aa:bb:cc:dd:ee']);
  });

  it('keeps routes and the exemption from NAT when the pool is disabled', () => {
    const disabled = vxlanPool('Always', { disabled: true });
    expect(desiredHost(captured('node1', 'Always', disabled), factsOf('node1'))).toEqual(
      desiredHost(captured('node1', 'Always'), factsOf('node1')),
    );
  });

  it('follows a pool that is deleted and made again with another mode', () => {
    const facts = factsOf('node1');
    const before = captured('node1', 'Always');
    const without = applyChanges(before, [deleted(vxlanPool('Always'))]);
    expect(desiredHost(without, facts).vxlan[4]).toEqual({ want: 'absent' });
    expect(desiredHost(without, facts).doubt).toContain('no IPPool');
    const again = applyChanges(without, [vxlanPool('CrossSubnet')]);
    expect(desiredHost(again, facts)).toEqual(desiredHost(captured('node1', 'CrossSubnet'), facts));
  });
});

describe('desiredHost() without encapsulation', () => {
  const pool = poolRecord('plain', '10.77.0.0/16', { vxlanMode: 'Never', ipipMode: 'Never' });
  const cluster = clusterOf('node1', ...NODES, ...BLOCKS, pool);

  it('makes routes to nodes on the link only, and says which mode the others need', () => {
    const desired = desiredHost(cluster, factsOf('node1'));
    expect(desired.routes.map(formatHostRoute).toSorted()).toEqual([
      '10.77.101.80/28 via 10.50.0.12 dev eth0 proto 202 onlink',
      'blackhole 10.77.180.112/28 proto 202',
    ]);
    expect(desired.findings).toMatchObject([{ kind: 'peer-not-on-link', severity: 'error' }]);
    expect(desired.findings[0]?.message).toContain('pods of node3: a router is between');
    expect(desired.findings[0]?.message).toContain('CrossSubnet');
    expect(desired.vxlan[4]).toEqual({ want: 'absent' });
    expect(desired.mtuFile).toBe('1500');
  });

  it.each([
    ['EnabledIPIPOnly', 0],
    ['Disabled', 0],
    ['EnabledNoEncapOnly', 2],
    ['Enabled', 2],
  ])(
    'leaves them to BIRD, where that runs, as programClusterRoutes=%s says',
    (programClusterRoutes, count) => {
      const configured = applyChanges(cluster, [felixRecord('default', { programClusterRoutes })]);
      expect(routes(configured, factsOf('node1', { isBirdRunning: true }))).toHaveLength(count);
    },
  );

  it.each([
    [{}, {}, []],
    [{ programClusterRoutes: 'Enabled' }, {}, [['no encapsulation', 'warning']]],
    [{ programClusterRoutes: 'Enabled' }, { programClusterRoutes: 'EnabledIPIPOnly' }, []],
    [{}, { programClusterRoutes: 'Disabled' }, [['no encapsulation', 'error']]],
  ])(
    'says whether it and BIRD share them: FelixConfiguration %j, BGPConfiguration %j',
    (felix, bgp, expected) => {
      const key = '/calico/resources/v3/projectcalico.org/bgpconfigurations/default';
      const configured = applyChanges(cluster, [
        felixRecord('default', felix),
        { key, text: JSON.stringify({ spec: bgp }) },
      ]);
      const found = desiredHost(configured, factsOf('node1', { isBirdRunning: true })).findings;
      const about = found.filter(({ kind }) => kind === 'foreign-agent');
      expect(about.map(({ subject, severity }) => [subject, severity])).toEqual(expected);
    },
  );

  it('takes an InternalIP for a node without BGP address', () => {
    const internal = nodeRecord('node2', undefined, {
      addresses: [
        { address: '203.0.113.7', type: 'ExternalIP' },
        { address: 'node2.example', type: 'Hostname' },
        { address: '10.50.0.12', type: 'InternalIP' },
      ],
    });
    expect(routes(applyChanges(cluster, [internal]), factsOf('node1'))).toContain(
      '10.77.101.80/28 via 10.50.0.12 dev eth0 proto 202 onlink',
    );
  });
});

describe('desiredHost() with IPIP', () => {
  const pool = poolRecord('tunnelled', '10.77.0.0/16', { ipipMode: 'CrossSubnet' });
  const own = nodeRecord('node1', '10.50.0.11/24', {}, { ipv4IPIPTunnelAddr: '10.77.180.113' });
  const cluster = clusterOf('node1', ...NODES, own, ...BLOCKS, pool);

  it('leads to the hosts themselves', () => {
    expect(routes(cluster, factsOf('node1'))).toEqual([
      '10.77.101.80/28 via 10.50.0.12 dev eth0 proto 202 onlink',
      '10.77.161.192/28 via 10.60.0.13 dev tunl0 proto 202 onlink mtu 1480',
      'blackhole 10.77.180.112/28 proto 202',
    ]);
    expect(lines(cluster, factsOf('node1')).slice(1, 5)).toEqual([
      'modprobe ipip',
      'ip link set tunl0 mtu 1480',
      'ip addr add 10.77.180.113/32 dev tunl0',
      'ip link set tunl0 up',
    ]);
  });

  it('does without, loudly, where the kernel lacks it, and the other pools work', () => {
    const facts = factsOf('node1', { modules: { vxlan: true, ipip: false } });
    const mixed = applyChanges(cluster, [
      poolRecord('vx', '10.77.161.0/24', { vxlanMode: 'Always' }),
      ...NODES,
    ]);
    const desired = desiredHost(mixed, facts);
    expect(desired.findings).toContainEqual(
      expect.objectContaining({ kind: 'missing-module', subject: 'ipip' }),
    );
    expect(desired.routes.map(formatHostRoute)).toContain(
      '10.77.161.192/28 via 10.77.161.192 dev vxlan.calico proto 202 onlink mtu 1450',
    );
  });
});

describe('desiredHost() with IPv6', () => {
  const nodes = [1, 2].map((n) =>
    nodeRecord(`node${n}`, `fd50::1${n}/64`, { ipv6VXLANTunnelAddr: `fd77::${n}00` }),
  );
  const blocks = [1, 2].map((n) => blockRecord(`fd77::${n}00/122`, `host:node${n}`, { 0: `node${n}` }));
  const facts = factsWith(['fd50::11/64']);

  it('is the same on a device of its own', () => {
    const cluster = clusterOf(
      'node1',
      ...nodes,
      ...blocks,
      poolRecord('six', 'fd77::/48', { vxlanMode: 'Always' }),
    );
    expect(lines(cluster, facts)).toEqual([
      'sysctl -w net/ipv4/ip_forward=1',
      'sysctl -w net/ipv6/conf/all/forwarding=1',
      expect.stringMatching(
        /^ip link add vxlan-v6\.calico address 66:.* mtu 1430 type vxlan id 4096 local fd50::11 dev eth0 dstport 4789 nolearning$/,
      ),
      'ethtool -K vxlan-v6.calico tx off',
      'ip addr add fd77::100/128 dev vxlan-v6.calico',
      'ip link set vxlan-v6.calico up',
      expect.stringMatching(/^bridge fdb replace 66:.* dev vxlan-v6\.calico dst fd50::12 self permanent$/),
      expect.stringMatching(/^ip neigh replace fd77::200 lladdr 66:.* dev vxlan-v6\.calico nud permanent$/),
      // Before it is a gateway.
      'ip -6 route replace fd77::200/128 dev vxlan-v6.calico proto 202 metric 1024 mtu 1430',
      'ip -6 route replace blackhole fd77::100/122 proto 202 metric 1024',
      'ip -6 route replace fd77::200/122 via fd77::200 dev vxlan-v6.calico proto 202 metric 1024 onlink mtu 1430',
    ]);
    expect(desiredHost(cluster, facts).mtuFile).toBe('1430');
  });

  it('routes the end of a tunnel once, before the addresses that are reached through it', () => {
    const cluster = clusterOf(
      'node1',
      ...nodes,
      blockRecord('fd77::100/122', 'host:node1', { 0: 'node1', 5: 'node2' }),
      // The tunnel address of node2 is borrowed, from a block that is reached directly.
      blockRecord('fd77::200/122', 'host:node3', { 0: 'node2' }),
      nodeRecord('node3', 'fd50::13/64', { ipv6VXLANTunnelAddr: 'fd77::300' }),
      poolRecord('six', 'fd77::/48', { vxlanMode: 'CrossSubnet' }),
      poolRecord('far', 'fd77::100/122', { vxlanMode: 'Always' }),
    );
    expect(lines(cluster, facts).filter((line) => line.includes('route'))).toEqual([
      'ip -6 route replace fd77::200/128 dev vxlan-v6.calico proto 202 metric 1024 mtu 1430',
      'ip -6 route replace fd77::105/128 via fd77::200 dev vxlan-v6.calico proto 202 metric 1024 onlink mtu 1430',
      'ip -6 route replace blackhole fd77::100/122 proto 202 metric 1024',
      'ip -6 route replace fd77::200/122 via fd50::13 dev eth0 proto 202 metric 1024 onlink',
    ]);
  });

  it('does not touch IPv4', () => {
    const six = [...nodes, ...blocks, poolRecord('six', 'fd77::/48', { vxlanMode: 'CrossSubnet' })];
    const both = clusterOf('node1', ...six);
    expect(desiredHost(both, facts).vxlan[4]).toEqual({ want: 'absent' });
    expect(routes(both, facts)).toEqual([
      'blackhole fd77::100/122 proto 202 metric 1024',
      'fd77::200/122 via fd50::12 dev eth0 proto 202 metric 1024 onlink',
    ]);
  });
});

describe('desiredHost() in trouble', () => {
  it('routes by the longest pool, by no pool not at all, and names pools within pools', () => {
    const inner = poolRecord('inner', '10.77.101.0/24', { vxlanMode: 'Never' });
    const outside = blockRecord('10.99.0.0/28', 'host:node2');
    const cluster = captured('node1', 'Always', inner, outside);
    const desired = desiredHost(cluster, factsOf('node1'));
    expect(desired.routes.map(formatHostRoute).toSorted()).toEqual([
      '10.77.101.80/28 via 10.50.0.12 dev eth0 proto 202 onlink',
      '10.77.161.192/28 via 10.77.161.192 dev vxlan.calico proto 202 onlink mtu 1450',
      'blackhole 10.77.180.112/28 proto 202',
    ]);
    expect(desired.findings.map(({ kind }) => kind)).toEqual(['overlapping-pools', 'block-outside-pools']);
  });

  it('routes nothing of a pool for load balancers', () => {
    const cluster = captured('node1', 'Always', vxlanPool('Always', { allowedUses: ['LoadBalancer'] }));
    const desired = desiredHost(cluster, factsOf('node1'));
    expect([desired.routes, desired.findings, desired.nat[4].excluded]).toEqual([[], [], []]);
  });

  it.each([
    ['a host address', '10.50.0.12/24', '10.77.9.1', {}],
    ['a tunnel address', '10.50.0.14/24', '10.77.101.80', {}],
    ['a MAC', '10.50.0.14/24', '10.77.9.1', { vxlanTunnelMACAddr: '66:2d:bf:44:a6:8b' }],
  ])('gives %s of two nodes to the first by name', (_what, ip, tunnel, spec) => {
    const twin = nodeRecord('node4', ip, { ipv4VXLANTunnelAddr: tunnel, ...spec });
    const cluster = captured('node1', 'Always', twin, blockRecord('10.77.9.0/28', 'host:node4'));
    const desired = desiredHost(cluster, factsOf('node1'));
    expect(desired.findings).toContainEqual(
      expect.objectContaining({ kind: 'duplicate-address', severity: 'error', subject: 'node4' }),
    );
    expect(desired.routes.map(formatHostRoute).join()).not.toContain('10.77.9.0');
    expect(desired.neighbours).toEqual(desiredHost(captured('node1', 'Always'), factsOf('node1')).neighbours);
  });

  it('keeps what is its own, whatever the other is called', () => {
    const twin = nodeRecord('a-node', '10.50.0.11/24', { ipv4VXLANTunnelAddr: '10.77.9.1' });
    const cluster = captured('node1', 'Always', twin, blockRecord('10.77.9.0/28', 'host:a-node'));
    const desired = desiredHost(cluster, factsOf('node1'));
    expect(desired.vxlan[4].want).toBe('present');
    expect(desired.findings).toContainEqual(expect.objectContaining({ subject: 'a-node' }));
    expect(desired.fdb).toHaveLength(2);
  });

  it.each([
    ['a remote block', blockRecord('10.60.0.0/28', 'host:node2'), '10.60.0.0/28'],
    ['our own block', blockRecord('10.60.0.0/28', 'host:node1'), '10.60.0.0/28'],
    ['a borrowed address', blockRecord('10.60.0.0/28', null, { 13: 'node2' }), '10.60.0.13/32'],
  ])('does not let %s cover the address of a node', (_what, block, named) => {
    const pool = poolRecord('hosts', '10.60.0.0/24', { vxlanMode: 'Always' });
    const cluster = captured('node1', 'Always', pool, block);
    const desired = desiredHost(cluster, factsOf('node1'));
    expect(desired.routes.map(formatHostRoute).join()).not.toContain('10.60.');
    expect(desired.findings).toMatchObject([{ kind: 'host-address-in-block' }]);
    expect(desired.findings[0]?.message).toContain(named);
  });

  it('names addresses that nobody is recorded for', () => {
    const block = blockRecord('10.77.101.80/28', 'host:node2', { 0: 'node2', 3: null });
    const [finding] = desiredHost(captured('node1', 'Always', block), factsOf('node1')).findings;
    expect(finding).toMatchObject({ kind: 'address-without-node' });
    expect(finding?.message).toContain('10.77.101.83/32');
  });

  it('keeps the device as it is while its own addresses are not there', () => {
    const gone = factsWith([], {
      links: [link('eth0', 2), link('vxlan.calico', 3, { kind: 'vxlan', mtu: 1450 })],
    });
    const desired = desiredHost(captured('node1', 'Always'), gone);
    expect(desired.vxlan[4]).toEqual({ want: 'keep' });
    expect(desired.routes).toHaveLength(3);
    expect(desired.findings).toMatchObject([{ kind: 'parent-missing' }]);
    const unallocated = captured('node1', 'Always', nodeRecord('node1', '10.50.0.11/24'));
    expect(desiredHost(unallocated, factsOf('node1')).vxlan[4]).toEqual({ want: 'keep' });
    expect(kinds(unallocated, factsOf('node1'))).toEqual(['own-node-incomplete']);
  });

  it('counts where many are concerned', () => {
    const names = Array.from({ length: 9 }, (_, index) => `far${index}`);
    const far = names.map((name, index) => nodeRecord(name, `10.60.1.${index}/24`));
    const blocks = names.map((name, index) => blockRecord(`10.77.${index}.0/28`, `host:${name}`));
    const cluster = captured('node1', 'Never', ...far, ...blocks);
    const [finding] = desiredHost(cluster, factsOf('node1')).findings;
    expect(finding?.message).toContain('to pods of far0, far1, far2, far3, far4 and 5 more: a router');
  });

  it('freezes while the datastore is not ready or Felix runs here, and doubts when little is left', () => {
    const cluster = captured('node1', 'Always');
    expect(desiredHost(cluster, factsOf('node1')).frozen).toBeUndefined();
    expect(desiredHost({ ...cluster, isDatastoreReady: false }, factsOf('node1')).frozen).toContain(
      'not ready',
    );
    const besideFelix = desiredHost(cluster, factsOf('node1', { isFelixRunning: true }));
    expect(besideFelix.frozen).toContain('Felix runs');
    expect(besideFelix.findings).toContainEqual(
      expect.objectContaining({ kind: 'foreign-agent', severity: 'error', subject: 'Felix' }),
    );
    const afterFelix = desiredHost(cluster, factsOf('node1', { hasFelixFilter: true }));
    expect(afterFelix.frozen).toBeUndefined();
    expect(afterFelix.findings).toMatchObject([{ kind: 'foreign-agent', subject: 'rules of Felix' }]);
    const both = desiredHost(cluster, factsOf('node1', { isFelixRunning: true, hasFelixFilter: true }));
    expect(both.findings).toMatchObject([{ kind: 'foreign-agent', subject: 'Felix' }]);
    expect(desiredHost({ ...cluster, isDatastoreReady: false }, factsOf('node1')).findings).toContainEqual(
      expect.objectContaining({ kind: 'not-ready', message: expect.stringContaining('datastoreReady') }),
    );
    expect(desiredHost(cluster, factsOf('node1')).doubt).toBeUndefined();
    expect(desiredHost({ ...cluster, nodes: new Map() }, factsOf('node1')).doubt).toContain('no Node in');
    const [first] = NODES;
    const without = applyChanges(cluster, first === undefined ? [] : [deleted(first)]);
    expect(desiredHost(without, factsOf('node1')).doubt).toContain('no Node node1');
  });
});

describe('desiredHost() for pods here', () => {
  it('knows the routes of those whose interface is there', () => {
    const facts = factsOf('node1', { links: [link('eth0', 2), link('cali1a', 7), link('cali1b', 8)] });
    const cluster = captured(
      'node1',
      'Always',
      endpointRecord('node1', 'a', 'cali1a', ['10.77.180.113', 'fd77::1']),
      endpointRecord('node1', 'b', 'cali1b', ['10.77.180.113']),
      endpointRecord('node1', 'c', 'cali1c', ['10.77.180.114']),
      endpointRecord('node2', 'd', 'cali1a', ['10.77.101.84']),
    );
    expect(desiredHost(cluster, facts).podRoutes.map(formatHostRoute)).toEqual([
      '10.77.180.113/32 dev cali1a proto 3 scope link',
      'fd77::1/128 dev cali1a proto 3 metric 1024',
    ]);
  });
});

describe('desiredHost() and sizes', () => {
  it.each([
    [
      'the least of what is up',
      [link('eth0', 2, { mtu: 1400 }), link('eth1', 3, { mtu: 1300, isUp: false })],
      {},
      '1350',
    ],
    ['what is configured', [link('eth0', 2, { mtu: 1400 })], { vxlanMTU: 1280 }, '1280'],
    ['what clouds carry, if nothing is known', [link('weird0', 2)], {}, '1410'],
    [
      'interfaces of the given names',
      [link('weird0', 2, { mtu: 9000 })],
      { mtuIfacePattern: '^weird' },
      '8950',
    ],
  ])('takes %s', (_what, links, spec, expected) => {
    const cluster = captured('node1', 'Always', felixRecord('default', spec));
    expect(desiredHost(cluster, factsOf('node1', { links })).mtuFile).toBe(expected);
  });
});
