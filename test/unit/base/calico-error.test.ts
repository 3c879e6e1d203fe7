import { describe, expect, it } from 'vitest';
import { errorText } from '../../../src/base/calico-error.ts';

describe('errorText()', () => {
  it.each([
    [new Error('refused'), 'refused'],
    ['a text', 'a text'],
    [
      new AggregateError([new Error('::1 refused'), new Error('127.0.0.1 refused')]),
      '::1 refused, 127.0.0.1 refused',
    ],
    [new AggregateError([new Error('one')], 'all failed'), 'all failed'],
  ])('of %o', (error, text) => {
    expect(errorText(error)).toBe(text);
  });
});
