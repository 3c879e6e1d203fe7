import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../../../src/base/cidr.ts';
import { formatIpAddress } from '../../../../src/base/ip-address.ts';
import { decodeWorkloadEndpoint } from '../../../../src/datastore/codecs/workload-endpoint.ts';
import {
  COLLECTOR_KEY,
  IPAM_CONFIG_KEY,
  ipamHostKey,
  nodeClaimKey,
  nodeKey,
} from '../../../../src/datastore/keys.ts';
import { settle } from '../../../../src/datastore/settle.ts';
import type { Store } from '../../../../src/datastore/store.ts';
import {
  decideHostEntry,
  decideRemovedNode,
  hostEntryRanges,
  type RemovedNodeInputs,
  type RemovedNodeOutcome,
  removedNodeRanges,
} from '../../../../src/node/garbage/decide-removed-node.ts';
import { endlessDeadline, instantClock } from '../../../support/cut-line.ts';
import { createMemoryStore, type MemoryStore } from '../../../support/memory-store.ts';
import { addRecords, RECORD_TIME_NS } from '../../../support/record-calls.ts';
import { smallCluster } from '../../../support/small-cluster.ts';
import { clusterOf } from '../../ipam/support/calico-cluster.ts';
import { clusterViolations } from '../../ipam/support/invariants.ts';

const HOUR = 3_600_000_000_000n;
const NODE2 = { nodeName: 'node2' };
const INPUTS: RemovedNodeInputs = {
  ...{ nodeName: 'node2', nowNs: RECORD_TIME_NS + HOUR, madeBeforeNs: RECORD_TIME_NS + 1n },
  ...{ endpoints: [], role: [], isDryRun: false },
};

/** node2 has so many containers, and then it and their endpoints are removed. */
async function removed(
  containers: number,
  { blockSize = 26, config = {}, keep = [] as readonly string[], suffix = '' } = {},
): Promise<MemoryStore> {
  const store = createMemoryStore(smallCluster({ '10.9.0.0/24': blockSize }));
  store.put(IPAM_CONFIG_KEY, JSON.stringify({ auto_allocate_blocks: true, ...config }));
  for (let i = 0; i < containers; i++) await addRecords({ containerId: `c${i}${suffix}`, ...NODE2 })(store);
  const values = [...store.values()].filter(
    ([key]) =>
      key !== nodeKey('node2') &&
      (!key.includes('/workloadendpoints/') || keep.some((id) => key.includes(`-${id}-`))),
  );
  return createMemoryStore(new Map(values));
}

const blocksOf = (store: MemoryStore) =>
  [...clusterOf(store.values()).blocks.values()].map(({ value }) => value);
const claimed = (store: MemoryStore) =>
  [...store.values().keys()]
    .filter((key) => key.includes('/host/node2/'))
    .map((key) => key.split('/').at(-1));

async function remove(store: Store, inputs: Partial<RemovedNodeInputs> = {}, block = '10.9.0.0/26') {
  const cidr = parseCidr(block);
  const outcomes: RemovedNodeOutcome[] = [];
  for (;;) {
    const outcome = await settle({
      ...{ store, deadline: endlessDeadline(), clock: instantClock(INPUTS.nowNs), random: () => 0.5 },
      ranges: removedNodeRanges('node2', cidr),
      decide: (view) => decideRemovedNode({ ...INPUTS, ...inputs }, cidr, view),
    });
    outcomes.push(outcome);
    if (!outcome.isDone || !outcome.isUnfinished) return outcomes;
  }
}

const placeOf = (store: MemoryStore) => `10.9.0.${Number(blocksOf(store)[0]?.cidr.base ?? 0n) % 256}/26`;

/** Something else happens after the first read. */
function meanwhile(store: MemoryStore, happen: () => void): Store {
  let isDone = false;
  return {
    ...store,
    commit: (...args) => {
      if (!isDone) happen();
      isDone = true;
      return store.commit(...args);
    },
  };
}

