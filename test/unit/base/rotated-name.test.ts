import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRotatedName, rotatedName } from '../../../src/base/rotated-name.ts';

const AT_MS = Date.parse('2026-11-21T10:26:38.709Z');

describe('rotatedName()', () => {
  it.each([
    ['/var/log/calico/cni/cni.log', 'cni-2026-11-21T10-26-38.709-size.log'],
    ['log', 'log-2026-11-21T10-26-38.709-size'],
    ['/a/.hidden', '.hidden-2026-11-21T10-26-38.709-size'],
  ])('of %s is %s', (path, name) => {
    expect(rotatedName(path, AT_MS)).toBe(name);
  });

  it('sorts by time, and is read back, compressed or not', () => {
    const times = fc.integer({ min: 0, max: Date.parse('2999-01-01') });
    fc.assert(
      fc.property(times, times, (a, b) => {
        const [first, second] = [rotatedName('cni.log', a), rotatedName('cni.log', b)];
        expect(Math.sign(first < second ? -1 : first > second ? 1 : 0)).toBe(Math.sign(a - b));
        expect(parseRotatedName(first, 'cni.log')).toEqual({ name: first, atMs: a, isCompressed: false });
        const name = `${first}.zst`;
        expect(parseRotatedName(name, 'cni.log')).toEqual({ name, atMs: a, isCompressed: true });
      }),
    );
  });
});

describe('parseRotatedName()', () => {
  it.each([
    'cni-2026-11-21T10-26-38.709.log',
    'cni-2026-11-21T10-26-38.709-time.log',
    'cni-2026-11-21T10-26-38.709.log.gz',
  ])('knows %s, of other releases of Calico’s plugin', (name) => {
    expect(parseRotatedName(name, 'cni.log')?.atMs).toBe(AT_MS);
  });

  it.each([
    'cni.log',
    'cni.log.zst',
    'other-2026-11-21T10-26-38.709-size.log',
    'cni-2026-11-21T10-26-38.709-size.txt',
    'cni-2026-13-21T10-26-38.709-size.log',
    'cni-2026-11-21T10-26-38.709-size.log.zst.tmp',
    'cni-2026-11-21T10-26-38.709-../x.log',
    'cni-backup-2026-11-21T10-26-38.709-size.log',
  ])('leaves %s alone', (name) => {
    expect(parseRotatedName(name, 'cni.log')).toBeUndefined();
  });
});
