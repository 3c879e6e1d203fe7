/** Any history of a node's containers, with looks in between: what lives keeps what it has, and what is gone goes. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBlock, encodeBlock } from '../../../../src/datastore/codecs/block.ts';
import { createContainerCollector } from '../../../../src/node/garbage/collect-containers.ts';
import { endlessDeadline } from '../../../support/cut-line.ts';
import { datastoreViolations } from '../../../support/datastore-violations.ts';
import { createMemoryStore } from '../../../support/memory-store.ts';
import { createHostModel, heardState, listingReport, modelClock } from '../../../support/node-model.ts';
import { addRecords, delRecords, NETWORK_NAME } from '../../../support/record-calls.ts';
import { smallCluster } from '../../../support/small-cluster.ts';

/** Longer than any ADD of the model. */
const GRACE_MS = 90_000;
const LONGEST_ADD_MS = 60_000;
const NAMES = ['a', 'b', 'c', 'd', 'e'];

function createNode({
  mode = 'on' as 'on' | 'dry-run',
  pools = { '10.9.0.0/28': 30 } as Readonly<Record<string, number>>,
} = {}) {
  const store = createMemoryStore(smallCluster(pools));
  const clock = modelClock();
  const host = createHostModel();
  const settings = { mode, graceMs: GRACE_MS, cniCache: undefined };
  /** Running or being made, with their addresses. */
  const live = new Map<string, readonly string[]>();
  const making = new Map<string, number>();
  const lost = new Map<string, { readonly sinceMs: number; readonly addresses: readonly string[] }>();
  let report = listingReport();
  const begin = () => {
    report = listingReport();
    return createContainerCollector('cali', settings, {
      ...{ store, clock, report, random: () => 0.5 },
      host: host.view,
    });
  };
  let collector = begin();
  const isLost = (id: string) => {
    lost.set(id, { sinceMs: clock.monotonicMs(), addresses: live.get(id) ?? [] });
    live.delete(id);
  };
  const call = (containerId: string, nodeName = 'node1') => ({ nodeName, containerId, nowNs: clock.nowNs() });

  return {
    store,
    clock,
    host,
    live,
    report: () => report,
    /** The records are written: the interface is not made yet. */
    beginAdd: async (id: string) => {
      if (live.has(id) || lost.has(id)) return;
      live.set(id, await addRecords(call(id))(store));
      making.set(id, clock.monotonicMs());
    },
    endAdd: (id: string) => {
      if (!making.delete(id)) return;
      host.interfaces.add(`cali${id}`);
      host.sandboxes.set(id, 'alive');
    },
    /** As a kill of the ADD leaves it, without a DEL. */
    killAdd: (id: string) => {
      if (!making.delete(id)) return;
      isLost(id);
    },
    del: async (id: string) => {
      if (making.has(id)) return;
      host.interfaces.delete(`cali${id}`);
      host.sandboxes.delete(id);
      await delRecords(call(id))(store);
      live.delete(id);
      lost.delete(id);
    },
    /** The sandbox goes without a DEL. */
    lose: (id: string, memory: 'gone' | 'unknown') => {
      if (!live.has(id) || making.has(id)) return;
      host.interfaces.delete(`cali${id}`);
      host.sandboxes.set(id, memory);
      isLost(id);
    },
    /** No ADD takes longer. */
    pass: (ms: number) => {
      clock.pass(ms);
      for (const [id, beganMs] of making) {
        if (clock.monotonicMs() - beganMs < LONGEST_ADD_MS) continue;
        making.delete(id);
        host.interfaces.add(`cali${id}`);
        host.sandboxes.set(id, 'alive');
      }
    },
    restartAgent: () => {
      collector = begin();
    },
    look: () => collector.look(heardState('node1', store.values()), endlessDeadline()),
    lost,
    violations: () => {
      const all = new Map([...live, ...[...lost].map(([id, { addresses }]) => [id, addresses] as const)]);
      return datastoreViolations(store.values(), { network: NETWORK_NAME, live: all });
    },
  };
}

