/** What holds of a block after any history of operations. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../../../src/base/cidr.ts';
import { formatIpAddress } from '../../../../src/base/ip-address.ts';
import { type AllocationBlock, addressOf } from '../../../../src/ipam/allocation-block.ts';
import { assignAddress } from '../../../../src/ipam/block/assign.ts';
import { attributeOf } from '../../../../src/ipam/block/attribute.ts';
import { autoAssign } from '../../../../src/ipam/block/auto-assign.ts';
import { collectGarbage } from '../../../../src/ipam/block/collect.ts';
import { nextVersion } from '../../../../src/ipam/block/next-version.ts';
import { releaseByHandle, releaseOrdinals } from '../../../../src/ipam/block/release.ts';
import { freeCount } from '../../../../src/ipam/block/usage.ts';
import { emptyBlock } from '../support/blocks.ts';
import { NOW_NS } from '../support/cluster.ts';
import { blockViolations } from '../support/invariants.ts';

const RESERVED = [parseCidr('10.9.0.6/31')];
const OPERATION = fc.record({
  kind: fc.constantFrom('auto', 'assign', 'release', 'release ordinal', 'collect', 'wait'),
  handle: fc.constantFrom('a', 'b', 'c', 'd'),
  number: fc.nat(7),
});
type Operation = typeof OPERATION extends fc.Arbitrary<infer T> ? T : never;

interface State {
  readonly block: AllocationBlock;
  readonly nowNs: bigint;
}

function apply({ block, nowNs }: State, { kind, handle, number }: Operation, cooldown: number): State {
  const loaded = collectGarbage(block, nowNs, cooldown);
  const owner = { handleId: handle, owner: { node: 'node1', timestamp: String(nowNs) } };
  switch (kind) {
    case 'auto':
      return store(autoAssign(loaded, { ...owner, count: 1 + (number % 3), reservations: RESERVED }).block);
    case 'assign': {
      const isFree = attributeOf(loaded, number) === undefined;
      return store(isFree ? assignAddress(loaded, addressOf(loaded, number), owner) : block);
    }
    case 'release':
      return store(releaseByHandle(loaded, handle, nowNs, cooldown).block);
    case 'release ordinal':
      return store(releaseOrdinals(loaded, [{ ordinal: number }], nowNs, cooldown).block);
    case 'collect':
      return store(loaded);
    case 'wait':
      return { block, nowNs: nowNs + BigInt(number) * 3_000_000_000n };
  }

  function store(after: AllocationBlock): State {
    return { block: after === block ? block : nextVersion(after), nowNs: nowNs + 1n };
  }
}

const HISTORY = fc.array(OPERATION, { maxLength: 60, size: 'max' });
const START: State = { block: emptyBlock(), nowNs: NOW_NS };

function replay(history: readonly Operation[], cooldown: number): State {
  return history.reduce((state, operation) => apply(state, operation, cooldown), START);
}

describe.each([0, 10])('a block after any history, with a cooldown of %d', (cooldown) => {
  it('is sound', () => {
    fc.assert(
      fc.property(HISTORY, (history) => blockViolations(replay(history, cooldown).block).length === 0),
    );
  });

  it('counts up with every stored change, and only then', () => {
    fc.assert(
      fc.property(HISTORY, OPERATION, (history, operation) => {
        const before = replay(history, cooldown);
        const { block } = apply(before, operation, cooldown);
        const step = block === before.block ? 0n : 1n;
        expect(block.sequenceNumber).toBe(before.block.sequenceNumber + step);
      }),
    );
  });

  it('gives min(asked, free) different addresses with one attribute, none of them reserved', () => {
    fc.assert(
      fc.property(HISTORY, fc.integer({ min: 1, max: 9 }), (history, count) => {
        const { block } = replay(history, cooldown);
        const free = freeCount(block, RESERVED);
        const taken = autoAssign(block, { count, handleId: 'new', owner: {}, reservations: RESERVED });
        const texts = taken.addresses.map(formatIpAddress);
        expect(new Set(texts).size).toBe(Math.min(count, free));
        expect(texts).not.toContain('10.9.0.6');
        expect(texts).not.toContain('10.9.0.7');
        expect(freeCount(taken.block, RESERVED)).toBe(free - texts.length);
        expect(taken.block.attributes.length - block.attributes.length).toBe(Math.min(1, texts.length));
      }),
    );
  });

  it('is collected once and for all, and everybody keeps what is theirs', () => {
    fc.assert(
      fc.property(HISTORY, (history) => {
        const { block, nowNs } = replay(history, cooldown);
        const collected = collectGarbage(block, nowNs + 5_000_000_000n, cooldown);
        expect(collectGarbage(collected, nowNs + 5_000_000_000n, cooldown)).toBe(collected);
        for (const ordinal of block.allocations.keys()) {
          const holder = attributeOf(block, ordinal);
          if (holder?.releasedAt === undefined) expect(attributeOf(collected, ordinal)).toBe(holder);
        }
      }),
    );
  });

  it('releases a handle once: the second time changes nothing', () => {
    fc.assert(
      fc.property(HISTORY, fc.constantFrom('a', 'b'), (history, handle) => {
        const { block, nowNs } = replay(history, cooldown);
        const once = releaseByHandle(block, handle, nowNs, cooldown).block;
        expect(releaseByHandle(once, handle, nowNs, cooldown)).toEqual({ block: once, released: [] });
      }),
    );
  });
});

describe('a block without cooldown', () => {
  it('never stores a time of release', () => {
    fc.assert(
      fc.property(HISTORY, (history) =>
        replay(history, 0).block.attributes.every(({ releasedAt }) => releasedAt === undefined),
      ),
    );
  });
});
