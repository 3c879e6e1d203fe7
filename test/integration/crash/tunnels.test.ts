/**
 * The addresses of tunnels, cut at every request in every way, also while pods come and go on the same node: never one
 * that nobody uses, never two, and the Node always says what IPAM holds.
 */

import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../../src/base/cidr.ts';
import { formatIpAddress } from '../../../src/base/ip-address.ts';
import { settle } from '../../../src/datastore/settle.ts';
import type { Store } from '../../../src/datastore/store.ts';
import { decideTunnels, tunnelRanges } from '../../../src/node/registration/decide-tunnels.ts';
import {
  type Actor,
  endlessDeadline,
  everyCut,
  everyOrder,
  instantClock,
  Killed,
  runActors,
} from '../../support/cut-line.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { addRecords, delRecords, RECORD_TIME_NS } from '../../support/record-calls.ts';
import { clusterOf } from '../../unit/ipam/support/calico-cluster.ts';
import { clusterViolations } from '../../unit/ipam/support/invariants.ts';

const RESOURCES = '/calico/resources/v3/projectcalico.org';
const NODE = `${RESOURCES}/nodes/node1`;
const VXLAN = { vxlanMode: 'Always' };
const IPIP = { ipipMode: 'CrossSubnet' };

type Values = ReadonlyMap<string, string>;

const json = (name: string, spec: object, labels: object = {}) =>
  JSON.stringify({ metadata: { name, labels }, spec });

function cluster(pools: Readonly<Record<string, object>>, node: object = {}): Values {
  return new Map([
    [`${RESOURCES}/clusterinformations/default`, json('default', { datastoreReady: true })],
    [NODE, json('node1', node, { rack: 'r1' })],
    [`${RESOURCES}/nodes/node2`, json('node2', {})],
    ...Object.entries(pools).map(
      ([cidr, spec], i) =>
        [
          `${RESOURCES}/ippools/pool${i}`,
          json(`pool${i}`, { cidr, blockSize: cidr.includes(':') ? 124 : 29, ...spec }),
        ] as const,
    ),
  ]);
}

function reconcile(store: Store): Promise<readonly string[]> {
  return settle({
    store,
    ranges: tunnelRanges('node1'),
    decide: (view) =>
      decideTunnels({ nodeName: 'node1', nowNs: RECORD_TIME_NS, warn: () => undefined }, view),
    deadline: endlessDeadline(),
    clock: instantClock(RECORD_TIME_NS),
    random: () => 0,
  }).then(({ written }) => written);
}

interface TunnelState {
  /** Field of the Node → address. */
  readonly node: Readonly<Record<string, string>>;
  /** Type → addresses, as IPAM has them. */
  readonly ipam: Readonly<Record<string, readonly string[]>>;
}

const FIELDS = {
  ipv4VXLANTunnelAddr: 'vxlanTunnelAddress',
  ipv6VXLANTunnelAddr: 'vxlanV6TunnelAddress',
  ipv4IPIPTunnelAddr: 'ipipTunnelAddress',
};

function stateOf(values: Values): TunnelState {
  const { bgp = {}, ...spec } = JSON.parse(values.get(NODE) ?? '{}').spec;
  const node = Object.fromEntries(
    Object.keys(FIELDS).flatMap((name) =>
      ({ ...spec, ...bgp })[name] === undefined ? [] : [[name, { ...spec, ...bgp }[name]]],
    ),
  );
  const ipam: Record<string, string[]> = {};
  for (const [key, value] of values) {
    if (!key.includes('/assignment/')) continue;
    const block = JSON.parse(value);
    const { family, base } = parseCidr(block.cidr);
    for (const [ordinal, index] of block.allocations.entries()) {
      const attribute = index === null ? undefined : block.attributes[index];
      const type = attribute?.secondary?.type;
      if (type === undefined) continue;
      expect(attribute).toEqual({
        handle_id: expect.stringMatching(/-tunnel-addr-node1$/),
        secondary: { node: 'node1', type },
      });
      ipam[type] = [...(ipam[type] ?? []), formatIpAddress({ family, value: base + BigInt(ordinal) })];
    }
  }
  return { node, ipam };
}