describe('decideRemovedNode()', () => {
  it('removes block, affinity, handles and addresses together', async () => {
    const store = await removed(3);
    const [outcome] = await remove(store, {}, placeOf(store));
    expect(outcome).toMatchObject({ isDone: true, letGo: 'block', kept: 0, isUnfinished: false });
    expect(outcome?.isDone === true && outcome.addresses).toHaveLength(3);
    expect([...store.values().keys()].filter((key) => /\/(?:handle|host|block)\//.test(key))).toEqual([]);
  });

  it('takes as many transactions as a full block needs, and a dry run tells the same of it', async () => {
    const store = await removed(64);
    const before = store.values();
    const [dry, ...none] = await remove(store, { isDryRun: true }, placeOf(store));
    expect(none).toEqual([]);
    expect(store.values()).toEqual(before);
    const outcomes = await remove(store, {}, placeOf(store));
    expect(outcomes).toHaveLength(4);
    const addresses = outcomes.flatMap((one) => (one.isDone ? one.addresses : [])).map(formatIpAddress);
    expect(addresses).toHaveLength(64);
    expect(dry?.isDone && dry.addresses.map(formatIpAddress)).toEqual(addresses);
    expect(dry?.isDone && dry.letGo).toBe('block');
    expect(blocksOf(store)).toEqual([]);
    expect(clusterViolations(clusterOf(store.values()))).toEqual([]);
  });

  it('has room for handles that may be read in many ways', async () => {
    const store = await removed(20, { suffix: '.a.b.c.d.e.f' });
    await remove(store, {}, placeOf(store));
    expect(blocksOf(store)).toEqual([]);
  });

  it('leaves a block to itself that others have borrowed from', async () => {
    const store = createMemoryStore(smallCluster({ '10.9.0.0/30': 30 }));
    for (const call of [
      { containerId: 'a', ...NODE2 },
      { containerId: 'b', nodeName: 'node1' },
    ])
      await addRecords(call)(store);
    const rest = createMemoryStore(
      new Map([...store.values()].filter(([key]) => key !== nodeKey('node2') && !key.includes('-a-'))),
    );
    const [outcome] = await remove(rest, {}, '10.9.0.0/30');
    expect(outcome).toMatchObject({ letGo: 'affinity', kept: 0 });
    const [block] = blocksOf(rest);
    expect(block?.affinity).toBeUndefined();
    expect(block?.attributes.map(({ handleId }) => handleId)).toEqual(['net1.b']);
    expect(claimed(rest)).toEqual([]);
    expect(clusterViolations(clusterOf(rest.values()))).toEqual([]);
  });

  it('keeps the address of an endpoint, and the block with it', async () => {
    const store = await removed(2, { keep: ['c1'] });
    const endpoints = [...store.values()]
      .filter(([key]) => key.includes('/workloadendpoints/'))
      .map(([key, value]) => decodeWorkloadEndpoint(value, key));
    expect(endpoints).toHaveLength(1);
    const [outcome] = await remove(store, { endpoints }, placeOf(store));
    expect(outcome).toMatchObject({ letGo: 'nothing', kept: 1 });
    expect(blocksOf(store)[0]).toMatchObject({ affinity: 'host:node2' });
    expect(blocksOf(store)[0]?.attributes.map(({ handleId }) => handleId)).toEqual(['net1.c1']);
    expect(claimed(store)).toHaveLength(1);
  });

  it('keeps what is younger than a grace period', async () => {
    const store = await removed(1);
    const [outcome] = await remove(store, { madeBeforeNs: RECORD_TIME_NS - 1n }, placeOf(store));
    expect(outcome).toMatchObject({ isDone: true, letGo: 'nothing', kept: 1, addresses: [] });
  });

  it('lets a block cool down before it goes', async () => {
    const store = await removed(1, { config: { ipCooldownSeconds: 600 } });
    const place = placeOf(store);
    expect((await remove(store, {}, place))[0]).toMatchObject({ letGo: 'nothing', kept: 0 });
    expect(claimed(store)).toHaveLength(1);
    const later = { nowNs: INPUTS.nowNs + HOUR };
    expect((await remove(store, later, place))[0]).toMatchObject({ letGo: 'block' });
    expect(blocksOf(store)).toEqual([]);
  });

  it.each([
    ['there is no block', (store: MemoryStore) => store],
    [
      'the block is another’s',
      (store: MemoryStore) =>
        createMemoryStore(
          new Map(
            [...store.values()].map(([key, value]) => [key, value.replace('host:node2', 'host:node1')]),
          ),
        ),
    ],
  ])('removes a claim to nothing: %s', async (what, edit) => {
    const base = what === 'there is no block' ? createMemoryStore(new Map()) : edit(await removed(0));
    base.put('/calico/ipam/v2/host/node2/ipv4/block/10.9.0.64-26', '{"state":"pending","deleted":false}');
    const [outcome] = await remove(base, {}, '10.9.0.64/26');
    expect(outcome).toMatchObject({ isDone: true, letGo: 'affinity' });
    expect(claimed(base)).toEqual([]);
  });

  it.each<[string, (store: MemoryStore) => void, RegExp]>([
    [
      'the node comes back',
      (store) => store.put(nodeKey('node2'), '{"metadata":{"name":"node2"},"spec":{}}'),
      /is there again/,
    ],
    [
      'an agent takes its name',
      (store) => store.put(nodeClaimKey('node2'), '{}'),
      /an agent of node node2 runs/,
    ],
    ['another agent takes over', (store) => store.put(COLLECTOR_KEY, '{}'), /another agent/],
  ])('writes nothing when %s meanwhile', async (_what, happen, why) => {
    const store = await removed(2);
    const before = new Map(store.values());
    const role = [{ key: COLLECTOR_KEY, revision: '0' }];
    const [outcome] = await remove(
      meanwhile(store, () => happen(store)),
      { role },
      placeOf(store),
    );
    expect(outcome).toMatchObject({ isDone: false, why: expect.stringMatching(why) });
    const unchanged = [...store.values()].filter(([key]) => before.has(key));
    expect(new Map(unchanged)).toEqual(before);
  });

  it('keeps an address whose endpoint comes meanwhile', async () => {
    const complete = createMemoryStore(smallCluster({ '10.9.0.0/24': 26 }));
    await addRecords({ containerId: 'c0', ...NODE2 })(complete);
    const [key = '', value = ''] =
      [...complete.values()].find(([one]) => one.includes('/workloadendpoints/')) ?? [];
    const store = createMemoryStore(
      new Map([...complete.values()].filter(([one]) => one !== key && one !== nodeKey('node2'))),
    );
    const [outcome] = await remove(
      meanwhile(store, () => store.put(key, value)),
      {},
      placeOf(store),
    );
    expect(outcome).toMatchObject({ isDone: true, addresses: [], kept: 1 });
  });
});

describe('decideHostEntry()', () => {
  const decide = (store: Store, isDryRun = false) =>
    settle({
      ...{ store, deadline: endlessDeadline(), clock: instantClock(0n), random: () => 0.5 },
      ranges: hostEntryRanges('node2'),
      decide: (view) => decideHostEntry({ nodeName: 'node2', role: [], isDryRun }, view),
    });

  it('removes the entry of a node that is gone, but not in a dry run', async () => {
    const store = createMemoryStore(new Map([[ipamHostKey('node2'), '{}']]));
    expect(await decide(store, true)).toBe(true);
    expect(store.values().size).toBe(1);
    expect(await decide(store)).toBe(true);
    expect(store.values().size).toBe(0);
    expect(await decide(store)).toBe(false);
  });

  it('leaves that of a node that is there', async () => {
    const store = createMemoryStore(
      new Map([
        [ipamHostKey('node2'), '{}'],
        [nodeKey('node2'), '{}'],
      ]),
    );
    expect(await decide(store)).toBe(false);
    expect(store.values().size).toBe(2);
  });
});