type Node = ReturnType<typeof createNode>;

const name = fc.constantFrom(...NAMES);
type Step = (node: Node) => unknown;
const often = (weight: number, arbitrary: fc.Arbitrary<Step>) => ({ weight, arbitrary });
const step: fc.Arbitrary<Step> = fc.oneof(
  often(
    3,
    name.map((id) => async (node) => {
      await node.beginAdd(id);
      node.endAdd(id);
    }),
  ),
  often(
    3,
    name.map((id) => (node) => node.beginAdd(id)),
  ),
  often(
    1,
    name.map((id) => (node) => node.endAdd(id)),
  ),
  often(
    2,
    name.map((id) => (node) => node.killAdd(id)),
  ),
  often(
    2,
    name.map((id) => (node) => node.del(id)),
  ),
  often(
    3,
    fc.tuple(name, fc.constantFrom('gone' as const, 'unknown' as const)).map(
      ([id, memory]) =>
        (node) =>
          node.lose(id, memory),
    ),
  ),
  often(
    2,
    fc.constantFrom(1_000, 20_000, 45_000).map((ms) => (node) => node.pass(ms)),
  ),
  often(
    1,
    fc.constantFrom(-3_600_000, 3_600_000).map((ms) => (node) => node.clock.setWall(ms)),
  ),
  often(
    1,
    fc.constant((node) => node.restartAgent()),
  ),
  often(
    3,
    fc.constant((node) => node.look()),
  ),
  // As an agent does that nobody disturbs.
  often(
    8,
    fc.integer({ min: 2, max: 12 }).map((looks) => async (node) => {
      for (let i = 0; i < looks; i++) {
        node.pass(30_000);
        await node.look();
      }
    }),
  ),
);

