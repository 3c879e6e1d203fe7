import { describe, expect, it } from 'vitest';
import { changeSettings, describeChanges } from '../../../../src/cli/ipam/configuration.ts';
import { decodeIpamSettings, encodeIpamSettings } from '../../../../src/datastore/codecs/ipam-settings.ts';

const KEY = '/calico/ipam/v2/config';
const DEFAULTS = decodeIpamSettings(undefined, KEY);

describe('changeSettings()', () => {
  it('changes what is wanted and nothing else', () => {
    const after = changeSettings(DEFAULTS, { strictAffinity: true, maxBlocksPerHost: 4 });
    expect(describeChanges(DEFAULTS, after)).toEqual([
      'StrictAffinity: false -> true',
      'MaxBlocksPerHost: 0 -> 4',
    ]);
  });

  it.each([
    [
      { autoAllocateBlocks: false },
      "Cannot disable 'StrictAffinity' and 'AutoAllocateBlocks' at the same time",
    ],
    [{ maxBlocksPerHost: 1 }, 'MaxBlocksPerHost requires StrictAffinity to be enabled'],
  ])('refuses %o', (wanted, message) => {
    expect(() => changeSettings(DEFAULTS, wanted)).toThrow(message);
  });
});

describe('encodeIpamSettings()', () => {
  it.each([
    '{"strict_affinity":true,"auto_allocate_blocks":true,"maxBlocksPerHost":1,"kubeVirtVMAddressPersistence":"Enabled","ipCooldownSeconds":20}',
    '{"auto_allocate_blocks":true,"kubeVirtVMAddressPersistence":"Disabled","later":{"x":1}}',
  ])('writes what was read, fields of later versions too: %s', (text) => {
    expect(encodeIpamSettings(decodeIpamSettings(text, KEY))).toBe(text);
  });

  it('says what an absent key means, since a missing boolean would mean false', () => {
    expect(encodeIpamSettings(DEFAULTS)).toBe(
      '{"auto_allocate_blocks":true,"kubeVirtVMAddressPersistence":"Enabled"}',
    );
  });
});
