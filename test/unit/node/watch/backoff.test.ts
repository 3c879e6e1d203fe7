import fc from 'fast-check';
import { expect, it } from 'vitest';
import { backoffMs } from '../../../../src/node/watch/backoff.ts';

it.each([
  [0, 0, 50],
  [0, 0.5, 75],
  [1, 0, 100],
  [3, 0, 400],
  [6, 0, 2_500],
  [60, 0, 2_500],
])('backoffMs() after %i failures, with chance %d, is %i ms', (failures, fraction, ms) => {
  expect(backoffMs(failures, fraction)).toBe(ms);
});

it('backoffMs() is never longer than five seconds, nor shorter than a twentieth of one', () => {
  fc.assert(
    fc.property(fc.nat(), fc.double({ min: 0, max: 0.999, noNaN: true }), (failures, fraction) => {
      const ms = backoffMs(failures, fraction);
      expect(ms).toBeGreaterThanOrEqual(50);
      expect(ms).toBeLessThanOrEqual(5_000);
    }),
  );
});
