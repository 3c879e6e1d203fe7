import { describe, expect, it } from 'vitest';
import { tryParseIpNetwork } from '../../../../src/base/cidr.ts';
import type { IpFamily } from '../../../../src/base/ip-address.ts';
import { parseAddressSetting } from '../../../../src/node/registration/address-setting.ts';
import { decideAddress } from '../../../../src/node/registration/decide-address.ts';

function network(text: string) {
  const parsed = tryParseIpNetwork(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}
const HOST = {
  links: [{ name: 'eth0', ifIndex: 2 }],
  addresses: [
    { ifIndex: 2, network: network('10.0.0.5/24') },
    { ifIndex: 2, network: network('fd00::5/64') },
  ],
};

function decide(setting: string, recorded: string | undefined, detected?: string, family: IpFamily = 4) {
  return decideAddress({
    family,
    setting: parseAddressSetting(setting, family, 'IP'),
    recorded,
    detected: detected === undefined ? undefined : { ifName: 'eth0', network: network(detected) },
    host: HOST,
  });
}

describe('decideAddress()', () => {
  it.each([
    // setting, Node, found: Node, warnings
    ['autodetect', undefined, '10.0.0.5/24', '10.0.0.5/24', 0],
    ['autodetect', '10.0.0.9/24', '10.0.0.5/24', '10.0.0.5/24', 0],
    ['autodetect', '10.0.0.5/24', undefined, '10.0.0.5/24', 1],
    ['autodetect', '10.0.0.9/24', undefined, '10.0.0.9/24', 2],
    ['', undefined, '10.0.0.5/24', '10.0.0.5/24', 0],
    ['', '10.0.0.5/24', '10.0.0.7/24', '10.0.0.5/24', 0],
    ['', '10.0.0.9/24', '10.0.0.7/24', '10.0.0.9/24', 1],
    ['', 'nonsense', '10.0.0.7/24', 'nonsense', 1],
    ['none', undefined, '10.0.0.5/24', undefined, 0],
    ['none', '10.0.0.5/24', undefined, '10.0.0.5/24', 0],
    ['10.0.0.5', undefined, undefined, '10.0.0.5/24', 0],
    ['10.0.0.6', '10.0.0.5/24', undefined, '10.0.0.6/32', 1],
    ['10.0.0.5/16', '10.0.0.5/24', undefined, '10.0.0.5/16', 0],
    ['192.0.2.1/30', undefined, undefined, '192.0.2.1/30', 1],
  ])('IP=%j, Node %s, found %s: %s with %i warnings', (setting, recorded, detected, text, warnings) => {
    const answer = decide(setting, recorded, detected);
    expect(answer.text).toBe(text);
    expect(answer.warnings).toHaveLength(warnings);
  });

  it.each([
    ['', undefined, 'fd00::5/64', undefined],
    ['', 'fd00::5/64', 'fd00::7/64', 'fd00::5/64'],
    ['autodetect', undefined, 'fd00::5/64', 'fd00::5/64'],
    ['fd00::5', undefined, undefined, 'fd00::5/64'],
  ])('IP6=%j, Node %s, found %s: %s', (setting, recorded, detected, text) => {
    expect(decide(setting, recorded, detected, 6).text).toBe(text);
  });

  it.each(['', 'autodetect'])('fails with IP=%j when nothing was found and nothing is known', (setting) => {
    expect(() => decide(setting, undefined)).toThrow(
      expect.objectContaining({
        kind: 'unavailable',
        details: expect.stringContaining('IP_AUTODETECTION_METHOD'),
      }),
    );
  });

  it.each(['fd00::5', '10.0.0', 'auto', '10.0.0.1/33'])('refuses IP=%j', (setting) => {
    expect(() => decide(setting, undefined)).toThrow(expect.objectContaining({ kind: 'config' }));
  });
});
