import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inOrder } from '../../../../src/datastore/etcd/discover-endpoints.ts';

const record = (name: string, priority: number, weight: number) => ({ name, priority, weight, port: 2379 });

describe('inOrder()', () => {
  it('asks lower priorities first, whatever chance says', () => {
    const records = fc.array(
      fc.record({ name: fc.string(), priority: fc.nat(3), weight: fc.nat(100), port: fc.nat(65535) }),
      { maxLength: 10 },
    );
    fc.assert(
      fc.property(
        records,
        fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true })),
        (given, chances) => {
          const random = () => chances.next().value ?? 0;
          const ordered = inOrder(given, random);
          expect(ordered).toHaveLength(given.length);
          expect(new Set(ordered)).toEqual(new Set(given));
          const priorities = ordered.map(({ priority }) => priority);
          expect(priorities).toEqual(priorities.toSorted((a, b) => a - b));
        },
      ),
    );
  });

  it('puts a record first in proportion to its weight, and sometimes one of weight 0', () => {
    const records = [record('heavy', 1, 30), record('light', 1, 10), record('last', 1, 0)];
    let state = 1;
    const random = () => {
      state = (state * 48_271) % 2_147_483_647;
      return state / 2_147_483_647;
    };
    const firsts = Array.from({ length: 4_000 }, () => inOrder(records, random)[0]?.name);
    const share = (name: string) => firsts.filter((first) => first === name).length / firsts.length;
    expect(share('heavy')).toBeCloseTo(30 / 40.5, 1);
    expect(share('light')).toBeCloseTo(10 / 40.5, 1);
    expect(share('last')).toBeGreaterThan(0);
  });
});
