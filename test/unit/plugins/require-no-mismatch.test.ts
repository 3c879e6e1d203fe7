import { describe, expect, it } from 'vitest';
import { requireNoMismatch } from '../../../src/plugins/require-no-mismatch.ts';

const mismatch = (object: string) => ({ object, expected: 'a', found: 'b' });
const thrown = (...objects: readonly string[]) => {
  try {
    requireNoMismatch(objects.map(mismatch));
    return undefined;
  } catch (error) {
    return error;
  }
};

describe('requireNoMismatch()', () => {
  it('is content with none', () => {
    expect(thrown()).toBeUndefined();
  });

  it('says one in its message, with object, expected and found', () => {
    expect(thrown('x')).toMatchObject({
      kind: 'difference',
      message: 'x: expected a, found b',
      details: undefined,
    });
  });

  it('says all others in its details', () => {
    expect(thrown('x', 'y', 'z')).toMatchObject({
      message: 'x: expected a, found b',
      details: 'also: y: expected a, found b; z: expected a, found b',
    });
  });
});
