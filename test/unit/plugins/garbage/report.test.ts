import { describe, expect, it } from 'vitest';
import { CalicoError } from '../../../../src/base/calico-error.ts';
import { cniErrorOf } from '../../../../src/cni/error.ts';
import { reportFailures } from '../../../../src/plugins/garbage/report.ts';

function answerTo(failures: readonly unknown[]) {
  try {
    reportFailures(failures);
    return undefined;
  } catch (error) {
    return cniErrorOf(error);
  }
}

describe('reportFailures()', () => {
  it('has nothing to say when nothing failed', () => {
    expect(answerTo([])).toBeUndefined();
  });

  it('names what failed, all of it in the details, each once', () => {
    const errors = ['a', 'b', 'a', 'c', 'd'].map((text) => new CalicoError('network', text));
    expect(answerTo(errors)).toEqual({
      code: 107,
      msg: 'garbage was left behind: a; b; c; and 1 more',
      details: 'the next GC tries again. All that failed: a; b; c; d',
    });
  });

  it('has a word for anything', () => {
    expect(answerTo([new Error('')])?.msg).toBe('garbage was left behind: unknown error');
  });
});
