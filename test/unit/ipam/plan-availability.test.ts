import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../../src/base/cidr.ts';
import { planAvailability } from '../../../src/ipam/plan-availability.ts';
import { emptyBlock, filledBlock } from './support/blocks.ts';
import {
  add,
  affinityRecord,
  assignmentRequest,
  blockRecord,
  type Cluster,
  cluster,
  decide,
  del,
  firstFacts,
  NOW_NS,
  node,
  pool,
  put,
} from './support/cluster.ts';

type Changes = Parameters<typeof assignmentRequest>[2];

/** How many reads it takes to know that there is an address; throws when there is none. */
function ask(of: Cluster, changes: Changes = {}): number {
  const request = assignmentRequest('node1', 'net1.', changes);
  const facts = firstFacts(of, 'node1', ['net1.']);
  return 1 + decide(of, facts, (known) => planAvailability(request, known)).looks.length;
}

function reasonOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const ids = (count: number) => Array.from({ length: count }, (_, i) => `net1.c${i}`);
const withPods = (before: Cluster, nodeName: string, count: number) =>
  ids(count).reduce((now, id) => add(now, assignmentRequest(nodeName, `${id}${nodeName}`)).after, before);

const ONE_BLOCK = { pools: [pool('10.9.0.0/30', 30)], nodes: [node('node1'), node('node2')] };
const LATER = NOW_NS + 120_000_000_000n;

describe('planAvailability() finds an address', () => {
  it.each([
    ['in the first block a node would claim', cluster(), 2],
    ['in the node’s own block', withPods(cluster(), 'node1', 1), 2],
    ['in another block when its own is full', withPods(cluster(), 'node1', 4), 2],
    ['in another node’s block', withPods(cluster(ONE_BLOCK), 'node2', 3), 2],
  ])('%s', (_, of, reads) => {
    expect(ask(of)).toBe(reads);
  });

  it('in a hole of a pool whose first blocks are all taken, in four reads', () => {
    const pools = [pool('10.9.0.0/22', 30)];
    const order = Array.from({ length: 255 }, (_, i) => i);
    const full = order.reduce((now, i) => {
      const cidr = `10.9.${i >> 6}.${(i & 63) * 4}/30`;
      return put(now, blockRecord(filledBlock(['x', 'y', 'z', 'w'], emptyBlock(cidr, 'host:node2'))));
    }, cluster({ pools }));
    expect(ask(full)).toBeLessThanOrEqual(4);
  });

  it('in an empty block that could be taken over, without asking whose affinity it is', () => {
    const strict = cluster({ ...ONE_BLOCK, config: { strictAffinity: true } });
    const taken = put(
      strict,
      blockRecord(emptyBlock('10.9.0.0/30', 'host:node2')),
      affinityRecord('node2', '10.9.0.0/30'),
    );
    expect(reasonOf(() => ask(taken))).toContain('No more free affine blocks');
    expect(ask(taken, { nowNs: LATER })).toBe(2);
  });

  it('for pods of some namespace', () => {
    expect(ask(cluster({ pools: [pool('10.9.0.0/28', 30, { namespaceSelector: 'team == "a"' })] }))).toBe(2);
  });
});

describe('planAvailability() finds none', () => {
  it.each<[string, Cluster, Changes, RegExp]>([
    ['without a pool', cluster({ pools: [] }), {}, /cannot find a qualified ippool/],
    ['without one of the family', cluster(), { families: [4, 6] }, /cannot find a qualified ippool/],
    [
      'without one that selects the node',
      cluster({ pools: [pool('10.9.0.0/28', 30, { nodeSelector: 'rack == "2"' })] }),
      {},
      /no configured Calico pools for node node1/,
    ],
    [
      'in pools for tunnels',
      cluster({ pools: [pool('10.9.0.0/28', 30, { allowedUses: ['Tunnel'] })] }),
      {},
      /no pools match the required use/,
    ],
    ['without a Node', cluster({ nodes: [] }), {}, /Node\(node1\)/],
    ['in a pool that is full', withPods(cluster(ONE_BLOCK), 'node2', 4), {}, /No IPs available in pools/],
    [
      'in other nodes’ blocks under strict affinity',
      withPods(cluster({ ...ONE_BLOCK, config: { strictAffinity: true } }), 'node2', 3),
      {},
      /strict affinity enabled/,
    ],
    [
      'beyond the block limit',
      withPods(cluster({ config: { maxBlocksPerHost: 1 } }), 'node1', 4),
      {},
      /per host block limit/,
    ],
    [
      'where all is reserved',
      cluster({ ...ONE_BLOCK, reservations: [parseCidr('10.9.0.0/30')] }),
      {},
      /No IPs available in pools/,
    ],
    [
      'with a selector that cannot be read',
      cluster({ pools: [pool('10.9.0.0/28', 30, { namespaceSelector: 'team ==' })] }),
      {},
      /IP pool "10.9.0.0\/28"/,
    ],
  ])('%s', (_, of, changes, message) => {
    expect(reasonOf(() => ask(of, changes))).toMatch(message);
  });

  it('while all addresses cool down, and one afterwards', () => {
    const cooling = cluster({ ...ONE_BLOCK, config: { cooldownSeconds: 60 } });
    const full = withPods(cooling, 'node1', 4);
    const released = ids(4).reduce((now, id) => del(now, 'node1', [`${id}node1`]).after, full);
    expect(reasonOf(() => ask(released))).toContain('No IPs available');
    expect(ask(released, { nowNs: LATER })).toBe(2);
  });
});

describe('planAvailability()', () => {
  it('agrees with what an ADD gets, after any history, and asks no more often', () => {
    const event = fc.record({ on: fc.constantFrom('node1', 'node2'), id: fc.nat(9), isAdd: fc.boolean() });
    const limits = fc.record({
      strictAffinity: fc.boolean(),
      maxBlocksPerHost: fc.nat(2),
      cooldownSeconds: fc.constantFrom(0, 60),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), limits, (events, config) => {
        const pools = [pool('10.9.0.0/29', 30), pool('fd00::/126', 127)];
        const families = [4, 6] as const;
        let now = cluster({ pools, config });
        for (const { on, id, isAdd } of events) {
          const handleId = `${on}.c${id}`;
          try {
            now = isAdd
              ? add(now, assignmentRequest(on, handleId, { families })).after
              : del(now, on, [handleId]).after;
          } catch {
            // Full.
          }
        }
        const wanted = reasonOf(() => add(now, assignmentRequest('node1', 'net1.new', { families })));
        expect(reasonOf(() => ask(now, { families }))).toBe(wanted);
        if (wanted === undefined) expect(ask(now, { families })).toBeLessThanOrEqual(4);
      }),
    );
  });
});