function violations(values: Values): readonly string[] {
  const { node, ipam } = stateOf(values);
  const wrong: string[] = [...clusterViolations(clusterOf(values))];
  for (const [field, type] of Object.entries(FIELDS)) {
    const held = ipam[type] ?? [];
    if (held.join() !== (node[field] ?? ''))
      wrong.push(`${field} is ${node[field]}, IPAM holds ${held.join() || 'nothing'}`);
  }
  return wrong;
}

async function afterwards(
  values: Values,
  ...edits: readonly ((store: Store) => Promise<unknown>)[]
): Promise<Values> {
  const store = createMemoryStore(values);
  for (const edit of edits) await edit(store);
  return store.values();
}

function withPool(values: Values, index: number, change: object): Values {
  const key = `${RESOURCES}/ippools/pool${index}`;
  const pool = JSON.parse(values.get(key) ?? '{}');
  return new Map(values).set(key, JSON.stringify({ ...pool, spec: { ...pool.spec, ...change } }));
}

describe('addresses of tunnels', () => {
  it('are the first of the first block, under Calico’s names, for each kind that a pool asks for', async () => {
    const values = await afterwards(
      cluster({ '10.9.0.0/24': VXLAN, 'fd00:9::/120': VXLAN, '10.8.0.0/24': IPIP }),
      reconcile,
    );
    const { node, ipam } = stateOf(values);
    expect(Object.keys(node).sort()).toEqual([
      'ipv4IPIPTunnelAddr',
      'ipv4VXLANTunnelAddr',
      'ipv6VXLANTunnelAddr',
    ]);
    expect(node.ipv4VXLANTunnelAddr).toMatch(/^10\.9\.0\./);
    expect(node.ipv4IPIPTunnelAddr).toMatch(/^10\.8\.0\./);
    expect(Object.values(ipam).map(({ length }) => length)).toEqual([1, 1, 1]);
    expect(
      [...values.keys()]
        .filter((key) => key.includes('/handle/'))
        .map((key) => key.split('/').at(-1))
        .sort(),
    ).toEqual(['ipip-tunnel-addr-node1', 'vxlan-tunnel-addr-node1', 'vxlan-v6-tunnel-addr-node1']);
    expect(violations(values)).toEqual([]);
  });

  it('stay, and nothing is written, when all is right', async () => {
    const values = await afterwards(cluster({ '10.9.0.0/24': VXLAN }), reconcile);
    const store = createMemoryStore(values);
    expect(await reconcile(store)).toEqual([]);
    expect(store.values()).toEqual(values);
  });

  it.each([
    ['is edited', '10.9.0.200'],
    ['is removed', undefined],
    ['is nonsense', 'x'],
  ])('are put back when the field of the Node %s', async (_what, value) => {
    const values = await afterwards(cluster({ '10.9.0.0/24': VXLAN }), reconcile);
    const node = JSON.parse(values.get(NODE) ?? '{}');
    const edited = new Map(values).set(
      NODE,
      JSON.stringify({ ...node, spec: { ...node.spec, ipv4VXLANTunnelAddr: value } }),
    );
    expect(stateOf(await afterwards(edited, reconcile))).toEqual(stateOf(values));
  });

  it.each([
    ['no pool of the mode is left', { vxlanMode: 'Never' }],
    ['the pool is disabled', { disabled: true }],
    ['the pool is for pods alone', { allowedUses: ['Workload'] }],
    ['the pool selects other nodes', { nodeSelector: "rack == 'r2'" }],
  ])('go when %s, and come back', async (_why, change) => {
    const values = await afterwards(cluster({ '10.9.0.0/24': VXLAN }), reconcile);
    const gone = await afterwards(withPool(values, 0, change), reconcile);
    expect(stateOf(gone)).toEqual({ node: {}, ipam: {} });
    expect(violations(gone)).toEqual([]);
    const back = {
      vxlanMode: 'Always',
      disabled: false,
      allowedUses: ['Tunnel'],
      nodeSelector: "rack == 'r1'",
    };
    const again = await afterwards(withPool(gone, 0, back), reconcile);
    expect(Object.keys(stateOf(again).node)).toEqual(['ipv4VXLANTunnelAddr']);
    expect(violations(again)).toEqual([]);
  });

  it('move to another pool at once when theirs is no longer for them', async () => {
    const values = await afterwards(cluster({ '10.9.0.0/24': VXLAN, '10.8.0.0/24': VXLAN }), reconcile);
    const store = createMemoryStore(withPool(values, 0, { vxlanMode: 'Never' }));
    const commits: string[] = [];
    await reconcile({
      ...store,
      commit: (transaction, deadline) => {
        commits.push(transaction.write.map(({ type }) => type).join());
        return store.commit(transaction, deadline);
      },
    });
    expect(stateOf(store.values()).node.ipv4VXLANTunnelAddr).toMatch(/^10\.8\.0\./);
    expect(violations(store.values())).toEqual([]);
    expect(commits).toHaveLength(1);
  });

  it('are none while there is no Node', async () => {
    const values = new Map(cluster({ '10.9.0.0/24': VXLAN }));
    values.delete(NODE);
    expect(await reconcile(createMemoryStore(values))).toEqual([]);
  });
});

