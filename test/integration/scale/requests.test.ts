/** How many requests each operation makes, and that it does not grow with what the cluster holds. */

import { describe, expect, it } from 'vitest';
import { parseIpAddress } from '../../../src/base/ip-address.ts';
import { createMemoryStore, type MemoryStore } from '../../support/memory-store.ts';
import { addRecords, delRecords, RECORD_TIME_NS, type RecordCall } from '../../support/record-calls.ts';
import { smallCluster } from '../../support/small-cluster.ts';

async function requestsOf(
  store: MemoryStore,
  work: (store: MemoryStore) => Promise<unknown>,
): Promise<number> {
  const before = store.requests();
  await work(store);
  return store.requests() - before;
}

const on = (containerId: string, more: Partial<RecordCall> = {}): RecordCall => ({
  nodeName: 'node1',
  containerId,
  ...more,
});
const longAgo = { nodeName: 'node2', nowNs: RECORD_TIME_NS - 3_600_000_000_000n };
const both = { families: [4, 6] as const };

async function storeWith(
  pools: Readonly<Record<string, number>>,
  ...before: readonly RecordCall[]
): Promise<MemoryStore> {
  const store = createMemoryStore(smallCluster(pools));
  for (const call of before) await addRecords(call)(store);
  return store;
}

describe('requests', () => {
  it.each([
    ['ADD from an affine block', { '10.9.0.0/28': 30 }, [on('a')], on('b'), 3],
    ['ADD that claims the first block', { '10.9.0.0/28': 30 }, [], on('b'), 3],
    [
      'ADD that claims a second block',
      { '10.9.0.0/28': 30 },
      ['a', 'b', 'c', 'd'].map((id) => on(id)),
      on('e'),
      4,
    ],
    ['ADD of both families, new blocks', { '10.9.0.0/28': 30, 'fd00:9::/120': 124 }, [], on('b', both), 3],
    [
      'ADD of both families, existing blocks',
      { '10.9.0.0/28': 30, 'fd00:9::/120': 124 },
      [on('a', both)],
      on('b', both),
      3,
    ],
    [
      'ADD of a requested address',
      { '10.9.0.0/28': 30 },
      [],
      on('b', { requestedAddresses: [parseIpAddress('10.9.0.5')] }),
      3,
    ],
    [
      'ADD that takes an address over from the pod’s old sandbox',
      { '10.9.0.0/28': 30 },
      [on('a', { podName: 'web-1', requestedAddresses: [parseIpAddress('10.9.0.5')] })],
      on('b', { podName: 'web-1', requestedAddresses: [parseIpAddress('10.9.0.5')] }),
      3,
    ],
    ['ADD that borrows', { '10.9.0.0/30': 30 }, [on('a', { nodeName: 'node2' })], on('b'), 3],
    ['repeated ADD', { '10.9.0.0/28': 30 }, [on('b')], on('b'), 2],
  ])('%s', async (_name, pools, before, call, expected) => {
    const store = await storeWith(pools as Readonly<Record<string, number>>, ...before);
    expect(await requestsOf(store, addRecords(call))).toBe(expected);
  });

  it('ADD that reclaims an empty block of another node: one to see its affinity more', async () => {
    const store = await storeWith({ '10.9.0.0/30': 30 }, on('gone', longAgo));
    await delRecords(on('gone', longAgo))(store);
    expect(await requestsOf(store, addRecords(on('b')))).toBe(4);
  });

  it('DEL three, DEL of the unknown two, also with both families', async () => {
    const store = await storeWith({ '10.9.0.0/28': 30, 'fd00:9::/120': 124 }, on('a', both), on('b'));
    expect(await requestsOf(store, delRecords(on('a')))).toBe(3);
    expect(await requestsOf(store, delRecords(on('b')))).toBe(3);
    expect(await requestsOf(store, delRecords(on('nobody')))).toBe(2);
  });

  it('one conflict costs one request', async () => {
    const store = await storeWith({ '10.9.0.0/28': 30 }, on('a'));
    let disturbed = false;
    const racing: MemoryStore = {
      ...store,
      commit: async (...args) => {
        if (!disturbed) {
          disturbed = true;
          await addRecords(on('faster'))(store);
        }
        return store.commit(...args);
      },
    };
    const ofFaster = 3;
    expect((await requestsOf(racing, addRecords(on('b')))) - ofFaster).toBe(4);
  });

  it('do not grow with the pods of the node', async () => {
    const store = await storeWith(
      { '10.0.0.0/16': 26 },
      ...Array.from({ length: 300 }, (_unused, i) => on(`pod${i}`)),
    );
    expect(await requestsOf(store, addRecords(on('next')))).toBe(3);
    expect(await requestsOf(store, delRecords(on('pod7')))).toBe(3);
  });
});

describe('a /8 pool that is nearly full, cut into 4096 blocks of 1000 nodes', () => {
  it('is searched with four requests and little work', async () => {
    const store = createMemoryStore(smallCluster({ '10.0.0.0/8': 20 }));
    const hole = 3_000;
    for (let index = 0; index < 4096; index++) if (index !== hole) putFullBlock(store, index);
    const startedMs = process.cpuUsage();
    const requests = await requestsOf(store, addRecords(on('b')));
    const { user, system } = process.cpuUsage(startedMs);
    expect(requests).toBe(4);
    // biome-ignore lint/suspicious/noConsole: the figure is part of the result
    console.log(`nearly full /8: ${requests} requests, ${Math.round((user + system) / 1000)} ms of CPU`);
  });
});

function putFullBlock(store: MemoryStore, index: number): void {
  const base = `10.${index >> 4}.${(index & 15) << 4}.0`;
  const block = {
    cidr: `${base}/20`,
    affinity: `host:other${index % 1000}`,
    allocations: Array.from({ length: 4096 }, () => 0),
    unallocated: [],
    attributes: [{ handle_id: `net.${index}`, secondary: { node: `other${index % 1000}` } }],
    sequenceNumber: 4096,
    sequenceNumberForAllocation: {},
    deleted: false,
  };
  store.put(`/calico/ipam/v2/assignment/ipv4/block/${base}-20`, JSON.stringify(block));
  store.put(
    `/calico/ipam/v2/host/other${index % 1000}/ipv4/block/${base}-20`,
    '{"state":"confirmed","deleted":false}',
  );
}

describe('a node with more blocks than one request can read', () => {
  it('still gets its address, and gives it back', async () => {
    const store = createMemoryStore(
      new Map([
        ...smallCluster({ '10.0.0.0/16': 32 }),
        [
          '/calico/ipam/v2/config',
          '{"strict_affinity":true,"auto_allocate_blocks":true,"maxBlocksPerHost":500}',
        ],
      ]),
    );
    const pods = Array.from({ length: 200 }, (_unused, i) => on(`pod${i}`));
    for (const pod of pods) await addRecords(pod)(store);
    expect([...store.values().keys()].filter((key) => key.includes('/host/node1/'))).toHaveLength(200);
    for (const pod of pods) await delRecords(pod)(store);
    expect([...store.values().keys()].filter((key) => key.includes('/handle/'))).toEqual([]);
    expect(await delRecords(on('nobody'))(store)).toEqual([]);
  });
});
