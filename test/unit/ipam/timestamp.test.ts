import { expect, it } from 'vitest';
import { formatTimestamp, parseTimestamp } from '../../../src/ipam/timestamp.ts';

it('formatTimestamp() drops the fraction of a second', () => {
  expect(formatTimestamp(1_795_257_492_999_999_999n)).toBe('2026-11-21T10:38:12Z');
});

it.each([
  ['2026-11-21T10:38:12Z', 1_795_257_492_000_000_000n],
  ['2026-11-21T11:38:12+01:00', 1_795_257_492_000_000_000n],
  ['', undefined],
  ['soon', undefined],
])('parseTimestamp() understands %j', (text, ns) => expect(parseTimestamp(text)).toBe(ns));
