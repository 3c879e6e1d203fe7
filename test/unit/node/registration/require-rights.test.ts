import { describe, expect, it } from 'vitest';
import { mayAdministerNetwork } from '../../../../src/node/registration/require-rights.ts';

describe('mayAdministerNetwork()', () => {
  it.each([
    ['all rights', '000001ffffffffff', true],
    ['CAP_NET_ADMIN alone', '0000000000001000', true],
    ['all but that', '000001ffffffefff', false],
    ['no rights', '0000000000000000', false],
  ])('with %s: %s → %s', (_, mask, may) => {
    const status = `Name:\tcalico\nCapInh:\t0000000000000000\nCapPrm:\t${mask}\nCapEff:\t${mask}\nCapBnd:\t000001ffffffffff\n`;
    expect(mayAdministerNetwork(status)).toBe(may);
  });
});