describe('createContainerCollector()', () => {
  it('never takes anything from a container that lives or is being made', async () => {
    let collected = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 15, maxLength: 40 }), async (steps) => {
        const node = createNode();
        for (const one of steps) {
          const lostBefore = new Map(node.lost);
          await one(node);
          const gone = node.report().collected.splice(0);
          for (const { fields } of gone) {
            const { container } = fields as { readonly container: string };
            const { sinceMs } = lostBefore.get(container) ?? {};
            expect(sinceMs, `${container} lives`).toBeDefined();
            expect(node.clock.monotonicMs() - (sinceMs ?? 0)).toBeGreaterThanOrEqual(GRACE_MS);
            node.lost.delete(container);
            collected += 1;
          }
          // Until it is collected, what is lost has what it had.
          expect(node.violations()).toEqual([]);
        }
      }),
      { numRuns: 200 },
    );
    expect(collected).toBeGreaterThan(10);
  });

  it('collects all that is lost, once a grace period is over without clocks that are set', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        const node = createNode();
        for (const one of steps) await one(node);
        // Whatever the clock was set to, this is later than all that was written.
        node.clock.setWall(100 * 3_600_000);
        node.pass(LONGEST_ADD_MS);
        await node.look();
        node.pass(GRACE_MS);
        await node.look();
        expect(datastoreViolations(node.store.values(), { network: NETWORK_NAME, live: node.live })).toEqual(
          [],
        );
      }),
      { numRuns: 60 },
    );
  });

  it('writes nothing in a dry run, and tells the same', async () => {
    const node = createNode({ mode: 'dry-run' });
    for (const id of ['a', 'b']) {
      await node.beginAdd(id);
      node.endAdd(id);
    }
    node.lose('a', 'gone');
    node.pass(GRACE_MS);
    await node.look();
    const before = node.store.values();
    node.pass(GRACE_MS);
    await node.look();
    expect(node.store.values()).toEqual(before);
    expect(node.report().collected).toMatchObject([
      { what: 'container', fields: { container: 'a', addresses: expect.stringMatching(/^10\.9\.0\.\d+$/) } },
    ]);
  });

  it('asks the datastore once where every address is on the host, or a tunnel has it', async () => {
    const node = createNode();
    for (const id of NAMES.slice(0, 3)) {
      await node.beginAdd(id);
      node.endAdd(id);
    }
    await node.beginAdd('d');
    const handleId = 'vxlan-tunnel-addr-node1';
    const tunnel = { handleId, activeOwner: { node: 'node1', type: 'vxlanTunnelAddress' } };
    for (const [key, value] of node.store.values()) {
      if (!key.includes('/assignment/')) continue;
      const block = decodeBlock(value, key);
      const attributes = block.attributes.map((one) =>
        one.handleId === `${NETWORK_NAME}.d` ? { ...one, ...tunnel } : one,
      );
      node.store.put(key, encodeBlock({ ...block, attributes }));
    }
    const before = node.store.requests();
    await node.look();
    expect(node.store.requests() - before).toBe(1);
  });

  it('leaves all alone while another process has the turn of the node', async () => {
    const node = createNode();
    await node.beginAdd('a');
    node.killAdd('a');
    const lock = node.host.view.lock;
    Object.assign(node.host.view, { lock: async () => ({ isHeld: false, reason: 'it is held' }) });
    node.pass(GRACE_MS);
    await node.look();
    node.pass(GRACE_MS);
    await node.look();
    expect(node.report().left).toEqual([{ what: 'containers', fields: { why: 'it is held' } }]);
    Object.assign(node.host.view, { lock });
    await node.look();
    expect(node.report().collected).toHaveLength(1);
  });

  it('looks once more when it is its turn: what is wired meanwhile stays', async () => {
    const node = createNode();
    await node.beginAdd('a');
    node.killAdd('a');
    node.pass(GRACE_MS);
    await node.look();
    node.pass(GRACE_MS);
    const { lock } = node.host.view;
    Object.assign(node.host.view, {
      lock: (deadline: Parameters<typeof lock>[0]) => {
        node.host.interfaces.add('calia');
        return lock(deadline);
      },
    });
    await node.look();
    expect(node.report().collected).toEqual([]);
  });

  it('collects a container with more addresses than a transaction has room for', async () => {
    const node = createNode({ pools: { '10.9.0.0/24': 24 } });
    // It may be read in as many ways as it has dots.
    await node.beginAdd('a.b.c.d');
    node.killAdd('a.b.c.d');
    for (const [key, value] of node.store.values()) {
      if (key.includes('/handle/')) node.store.put(key, value.replace(':1', ':100'));
      if (!key.includes('/assignment/')) continue;
      const block = decodeBlock(value, key);
      const allocations = block.allocations.map((_, ordinal) => (ordinal < 100 ? 0 : null));
      node.store.put(
        key,
        encodeBlock({
          ...{ ...block, allocations, unallocated: Array.from({ length: 156 }, (_, i) => i + 100) },
          sequenceNumberForAllocation: new Map(
            allocations.flatMap((index, i) => (index === 0 ? [[i, 0n]] : [])),
          ),
        }),
      );
    }
    node.pass(GRACE_MS);
    await node.look();
    node.pass(GRACE_MS);
    await node.look();
    expect(node.report().collected).toHaveLength(4);
    expect(
      [...node.store.values().keys()].filter((key) => /\/(?:handle|workloadendpoints)\//.test(key)),
    ).toEqual([]);
  });

  it('waits for a plugin that is called for the container', async () => {
    const node = createNode();
    await node.beginAdd('a');
    node.killAdd('a');
    node.host.calls.add('a');
    for (let i = 0; i < 3; i++) {
      node.pass(GRACE_MS);
      await node.look();
    }
    expect(node.report().collected).toEqual([]);
    node.host.calls.clear();
    await node.look();
    expect(node.report().collected).toHaveLength(1);
  });

  it('collects nothing while an endpoint of the node cannot be read', async () => {
    const node = createNode();
    await node.beginAdd('a');
    node.killAdd('a');
    node.store.put('/calico/resources/v3/projectcalico.org/workloadendpoints/default/node1-cni-x-eth0', '{');
    await expect(node.look()).rejects.toThrow(/node1-cni-x-eth0/);
  });
});
