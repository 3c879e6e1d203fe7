import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noticePauseMs, recentRepairs, tickMs } from '../../../../src/node/kernel/round-times.ts';

const AT_REST = { endedMs: 0, elapsedMs: 0 };

describe('noticePauseMs()', () => {
  it('waits for what belongs together', () => {
    expect(noticePauseMs(50_000, AT_REST, [])).toBe(5);
  });

  it('leaves four fifths of the time to others, but never waits for more than a second', () => {
    expect(noticePauseMs(1_000, { endedMs: 1_000, elapsedMs: 50 }, [])).toBe(200);
    expect(noticePauseMs(1_150, { endedMs: 1_000, elapsedMs: 50 }, [])).toBe(50);
    expect(noticePauseMs(1_000, { endedMs: 1_000, elapsedMs: 5_000 }, [])).toBe(1_000);
  });

  it('answers who undoes repairs again and again once a second, until he has stopped for a while', () => {
    const repairs = Array.from({ length: 20 }, (_, n) => 1_000 + n);
    expect(noticePauseMs(2_000, AT_REST, repairs)).toBe(1_000);
    expect(noticePauseMs(2_000, AT_REST, repairs.slice(1))).toBe(5);
    expect(noticePauseMs(11_010, AT_REST, recentRepairs(repairs, 11_010))).toBe(5);
  });
});

describe('tickMs()', () => {
  it('is between 60 and 90 seconds', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (fraction) => {
        expect(tickMs(fraction)).toBeGreaterThanOrEqual(60_000);
        expect(tickMs(fraction)).toBeLessThanOrEqual(90_000);
      }),
    );
  });
});
