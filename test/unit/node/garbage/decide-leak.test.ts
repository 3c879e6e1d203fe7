import { describe, expect, it } from 'vitest';
import { sha1Hex } from '../../../../src/base/sha1.ts';
import { decodeBlock } from '../../../../src/datastore/codecs/block.ts';
import { decodeWorkloadEndpoint } from '../../../../src/datastore/codecs/workload-endpoint.ts';
import { settle } from '../../../../src/datastore/settle.ts';
import type { Store } from '../../../../src/datastore/store.ts';
import type { Leak } from '../../../../src/garbage/leak.ts';
import { allocationsOf } from '../../../../src/ipam/plan-collection.ts';
import { decideLeak, leakRanges } from '../../../../src/node/garbage/decide-leak.ts';
import { judgeContainers } from '../../../../src/node/garbage/judge-containers.ts';
import { endlessDeadline, instantClock } from '../../../support/cut-line.ts';
import { createMemoryStore, type MemoryStore } from '../../../support/memory-store.ts';
import { addRecords, delRecords, RECORD_TIME_NS, type RecordCall } from '../../../support/record-calls.ts';
import { smallCluster } from '../../../support/small-cluster.ts';

const A: RecordCall = { containerId: 'a', nodeName: 'node1', families: [4, 6] };
const ENDPOINT = /\/workloadendpoints\//;

async function leaked(call: RecordCall = A): Promise<MemoryStore> {
  const store = createMemoryStore(smallCluster({ '10.9.0.0/28': 30, 'fd00:9::/120': 124 }));
  await addRecords(call)(store);
  return store;
}

function leakIn(store: MemoryStore): Leak {
  const entries = [...store.values()];
  const read = <T>(part: RegExp, decode: (value: string, key: string) => T) =>
    entries.filter(([key]) => part.test(key)).map(([key, value]) => decode(value, key));
  const facts = {
    allocations: read(/\/assignment\//, decodeBlock).flatMap(allocationsOf),
    endpoints: read(ENDPOINT, decodeWorkloadEndpoint),
    ...{ interfaces: new Set<string>(), routed: new Set<string>() },
    sandboxOf: () => 'gone' as const,
  };
  const scope = { naming: { nodeName: 'node1', sha1Hex, prefix: 'cali' }, madeBeforeNs: RECORD_TIME_NS };
  const [leak] = judgeContainers(scope, facts).leaks;
  if (leak === undefined) throw new Error('nothing is leaked');
  return leak;
}

function collect(store: Store, leak: Leak, isDryRun = false) {
  const inputs = { leak, nodeName: 'node1', nowNs: RECORD_TIME_NS, isDryRun };
  return settle({
    ...{ store, deadline: endlessDeadline(), clock: instantClock(RECORD_TIME_NS), random: () => 0.5 },
    ranges: leakRanges(inputs),
    decide: (view) => decideLeak(inputs, view),
  });
}

/** Something else happens between the decision and the commit. */
function meanwhile(store: MemoryStore, happen: () => unknown): Store {
  let isDone = false;
  return {
    ...store,
    commit: async (...args) => {
      if (!isDone) await happen();
      isDone = true;
      return store.commit(...args);
    },
  };
}

const withoutEndpoint = (store: MemoryStore) =>
  createMemoryStore(new Map([...store.values()].filter(([key]) => !ENDPOINT.test(key))));

describe('decideLeak()', () => {
  it('releases the addresses of both families, the handle and the endpoint in one transaction', async () => {
    const store = await leaked();
    const before = store.requests();
    expect(await collect(store, leakIn(store))).toMatchObject({
      isDone: true,
      released: [{}, {}],
      endpoints: [{}],
    });
    expect(
      [...store.values().keys()].filter((key) => ENDPOINT.test(key) || key.includes('/handle/')),
    ).toEqual([]);
    expect(store.requests() - before).toBe(3);
  });

  it('decides the same in a dry run, and writes nothing', async () => {
    const store = await leaked();
    const before = store.values();
    expect(await collect(store, leakIn(store), true)).toMatchObject({ isDone: true, released: [{}, {}] });
    expect(store.values()).toEqual(before);
  });

  it.each<[string, (store: MemoryStore, leak: Leak) => unknown]>([
    [
      'the endpoint is made for another container',
      (store) => {
        const [key = '', value = ''] = [...store.values()].find(([one]) => ENDPOINT.test(one)) ?? [];
        store.put(key, value.replace('"containerID":"a"', '"containerID":"b"'));
      },
    ],
    [
      'one address is taken by another container',
      async (store) => {
        await delRecords(A)(store);
        for (let i = 0; i < 4; i++) await addRecords({ ...A, containerId: `n${i}` })(store);
      },
    ],
    [
      'the container is made again',
      async (store) => {
        await delRecords(A)(store);
        await addRecords({ ...A, nowNs: RECORD_TIME_NS + 1n })(store);
      },
    ],
  ])('leaves all as it is when %s meanwhile', async (_what, happen) => {
    const store = await leaked();
    const leak = leakIn(store);
    let then: ReadonlyMap<string, string> = new Map();
    const racing = meanwhile(store, async () => {
      await happen(store, leak);
      then = store.values();
    });
    expect(await collect(racing, leak)).toMatchObject({ isDone: false });
    expect(store.values()).toEqual(then);
  });

  it.each([
    ['of the container', A],
    ['of its pod', { ...A, podName: 'web' }],
  ])('leaves an address alone when an endpoint %s comes meanwhile', async (_what, call) => {
    const complete = await leaked(call);
    const store = withoutEndpoint(complete);
    const [key = '', value = ''] = [...complete.values()].find(([one]) => ENDPOINT.test(one)) ?? [];
    const racing = meanwhile(store, () => store.put(key, value));
    expect(await collect(racing, leakIn(store))).toMatchObject({ isDone: false });
    expect([...store.values().keys()].some((one) => one.includes('/handle/'))).toBe(true);
  });

  it('has nothing to do after a DEL', async () => {
    const store = await leaked();
    const leak = leakIn(store);
    await delRecords(A)(store);
    const before = store.values();
    await collect(store, leak);
    expect(store.values()).toEqual(before);
  });
});
