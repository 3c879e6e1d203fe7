import { describe, expect, it } from 'vitest';
import { formatIpNetwork, tryParseIpNetwork } from '../../../../src/base/cidr.ts';
import { parseIpAddress } from '../../../../src/base/ip-address.ts';
import { detectAddress, type HostInterfaces } from '../../../../src/node/registration/detect-address.ts';
import { parseDetectionMethod } from '../../../../src/node/registration/detection-method.ts';

/** `eth0 10.0.0.1/24 10.0.0.2/24`, in the order of their indexes. */
function host(...lines: readonly string[]): HostInterfaces {
  const links = lines.map((line, index) => ({ name: line.split(' ')[0] ?? '', ifIndex: index + 1 }));
  const addresses = lines.flatMap((line, index) =>
    line
      .split(' ')
      .slice(1)
      .map((text) => {
        const network = tryParseIpNetwork(text);
        if (network === undefined) throw new Error(text);
        return { ifIndex: index + 1, network };
      }),
  );
  return { links, addresses };
}

const TYPICAL = host(
  'lo 127.0.0.1/8 ::1/128 10.99.0.1/32',
  'eth0 10.60.0.13/24 10.60.0.14/24 fe80::1/64 fd00:60::13/64',
  'docker0 172.17.0.1/16',
  'eth1 192.168.5.9/16',
  'bridge0 198.51.100.7/24',
  'br-4711 203.0.113.1/24',
  'vxlan.calico 10.77.180.112/32',
  'cali12345 169.254.0.9/32',
);

describe('detectAddress()', () => {
  it.each([
    ['', 4, '198.51.100.7/24'],
    ['first-found', 4, '198.51.100.7/24'],
    ['first-found', 6, 'fd00:60::13/64'],
    ['interface=eth0', 4, '10.60.0.13/24'],
    ['interface=eth.*', 4, '192.168.5.9/16'],
    ['interface=nothing,docker', 4, '172.17.0.1/16'],
    ['interface=lo', 4, '10.99.0.1/32'],
    ['interface=wlan0', 4, undefined],
    ['interface=eth1', 6, undefined],
    ['skip-interface=bridge', 4, '192.168.5.9/16'],
    ['skip-interface=bridge,^eth1$', 4, '10.60.0.13/24'],
    ['cidr=10.60.0.0/24', 4, '10.60.0.13/24'],
    ['cidr=10.60.0.14/32,172.17.0.0/16', 4, '172.17.0.1/16'],
    ['cidr=fe80::/10', 6, 'fe80::1/64'],
    ['cidr=8.8.8.0/24', 4, undefined],
  ] as const)('finds with %j of IPv%i: %s', (method, family, expected) => {
    const found = detectAddress(parseDetectionMethod(method, 'M'), family, TYPICAL, undefined);
    expect(found && formatIpNetwork(found.network)).toBe(expected);
  });

  it.each([
    ['can-reach=8.8.8.8', '10.60.0.14', '10.60.0.14/24'],
    ['kubernetes-internal-ip', '192.168.5.9', '192.168.5.9/16'],
    ['can-reach=8.8.8.8', '1.2.3.4', undefined],
    ['can-reach=8.8.8.8', undefined, undefined],
  ])('finds with %j what is said to be ours, %s, with its mask', (method, outside, expected) => {
    const address = outside === undefined ? undefined : parseIpAddress(outside);
    const found = detectAddress(parseDetectionMethod(method, 'M'), 4, TYPICAL, address);
    expect(found && formatIpNetwork(found.network)).toBe(expected);
  });

  it('finds nothing on a host without addresses', () => {
    expect(
      detectAddress(parseDetectionMethod('', 'M'), 4, host('lo 127.0.0.1/8'), undefined),
    ).toBeUndefined();
  });
});

describe('parseDetectionMethod()', () => {
  it.each([
    ['interface', 'names no interface'],
    ['interface=', 'a value is empty'],
    ['interface=eth0,', 'a value is empty'],
    ['interface=[', 'no regular expression'],
    ['skip-interface', 'names no interface'],
    ['cidr=10.0.0.0', 'no CIDR'],
    ['can-reach', 'no destination'],
    ['first-found=eth0', 'takes no value'],
    ['eth0', 'no such method'],
    ['bgp', 'no such method'],
  ])('refuses %j: %s', (text, why) => {
    expect(() => parseDetectionMethod(text, 'IP_AUTODETECTION_METHOD')).toThrow(
      expect.objectContaining({
        kind: 'config',
        message: expect.stringMatching(new RegExp(`^invalid IP_AUTODETECTION_METHOD .*${why}`)),
      }),
    );
  });
});
