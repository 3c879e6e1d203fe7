import { describe, expect, it } from 'vitest';
import { formatGoTime, formatRfc3339, parseGoTime, parseRfc3339 } from '../../../src/base/time.ts';

describe('times', () => {
  it.each([
    [1795258452643565758n, '2026-11-21 10:54:12.643565758 +0000 UTC'],
    [1795258452640000000n, '2026-11-21 10:54:12.64 +0000 UTC'],
    [1795258452000000000n, '2026-11-21 10:54:12 +0000 UTC'],
  ])('formatGoTime(%s) is %s', (ns, text) => {
    expect(formatGoTime(ns)).toBe(text);
  });

  it('formatRfc3339() drops the fraction', () => {
    expect(formatRfc3339(1795258452999999999n)).toBe('2026-11-21T10:54:12Z');
  });

  it('parseRfc3339() reads what Calico writes, and refuses what is no time', () => {
    expect(parseRfc3339('2026-11-21T10:54:12Z')).toBe(1795258452000000000n);
    expect(parseRfc3339('2026-11-21T12:54:12+02:00')).toBe(1795258452000000000n);
    expect(parseRfc3339('yesterday')).toBeUndefined();
    expect(parseRfc3339('2026-11-21')).toBeUndefined();
  });

  it('parseGoTime() reads what Go writes, to the millisecond, and refuses what is no time', () => {
    expect(parseGoTime('2026-11-21 10:54:12.643565758 +0000 UTC')).toBe(1795258452643000000n);
    expect(parseGoTime('2026-11-21 10:54:12 +0000 UTC')).toBe(1795258452000000000n);
    expect(parseGoTime('2026-11-21 10:54:12.64 +0000 UTC m=+0.012')).toBe(1795258452640000000n);
    expect(parseGoTime('2026-11-21 12:54:12 +0200 CEST')).toBeUndefined();
    expect(parseGoTime('2026-11-21T10:54:12Z')).toBeUndefined();
    expect(parseGoTime('')).toBeUndefined();
  });
});
