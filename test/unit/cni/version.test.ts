import { describe, expect, it } from 'vitest';
import {
  compareVersions,
  formatVersionOutput,
  isSupportedVersion,
  requireSupportedVersion,
  SUPPORTED_VERSIONS,
} from '../../../src/cni/version.ts';

describe('formatVersionOutput()', () => {
  it('is one line', () => {
    expect(formatVersionOutput()).toBe(
      '{"cniVersion":"1.1.0","supportedVersions":["0.1.0","0.2.0","0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]}\n',
    );
  });
});

describe('compareVersions()', () => {
  it('orders the supported versions as they are listed', () => {
    expect(SUPPORTED_VERSIONS.toSorted(compareVersions)).toEqual(SUPPORTED_VERSIONS);
    expect(SUPPORTED_VERSIONS.toReversed().toSorted(compareVersions)).toEqual(SUPPORTED_VERSIONS);
  });

  it.each([
    ['1', '1.0.0', 0],
    ['0.4', '0.4.0', 0],
    ['0.10.0', '0.9.9', 1],
    ['2', '1.1.0', 1],
    ['0.3.1', '0.4.0', -1],
  ])('%s and %s: %i', (a, b, sign) => {
    expect(Math.sign(compareVersions(a, b))).toBe(sign);
  });

  it.each([
    ['1.1.0.0', 'invalid version "1.1.0.0": too many parts'],
    ['x', 'failed to convert major version part "x": it is not a number'],
    ['1.x', 'failed to convert minor version part "x": it is not a number'],
    ['1..0', 'failed to convert minor version part "": it is not a number'],
    ['-1.0.0', 'failed to convert major version part "-1": it is not a number'],
  ])('refuses %s', (version, message) => {
    expect(() => compareVersions(version, '1.0.0')).toThrow(
      expect.objectContaining({ kind: 'decode', message }),
    );
  });
});

describe('requireSupportedVersion()', () => {
  it.each(SUPPORTED_VERSIONS)('lets %s pass', (version) => {
    expect(requireSupportedVersion(version)).toBe(version);
  });

  it.each(['', '0.4', '0.5.0', '1.1.1', '2.0.0', 'v1.0.0'])(
    'refuses %j, for only the exact text is one',
    (version) => {
      expect(isSupportedVersion(version)).toBe(false);
      expect(() => requireSupportedVersion(version)).toThrow(
        expect.objectContaining({
          kind: 'version',
          message: 'incompatible CNI versions',
          details: `config is "${version}", plugin supports ["0.1.0" "0.2.0" "0.3.0" "0.3.1" "0.4.0" "1.0.0" "1.1.0"]`,
        }),
      );
    },
  );
});
