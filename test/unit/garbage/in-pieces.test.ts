import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inPieces } from '../../../src/garbage/in-pieces.ts';

describe('inPieces()', () => {
  it('keeps all items in their order, in as few pieces as a greedy hand needs', () => {
    const size = fc.integer({ min: 1, max: 12 });
    fc.assert(
      fc.property(fc.array(size), (sizes) => {
        const pieces = inPieces(sizes, (one) => one, 10);
        const total = (piece: readonly number[]) => piece.reduce((sum, one) => sum + one, 0);
        expect(pieces.flat()).toEqual(sizes);
        for (const [i, piece] of pieces.entries()) {
          expect(piece.length === 1 || total(piece) <= 10).toBe(true);
          expect(total(piece) + (pieces[i + 1]?.[0] ?? 99)).toBeGreaterThan(10);
        }
      }),
    );
  });
});
