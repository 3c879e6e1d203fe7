import { describe, expect, it } from 'vitest';
import { needsCleanStart, withoutRuntimeVariables } from '../../../src/cli/runtime-variables.ts';

describe('runtime variables', () => {
  it('are left out, and nothing else', () => {
    const env = {
      PATH: '/bin',
      CNI_COMMAND: 'ADD',
      NODE_DEBUG: 'net',
      NODE_ENV: 'x',
      GRPC_TRACE: 'all',
      NODENAME: 'n1',
      EMPTY: undefined,
    };
    expect(withoutRuntimeVariables(env)).toEqual({ PATH: '/bin', CNI_COMMAND: 'ADD', NODENAME: 'n1' });
  });

  it.each([
    [{}, false],
    [{ NODE_OPTIONS: '--inspect', NODE_ENV: 'production' }, false],
    [{ NODE_DEBUG: '' }, false],
    [{ NODE_DEBUG: 'net' }, true],
    [{ NODE_EXTRA_CA_CERTS: '/ca.pem' }, true],
    [{ NODE_V8_COVERAGE: '/tmp' }, true],
  ])('of %o need a clean start: %s', (env, expected) => {
    expect(needsCleanStart(env)).toBe(expected);
  });
});
