import { describe, expect, it } from 'vitest';
import { CalicoError, type ErrorKind } from '../../../../src/base/calico-error.ts';
import { CODE_OF_KIND, cniErrorOf } from '../../../../src/cni/error.ts';
import { DelegateError } from '../../../../src/cni/run-delegate.ts';
import {
  limitedConnectivity,
  notReady,
  refuseUnlessReady,
  unlessWrongCall,
} from '../../../../src/plugins/status/not-ready.ts';

const error = (kind: ErrorKind) => new CalicoError(kind, 'm', { details: 'd' });

describe('unlessWrongCall()', () => {
  it.each<[ErrorKind, number]>([
    ['config', 7],
    ['unsupported', 2],
    ['environment', 4],
    ['unavailable', 50],
    ['delegate', 50],
    ['internal', 50],
  ])('answers what is %s with code %d', (kind, code) => {
    expect(cniErrorOf(unlessWrongCall(error(kind)))).toEqual({ code, msg: 'm', details: 'd' });
  });
});

describe('notReady()', () => {
  it.each(Object.keys(CODE_OF_KIND).filter((kind) => kind !== 'no-address'))('is code 50 for %s', (kind) => {
    expect(cniErrorOf(notReady(error(kind as ErrorKind)))).toEqual({ code: 50, msg: 'm', details: 'd' });
  });

  it.each([
    [50, 50],
    [51, 51],
    [11, 50],
    [999, 50],
  ])('makes code %d of another plugin code %d', (code, ours) => {
    expect(cniErrorOf(notReady(new DelegateError(code, 'm')))).toEqual({ code: ours, msg: 'm' });
  });

  it('has words of its own for addresses', () => {
    expect(cniErrorOf(notReady(error('no-address')))).toEqual({
      code: 50,
      msg: 'no addresses available',
      details: 'm. d',
    });
  });

  it('says the same however many milliseconds a question happened to get', () => {
    const given = (ms: number) =>
      cniErrorOf(notReady(new CalicoError('unavailable', `no answer within ${ms} ms`)));
    expect(given(1_997)).toEqual(given(2_000));
    expect(given(1_997).msg).toBe('no answer within 2000 ms');
  });

  it('takes anything', () => {
    expect(cniErrorOf(notReady('text'))).toEqual({ code: 50, msg: 'text' });
  });
});

describe('refuseUnlessReady()', () => {
  const answer = (...reasons: Parameters<typeof refuseUnlessReady>[0]) => {
    try {
      refuseUnlessReady(reasons);
      return undefined;
    } catch (thrown) {
      return cniErrorOf(thrown);
    }
  };

  it('is silent when nobody objects', () => {
    expect(answer()).toBeUndefined();
  });

  it('gives a single reason as it is, and several in their order', () => {
    expect(answer(notReady(error('denied')))).toEqual({ code: 50, msg: 'm', details: 'd' });
    expect(answer(notReady(new CalicoError('denied', 'a')), notReady(error('network')))).toEqual({
      code: 50,
      msg: 'a; m',
      details: 'd',
    });
  });

  it('answers 51 as soon as one of them is that', () => {
    expect(answer(notReady(error('denied')), limitedConnectivity(error('network')))?.code).toBe(51);
  });
});
