import { describe, expect, it } from 'vitest';
import { CalicoError, type ErrorKind } from '../../../src/base/calico-error.ts';
import {
  CANNOT_SERVICE_ADD,
  CniError,
  CODE_OF_KIND,
  cniErrorOf,
  formatError,
} from '../../../src/cni/error.ts';

describe('cniErrorOf()', () => {
  it.each<[ErrorKind, number]>([
    ['version', 1],
    ['unsupported', 2],
    ['environment', 4],
    ['input', 5],
    ['decode', 6],
    ['config', 7],
    ['netns', 8],
    ['unavailable', 11],
    ['conflict', 11],
    ['network', 101],
    ['no-address', 102],
    ['not-found', 103],
    ['denied', 104],
    ['corrupt', 105],
    ['delegate', 106],
    ['difference', 108],
    ['internal', 999],
  ])('gives kind %s code %i', (kind, code) => {
    expect(cniErrorOf(new CalicoError(kind, 'm'))).toEqual({ code, msg: 'm' });
    expect(CODE_OF_KIND[kind]).toBe(code);
  });

  it('takes the code a verb chose itself', () => {
    const error = new CniError(CANNOT_SERVICE_ADD, 'unavailable', 'no addresses available', { details: 'd' });
    expect(cniErrorOf(error)).toEqual({ code: 50, msg: 'no addresses available', details: 'd' });
  });

  it('finds the error with a kind anywhere in the chain of causes', () => {
    const inner = new CalicoError('conflict', 'inner');
    expect(cniErrorOf(new Error('outer', { cause: new Error('middle', { cause: inner }) }))).toEqual({
      code: 11,
      msg: 'inner',
    });
  });

  it('takes the outermost of two', () => {
    const inner = new CalicoError('conflict', 'inner');
    expect(cniErrorOf(new CalicoError('config', 'outer', { cause: inner }))).toEqual({
      code: 7,
      msg: 'outer',
    });
  });

  it('does not follow a circle of causes for ever', () => {
    const error = new Error('round');
    error.cause = error;
    expect(cniErrorOf(error)).toEqual({ code: 999, msg: 'round' });
  });

  it.each([
    [new TypeError('x is not a function'), 'x is not a function'],
    ['a string', 'a string'],
    [undefined, 'undefined'],
    [new Error(''), 'unknown error'],
  ])('calls anything else a bug: %s', (thrown, msg) => {
    expect(cniErrorOf(thrown)).toEqual({ code: 999, msg });
  });
});

describe('formatError()', () => {
  it('indents by four spaces, ends without a newline and leaves empty details out', () => {
    expect(formatError(new CalicoError('config', 'missing network name', { details: '' }), '0.4.0')).toBe(
      '{\n    "cniVersion": "0.4.0",\n    "code": 7,\n    "msg": "missing network name"\n}',
    );
  });

  it('escapes the message', () => {
    const error = new CalicoError('delegate', 'failed to find plugin "nosuch-ipam" in path [/opt/cni/bin]', {
      details: 'two\nlines',
    });
    expect(formatError(error, '1.1.0')).toBe(
      '{\n    "cniVersion": "1.1.0",\n    "code": 106,\n    "msg": "failed to find plugin \\"nosuch-ipam\\" in path [/opt/cni/bin]",\n    "details": "two\\nlines"\n}',
    );
  });
});
