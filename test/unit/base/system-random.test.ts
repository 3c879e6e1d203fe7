import { describe, expect, it } from 'vitest';
import { systemRandom } from '../../../src/base/system-random.ts';

describe('systemRandom', () => {
  it('draws as many bytes as asked, and others each time', () => {
    expect(systemRandom.bytes(6)).toHaveLength(6);
    expect(systemRandom.bytes(16)).not.toEqual(systemRandom.bytes(16));
  });

  it('draws version 4 UUIDs', () => {
    const uuids = Array.from({ length: 100 }, () => systemRandom.uuid());
    for (const uuid of uuids)
      expect(uuid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(new Set(uuids).size).toBe(100);
  });

  it('draws fractions from 0 up to but not including 1, all over', () => {
    const fractions = Array.from({ length: 1000 }, () => systemRandom.fraction());
    expect(Math.min(...fractions)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...fractions)).toBeLessThan(1);
    expect(Math.abs(fractions.reduce((sum, one) => sum + one, 0) / 1000 - 0.5)).toBeLessThan(0.1);
  });
});
