import { describe, expect, it } from 'vitest';
import { mean, percentile } from '../../../bench/statistics.ts';

describe('percentile()', () => {
  it.each([
    [[5], 0.5, 5],
    [[3, 1, 2], 0.5, 2],
    [[4, 3, 2, 1], 0.5, 2],
    [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.95, 10],
    [[1, 2, 3], 0, 1],
    [[1, 2, 3], 1, 3],
  ])('of %j at %d is %d', (samples, share, expected) => {
    expect(percentile(samples, share)).toBe(expected);
  });

  it('of nothing is no number', () => {
    expect(percentile([], 0.5)).toBeNaN();
  });
});

describe('mean()', () => {
  it('is the sum divided by the count', () => {
    expect(mean([1, 2, 6])).toBe(3);
  });
});
