import { describe, expect, it } from 'vitest';
import { decrementHandle, incrementHandle, sameCounts, withCounts } from '../../../src/ipam/handle.ts';
import type { Handle } from '../../../src/ipam/records.ts';

function handle(counts: Readonly<Record<string, number>>): Handle {
  return { addressCounts: new Map(Object.entries(counts)), unknownFields: { kept: true } };
}

describe('incrementHandle()', () => {
  it('begins a handle that does not exist', () => {
    expect(incrementHandle(undefined, '10.9.0.0/30', 2)).toEqual({
      addressCounts: new Map([['10.9.0.0/30', 2]]),
      unknownFields: {},
    });
  });

  it('adds to a block that is there, and leaves the given handle alone', () => {
    const before = handle({ a: 1, b: 2 });
    expect(incrementHandle(before, 'b', 1)).toEqual(handle({ a: 1, b: 3 }));
    expect(before).toEqual(handle({ a: 1, b: 2 }));
  });
});

describe('decrementHandle()', () => {
  it.each([
    { before: { a: 2 }, after: { a: 1 } },
    { before: { a: 1, b: 1 }, after: { b: 1 } },
  ])('of $before is $after', ({ before, after }) => {
    expect(decrementHandle(handle(before), 'a', 1)).toEqual(handle(after));
  });

  it('is undefined when nothing is left', () => {
    expect(decrementHandle(handle({ a: 1 }), 'a', 1)).toBeUndefined();
  });

  it('refuses to go below zero', () => {
    expect(() => decrementHandle(handle({ a: 1 }), 'b', 1)).toThrow(
      'cannot take 1 addresses of block b from a handle that counts 0',
    );
  });
});

describe('withCounts()', () => {
  it('keeps fields it does not know and drops blocks of count zero', () => {
    expect(
      withCounts(
        handle({ a: 1 }),
        new Map([
          ['b', 1],
          ['c', 0],
        ]),
      ),
    ).toEqual(handle({ b: 1 }));
  });
});

describe('sameCounts()', () => {
  it.each([
    [{ a: 1, b: 2 }, { b: 2, a: 1 }, true],
    [{ a: 1 }, { a: 2 }, false],
    [{ a: 1 }, { a: 1, b: 1 }, false],
    [{ a: 1 }, { b: 1 }, false],
  ])('of %j and %j is %j', (a, b, same) => expect(sameCounts(handle(a), handle(b))).toBe(same));

  it('tells an empty handle from none', () => {
    expect(sameCounts(handle({}), undefined)).toBe(false);
    expect(sameCounts(undefined, undefined)).toBe(true);
  });
});
