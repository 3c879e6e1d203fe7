import { describe, expect, it } from 'vitest';
import { hasBrokenOffload } from '../../../../src/node/desired/devices.ts';

describe('hasBrokenOffload()', () => {
  it.each([
    ['4.18.0-553.el8_10.x86_64', true],
    ['5.4.0-190-generic', true],
    ['5.7.19', true],
    ['5.8.0-rc1', false],
    ['5.15.0-1', false],
    ['6.1.0-18-amd64', false],
    ['10.0', false],
    ['unknown', false],
    [undefined, false],
  ])('of %s: %s', (release, isBroken) => {
    expect(hasBrokenOffload(release)).toBe(isBroken);
  });
});
