import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { afterLook, lookAgainMs, NO_SUSPICION } from '../../../../src/node/garbage/suspicion.ts';

const at = (ms: number) => ({ beganMs: ms, endedMs: ms });

describe('afterLook()', () => {
  it('confirms what was seen twice, a grace period apart', () => {
    const first = afterLook(NO_SUSPICION, ['a'], at(0), 100);
    expect(first.confirmed).toEqual(new Set());
    expect(afterLook(first.suspicion, ['a'], at(99), 100).confirmed).toEqual(new Set());
    expect(afterLook(first.suspicion, ['a'], at(100), 100).confirmed).toEqual(new Set(['a']));
  });

  it('begins anew with what was not seen in between', () => {
    let { suspicion } = afterLook(NO_SUSPICION, ['a', 'b'], at(0), 100);
    ({ suspicion } = afterLook(suspicion, ['b'], at(50), 100));
    expect(afterLook(suspicion, ['a', 'b'], at(100), 100).confirmed).toEqual(new Set(['b']));
  });

  it('counts from the end of the first look to the begin of the last', () => {
    const { suspicion } = afterLook(NO_SUSPICION, ['a'], { beganMs: 0, endedMs: 30 }, 100);
    expect(afterLook(suspicion, ['a'], { beganMs: 120, endedMs: 140 }, 100).confirmed.size).toBe(0);
    expect(afterLook(suspicion, ['a'], { beganMs: 130, endedMs: 140 }, 100).confirmed.size).toBe(1);
  });

  it('confirms nothing that was not garbage at every look of a whole grace period', () => {
    const looks = fc.array(fc.tuple(fc.nat(60), fc.nat(5), fc.subarray(['a', 'b', 'c'])), { maxLength: 20 });
    fc.assert(
      fc.property(looks, fc.integer({ min: 1, max: 100 }), (steps, graceMs) => {
        let suspicion = NO_SUSPICION;
        let nowMs = 0;
        const seen: { ids: readonly string[]; beganMs: number; endedMs: number }[] = [];
        for (const [pauseMs, lengthMs, ids] of steps) {
          const times = { beganMs: nowMs + pauseMs, endedMs: nowMs + pauseMs + lengthMs };
          nowMs = times.endedMs;
          seen.push({ ids, ...times });
          const after = afterLook(suspicion, ids, times, graceMs);
          suspicion = after.suspicion;
          for (const id of ['a', 'b', 'c']) {
            const since = seen.slice(seen.findLastIndex((look) => !look.ids.includes(id)) + 1);
            const first = since[0];
            const isDue = first !== undefined && since.length > 1 && times.beganMs - first.endedMs >= graceMs;
            expect(after.confirmed.has(id)).toBe(isDue);
          }
        }
      }),
    );
  });
});

describe('lookAgainMs()', () => {
  it('looks a few times in a grace period, and every few minutes in a long one', () => {
    expect(lookAgainMs(900_000, 0.5)).toBe(300_000);
    expect([0, 0.999].map((fraction) => Math.round(lookAgainMs(86_400_000, fraction)))).toEqual([
      225_000, 374_850,
    ]);
    expect(lookAgainMs(2_000, 0)).toBe(500);
  });
});
