/** Single values as people and programs write them. */

import { isIPv4, isIPv6 } from 'node:net';
import { describe, expect, it } from 'vitest';
import { formatCidr, parseCidr, tryParseCidr, tryParseIpNetwork } from '../../src/base/cidr.ts';
import { formatIpAddress, parseIpAddress, tryParseIpAddress } from '../../src/base/ip-address.ts';
import { parseMacAddress } from '../../src/base/mac-address.ts';
import { printable } from '../../src/base/printable.ts';
import { formatRfc3339, parseGoTime, parseRfc3339 } from '../../src/base/time.ts';
import { parseEndpoints } from '../../src/config/etcd-endpoints.ts';
import { chooseMtu } from '../../src/config/mtu-file.ts';
import { parseServerAddress } from '../../src/dataplane/server-address.ts';
import { matchesSelector } from '../../src/ipam/selector/evaluate.ts';
import { parseSelector } from '../../src/ipam/selector/parse.ts';
import { parseDscp } from '../../src/kubernetes/dscp.ts';
import { parseQuantity } from '../../src/kubernetes/quantity.ts';
import { parseServerUrl } from '../../src/kubernetes/server-url.ts';
import { survives } from '../support/fuzz.ts';
import { mangledText } from '../support/mangled.ts';

const ADDRESSES = [
  ...['10.9.0.1', '255.255.255.255', '0.0.0.0', 'fd00::1', '::', '::ffff:10.9.0.1', '2001:db8:0:0:1::1'],
  ...['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:1.2.3.4', 'fe80::1%eth0', '::ffff:0:10.9.0.1', '0010.9.0.1', '1::2::3'],
];

describe('whatever the text is', () => {
  it('tryParseIpAddress() takes what Node.js takes, but for zones', () => {
    survives(mangledText(ADDRESSES), (text) => {
      const isAddress = isIPv4(text) || (isIPv6(text) && !text.includes('%'));
      const address = tryParseIpAddress(text);
      expect(address !== undefined).toBe(isAddress);
      if (address === undefined) return;
      expect(tryParseIpAddress(formatIpAddress(address))).toEqual(address);
      const canonical = isIPv4(text) ? text : new URL(`http://[${text}]`).hostname.slice(1, -1);
      const isMapped = canonical.startsWith('::ffff:') && canonical.split(':').length === 5;
      if (!isMapped) expect(formatIpAddress(address)).toBe(canonical);
      expect(address.family === 4).toBe(isIPv4(text) || isMapped);
    });
  });

  it('parseIpAddress() refuses it or takes it', () => {
    survives(mangledText(ADDRESSES), parseIpAddress);
  });

  it('tryParseCidr() gives a network that is its own text again', () => {
    const cidrs = ADDRESSES.flatMap((address) => [`${address}/0`, `${address}/26`, `${address}/128`]);
    survives(mangledText(cidrs), (text) => {
      tryParseIpNetwork(text);
      const cidr = tryParseCidr(text);
      if (cidr !== undefined) expect(tryParseCidr(formatCidr(cidr))).toEqual(cidr);
      parseCidr(text);
    });
  });

  const SELECTORS = [
    `has(rack) && zone in {"a", 'b'} || !(name starts with "x")`,
    'all()',
    'global() && a not in {} && b != "c"',
    'a contains "b" && c ends with "d"',
  ];

  it('parseSelector() gives a selector that can be asked', () => {
    survives(mangledText(SELECTORS), (text) =>
      matchesSelector(parseSelector(text), { rack: '1', zone: 'a' }),
    );
  });

  it.each<[string, readonly string[], (text: string) => unknown]>([
    ['parseMacAddress()', ['aa:bb:cc:dd:ee:ff', 'aa-bb-cc-dd-ee-ff', 'aabb.ccdd.eeff'], parseMacAddress],
    ['parseEndpoints()', ['https://a:2379,https://[fd00::1]:2379', 'http://10.9.0.1', 'a,b'], parseEndpoints],
    [
      'parseServerUrl()',
      ['https://[10.96.0.1]:443/base', 'user:pw@host', 'a'],
      (text) => parseServerUrl(text, true),
    ],
    [
      'parseServerAddress()',
      ['unix:///run/x.sock', 'unix-abstract:x', 'dns:///a:1', 'a:1'],
      parseServerAddress,
    ],
    ['parseQuantity()', ['10M', '1Gi', '1e3', '-0.5m', '1E99'], parseQuantity],
    ['parseDscp()', ['EF', '46', 'af11'], parseDscp],
    ['chooseMtu()', ['1440', '0', '65536'], (fileText) => chooseMtu({ confMtu: undefined, fileText })],
    ['printable()', ['a\nb', '\u202e', 'x'.repeat(100)], printable],
  ])('%s takes or refuses it', (_name, samples, parse) => {
    survives(mangledText(samples), parse);
  });

  it('parseRfc3339() and parseGoTime() give times that can be written', () => {
    const times = [
      '2026-11-21T10:54:12Z',
      '2026-11-21 10:54:12.643565758 +0000 UTC m=+0.1',
      '+275760-09-13T00:00:00Z',
    ];
    survives(mangledText(times), (text) => {
      for (const time of [parseRfc3339(text), parseGoTime(text)]) if (time !== undefined) formatRfc3339(time);
    });
  });
});
