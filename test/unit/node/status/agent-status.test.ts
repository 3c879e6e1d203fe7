import { describe, expect, it } from 'vitest';
import { CalicoError } from '../../../../src/base/calico-error.ts';
import { statusText } from '../../../../src/cli/node/status-text.ts';
import type { RecordChange } from '../../../../src/node/apply-changes.ts';
import { desiredHost } from '../../../../src/node/desired/desire.ts';
import type { HostFacts } from '../../../../src/node/host-facts.ts';
import { openJournal } from '../../../../src/node/journal.ts';
import { agentStatus } from '../../../../src/node/status/agent-status.ts';
import { blockRecord, clusterOf, nodeRecord, poolRecord } from '../records.ts';
import { BLOCKS, factsOf, factsWith, NODES, vxlanPool } from '../three-hosts.ts';

const MOMENT = { monotonicMs: 65_000, nowNs: 1_795_000_000_000_000_000n };

function statusOf(records: readonly RecordChange[], facts: Partial<HostFacts> = {}) {
  let nowMs = 5_000;
  const journal = openJournal('node1', { monotonicMs: () => nowMs });
  const cluster = clusterOf('node1', ...records);
  journal.onEvent({ type: 'reading', why: '', cause: 'start' });
  journal.onHeard('42');
  journal.onCluster(cluster, undefined);
  const desired = desiredHost(cluster, factsOf('node1', facts));
  const { findings } = desired;
  journal.onRound({ desired, findings, steps: [], nat: [4], failures: [], cause: 'wish', elapsedMs: 3.4 });
  nowMs = 45_000;
  journal.onEvent({ type: 'connected', revision: '42' });
  return { journal, status: agentStatus(journal.facts(), '1.2.3', MOMENT) };
}

const modesOf = (records: readonly RecordChange[]) =>
  statusOf(records).status.peers.map(({ name, modes, routes }) => [name, modes.join(), routes]);

describe('agentStatus()', () => {
  it('tells how each peer is reached', () => {
    expect(modesOf([...NODES, ...BLOCKS, vxlanPool('CrossSubnet')])).toEqual([
      ['node2', 'direct', 1],
      ['node3', 'VXLAN', 1],
    ]);
    const ipip = poolRecord('ip', '10.77.0.0/16', { ipipMode: 'Always' });
    expect(modesOf([...NODES, ...BLOCKS, ipip])).toEqual([
      ['node2', 'IPIP', 1],
      ['node3', 'IPIP', 1],
    ]);
  });

  it('tells what is wrong with a peer', () => {
    const { peers } = statusOf([
      ...NODES,
      ...BLOCKS,
      vxlanPool('Always'),
      blockRecord('10.77.9.0/28', 'host:ghost'),
      nodeRecord('node4', '10.50.0.11/24'),
      nodeRecord('node5', '10.50.0.15/24'),
      blockRecord('10.77.8.0/28', 'host:node5'),
    ]).status;
    expect(Object.fromEntries(peers.map(({ name, problem }) => [name, problem]))).toEqual({
      ghost: 'no Node in the datastore',
      node2: undefined,
      node3: undefined,
      node4: "one of its addresses is another node's",
      node5: '1 of its 1 blocks are not routed',
    });
  });

  it('counts the route to the end of an IPv6 tunnel, but not in place of a block', () => {
    const nodes = [1, 2].map((n) =>
      nodeRecord(`node${n}`, `fd50::1${n}/64`, { ipv6VXLANTunnelAddr: `fd77::${n}00` }),
    );
    const blocks = ['fd77::200/122', 'fd78::/122'].map((cidr) => blockRecord(cidr, 'host:node2'));
    const facts = factsWith(['fd50::11/64']);
    const { status } = statusOf(
      [...nodes, ...blocks, poolRecord('six', 'fd77::/48', { vxlanMode: 'Always' })],
      facts,
    );
    expect(status.peers).toMatchObject([
      { name: 'node2', blocks: 2, routes: 2, problem: '1 of its 2 blocks are not routed' },
    ]);
    expect(statusText(status, { nowMs: 0, showsRoutes: false })).toContain('through vxlan-v6.calico  2');
  });

  it('has the times of the day, and what this node is', () => {
    const { status } = statusOf([...NODES, ...BLOCKS, vxlanPool('Always')]);
    expect(status).toMatchObject({
      ...{ node: 'node1', version: '1.2.3', addresses: ['10.50.0.11'], mtu: '1450' },
      tunnelAddresses: ['10.77.180.112'],
      since: new Date(1_795_000_000_000 - 60_000).toISOString(),
      devices: [{ name: 'vxlan.calico', mtu: 1450 }],
      pools: [{ name: 'vx', mode: 'VXLAN', natOutgoing: true, disabled: false }],
      datastore: {
        state: 'following',
        since: new Date(1_795_000_000_000 - 20_000).toISOString(),
        revision: '42',
      },
      kernel: { cause: 'wish', milliseconds: 3, changes: 1, failures: [] },
    });
    expect(JSON.parse(JSON.stringify(status))).toEqual(status);
  });

  it('says what it can before anything is known', () => {
    const journal = openJournal('node1', { monotonicMs: () => 5_000 });
    const status = agentStatus(journal.facts(), '1', MOMENT);
    expect(status).toMatchObject({ peers: [], routes: [], ready: { isWell: false } });
    expect(statusText(status, { nowMs: 1_795_000_000_000, showsRoutes: false })).toBe(`\
Node
  name   node1
  state  not ready
         the datastore has not been read yet
  agent  1, running for 60 s

Datastore and kernel
  datastore  not reached yet, for 60 s
`);
  });
});

