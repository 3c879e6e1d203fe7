import { describe, expect, it } from 'vitest';
import { readGarbageSettings } from '../../../../src/node/garbage/garbage-settings.ts';

describe('readGarbageSettings()', () => {
  it('collects nothing unless it is asked to', () => {
    expect(readGarbageSettings({})).toEqual({ mode: 'off', graceMs: 900_000, cniCache: '/var/lib/cni' });
    expect(readGarbageSettings({ GARBAGE_COLLECTION: '' }).mode).toBe('off');
  });

  it.each([
    ['off', 'off'],
    ['dry-run', 'dry-run'],
    ['on', 'on'],
    [' ON ', 'on'],
  ])('understands %j', (text, mode) => {
    expect(readGarbageSettings({ GARBAGE_COLLECTION: text }).mode).toBe(mode);
  });

  it('reads the grace period as Go writes it, and where the runtime keeps its results', () => {
    const env = { GARBAGE_COLLECTION_GRACE_PERIOD: '1m30s', GARBAGE_COLLECTION_CNI_CACHE: '/x' };
    expect(readGarbageSettings(env)).toMatchObject({ graceMs: 90_000, cniCache: '/x' });
    expect(readGarbageSettings({ GARBAGE_COLLECTION_CNI_CACHE: 'none' }).cniCache).toBeUndefined();
  });

  it.each([
    [{ GARBAGE_COLLECTION: 'true' }, 'invalid GARBAGE_COLLECTION "true": it must be off, dry-run, on'],
    [{ GARBAGE_COLLECTION_GRACE_PERIOD: '15' }, /invalid GARBAGE_COLLECTION_GRACE_PERIOD "15"/],
    [{ GARBAGE_COLLECTION_GRACE_PERIOD: '0s' }, /invalid GARBAGE_COLLECTION_GRACE_PERIOD "0s"/],
  ])('refuses %o', (env, message) => {
    expect(() => readGarbageSettings(env)).toThrow(message);
  });
});