const pod = (containerId: string) => ({ nodeName: 'node1', containerId });
const scenarios: readonly {
  name: string;
  before: () => Promise<Values>;
  actors: readonly Actor<unknown>[];
}[] = [
  { name: 'a first address', before: async () => cluster({ '10.9.0.0/24': VXLAN }), actors: [reconcile] },
  {
    name: 'two kinds at once',
    before: async () => cluster({ '10.9.0.0/24': VXLAN, '10.8.0.0/24': IPIP }),
    actors: [reconcile],
  },
  {
    name: 'a move to another pool',
    before: async () =>
      withPool(await afterwards(cluster({ '10.9.0.0/24': VXLAN, '10.8.0.0/24': VXLAN }), reconcile), 0, {
        vxlanMode: 'Never',
      }),
    actors: [reconcile],
  },
  {
    name: 'an address that is not needed any more',
    before: async () =>
      withPool(await afterwards(cluster({ '10.9.0.0/24': VXLAN }), reconcile), 0, { vxlanMode: 'Never' }),
    actors: [reconcile],
  },
  {
    name: 'the same node twice',
    before: async () => cluster({ '10.9.0.0/24': VXLAN }),
    actors: [reconcile, reconcile],
  },
  {
    name: 'a first pod at the same time',
    before: async () => cluster({ '10.9.0.0/24': VXLAN }),
    actors: [reconcile, addRecords(pod('a'))],
  },
  {
    name: 'the end of the last pod at the same time',
    before: async () => afterwards(cluster({ '10.9.0.0/24': VXLAN }), addRecords(pod('a'))),
    actors: [reconcile, delRecords(pod('a'))],
  },
];

describe('a reconciliation of tunnels that is cut', () => {
  it.each(scenarios)('leaves nothing wrong after the next one: $name', async ({ before, actors }) => {
    const initial = await before();
    let tried = 0;
    const check = async (choices: readonly number[], cut?: Parameters<typeof runActors>[3]) => {
      tried += 1;
      const store = createMemoryStore(initial);
      const run = await runActors(store, actors, choices, cut);
      for (const outcome of run.outcomes) {
        if (
          outcome.status === 'rejected' &&
          !(outcome.reason instanceof Killed) &&
          outcome.reason.kind !== 'unavailable'
        )
          throw outcome.reason;
      }
      expect(violations(store.values())).toEqual([]);
      await reconcile(store);
      expect(violations(store.values())).toEqual([]);
      return run;
    };
    await everyOrder(async (choices) => {
      const whole = await check(choices);
      for (const cut of everyCut(whole.trace)) await check(whole.choices, cut);
      return whole.choices;
    });
    expect(tried).toBeGreaterThan(5);
  });
});