describe('statusText()', () => {
  const options = { nowMs: 1_795_000_000_000, showsRoutes: false };

  it('is a table for peers and pools, and a line for the rest', () => {
    const { status } = statusOf([...NODES, ...BLOCKS, vxlanPool('CrossSubnet')]);
    expect(statusText(status, options)).toBe(`\
Node
  name              node1
  state             ready
  agent             1.2.3, running for 60 s
  addresses         10.50.0.11
  tunnel addresses  10.77.180.112
  tunnel devices    vxlan.calico (MTU 1450)
  MTU of pods       1450

Datastore and kernel
  datastore          followed, for 20 s
  revision           42
  last sign of life  60 s ago
  last round         60 s ago, because of wish, 1 change in 3 ms

Pools
+------+--------------+--------------------+-----+----------+
| POOL | CIDR         | MODE               | NAT | DISABLED |
+------+--------------+--------------------+-----+----------+
| vx   | 10.77.0.0/16 | VXLAN, CrossSubnet | yes | no       |
+------+--------------+--------------------+-----+----------+

Peers
+-------+------------+--------+----------------+--------+--------+---------+
| PEER  | ADDRESS    | MODE   | TUNNEL ADDRESS | BLOCKS | ROUTES | PROBLEM |
+-------+------------+--------+----------------+--------+--------+---------+
| node2 | 10.50.0.12 | direct | 10.77.101.80   |      1 |      1 |         |
| node3 | 10.60.0.13 | VXLAN  | 10.77.161.192  |      1 |      1 |         |
+-------+------------+--------+----------------+--------+--------+---------+

Routes
  through eth0            1
  through vxlan.calico    1
  to nowhere (blackhole)  1
`);
  });

  it('shows each route when asked to', () => {
    const { status } = statusOf([...NODES, ...BLOCKS, vxlanPool('CrossSubnet')]);
    const text = statusText(status, { ...options, showsRoutes: true });
    expect(text).toContain('| 10.77.161.192/28 | 10.77.161.192 | vxlan.calico |\n');
    expect(text).toContain('| 10.77.180.112/28 |               | blackhole    |\n');
  });

  it('puts errors first, and what others say last', () => {
    const { journal } = statusOf([
      ...NODES,
      ...BLOCKS,
      vxlanPool('Always'),
      nodeRecord('node4', '10.50.0.11/24'),
      blockRecord('10.77.9.0/28', 'host:ghost'),
    ]);
    journal.onRound({
      ...{ steps: [], nat: [], findings: [], cause: 'retry', elapsedMs: 1, desired: undefined },
      failures: [new CalicoError('network', 'failed: ip route', { details: 'look at the kernel log' })],
    });
    const more = { 'garbage collection': { state: 'off' } };
    const text = statusText(agentStatus(journal.facts(), '1', MOMENT, more), options);
    expect(text).toMatch(/Findings\n {2}error: nodes node1 and node4 .*\n {2}warning: /);
    expect(text).toContain('failed: ip route: look at the kernel log');
    expect(text).toMatch(/Garbage collection\n {2}state {2}off\n$/);
  });
});
