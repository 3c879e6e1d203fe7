import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../../src/base/json-object.ts';
import {
  ANY_POD_CIDRS,
  type PodCidrs,
  podCidrsOfNode,
  podCidrWords,
  withPodCidrs,
} from '../../../src/config/host-local-conf.ts';

const CIDRS = { ipv4: '10.244.3.0/24', ipv6: 'fd00:3::/64' };

function wordsOf(ipam: unknown, type: unknown = 'host-local') {
  return podCidrWords({ ipam: { type, ...(ipam as JsonObject) } });
}

function replaced(ipam: JsonObject, cidrs: PodCidrs = CIDRS): unknown {
  const json = { name: 'n', ipam: { type: 'host-local', ...ipam } };
  const { type, ...rest } = JSON.parse(withPodCidrs(JSON.stringify(json), podCidrWords(json), cidrs)).ipam;
  expect(type).toBe('host-local');
  return rest;
}

describe('podCidrWords()', () => {
  it.each([
    [{}],
    [{ subnet: '10.0.0.0/24' }],
    [{ subnet: 5 }],
    [{ subnet: 'usePodCidrs' }],
    [{ ranges: [] }],
    [{ ranges: null }],
    [{ ranges: [[], [{}, { subnet: '10.0.0.0/24' }]] }],
  ])('finds none in %j: nobody needs the Node', (ipam) => {
    expect(wordsOf(ipam)).toEqual([]);
  });

  it('finds none for another plugin, whatever its configuration looks like', () => {
    expect(wordsOf({ subnet: 'usePodCidr', ranges: 5 }, 'calico-ipam')).toEqual([]);
    expect(podCidrWords({})).toEqual([]);
    expect(podCidrWords({ ipam: 'host-local' })).toEqual([]);
  });

  it('finds them in both places, in any case', () => {
    const ipam = {
      subnet: 'USEPODCIDR',
      ranges: [[{ subnet: '10.0.0.0/8' }, { subnet: 'usepodcidr' }], [{ subnet: 'UsePodCidrIPv6' }]],
    };
    expect(wordsOf(ipam)).toEqual([
      { path: ['ipam', 'subnet'], word: 'usePodCidr' },
      { path: ['ipam', 'ranges', 0, 1, 'subnet'], word: 'usePodCidr' },
      { path: ['ipam', 'ranges', 1, 0, 'subnet'], word: 'usePodCidrIPv6' },
    ]);
  });

  it('finds keys in another case, as host-local itself does', () => {
    expect(podCidrWords({ IPAM: { Type: 'host-local', Ranges: [[{ Subnet: 'usePodCidr' }]] } })).toEqual([
      { path: ['IPAM', 'Ranges', 0, 0, 'Subnet'], word: 'usePodCidr' },
    ]);
  });

  it.each([
    [{ ranges: 'x' }, 'ranges section; was expecting a list, not: string "x"', 'ipam.ranges'],
    [{ ranges: [[], {}] }, 'range set; was expecting a list, not: an object', 'ipam.ranges.1'],
    [{ ranges: [null] }, 'range set; was expecting a list, not: null', 'ipam.ranges.0'],
    [{ ranges: [[[]]] }, 'data; was expecting a dict, not: an array', 'ipam.ranges.0.0'],
  ])('refuses %j', (ipam, why, where) => {
    expect(() => wordsOf(ipam)).toThrow(
      expect.objectContaining({
        kind: 'config',
        message: `failed to parse host-local IPAM ${why}`,
        details: `at ${where}`,
      }),
    );
  });
});

describe('withPodCidrs()', () => {
  it('puts the CIDRs where the words stand, and leaves the rest', () => {
    const ipam = {
      subnet: 'usePodCidr',
      dataDir: '/run/x',
      ranges: [[{ subnet: 'usePodCidr', gateway: '10.244.3.1' }], [{ subnet: 'usepodcidripv6' }]],
    };
    expect(replaced(ipam)).toEqual({
      subnet: '10.244.3.0/24',
      dataDir: '/run/x',
      ranges: [[{ subnet: '10.244.3.0/24', gateway: '10.244.3.1' }], [{ subnet: 'fd00:3::/64' }]],
    });
  });

  it('has words of its own for a DEL', () => {
    expect(
      replaced({ subnet: 'usePodCidr', ranges: [[{ subnet: 'usePodCidrIPv6' }]] }, ANY_POD_CIDRS),
    ).toEqual({ subnet: '0.0.0.0/0', ranges: [[{ subnet: '::/0' }]] });
  });

  it('does not touch a text without words', () => {
    const text = '{ "ipam": {"type": "host-local", "subnet": "10.0.0.0/24"} }';
    expect(withPodCidrs(text, podCidrWords(JSON.parse(text)), CIDRS)).toBe(text);
  });

  it.each([
    ['usepodcidr', { ipv4: undefined, ipv6: 'fd00::/64' }, 'usePodCidr', 'IPv4'],
    ['USEPODCIDRIPV6', { ipv4: '10.0.0.0/24', ipv6: undefined }, 'usePodCidrIPv6', 'IPv6'],
  ])('refuses %s where the node has %j', (subnet, cidrs, word, family) => {
    const words = wordsOf({ subnet });
    expect(() => withPodCidrs('{"ipam":{}}', words, cidrs)).toThrow(
      expect.objectContaining({
        kind: 'config',
        message: `${word} found but there is no ${family} CIDR configured`,
      }),
    );
  });
});

describe('podCidrsOfNode()', () => {
  it.each([
    [['10.244.3.0/24'], { ipv4: '10.244.3.0/24', ipv6: undefined }],
    [['fd00:3::/64'], { ipv4: undefined, ipv6: 'fd00:3::/64' }],
    [['fd00:3::/64', '10.244.3.0/24'], CIDRS],
  ])('sorts %j by family', (podCidrs, sorted) => {
    expect(podCidrsOfNode('node1', podCidrs)).toEqual(sorted);
  });

  it.each([
    [[], 'unavailable', 'no podCidr for node node1'],
    [['10.0.0.0/24', '10.0.1.0/24'], 'config', 'ClusterCIDR contains two ranges of the same type'],
    [['fd00::/64', 'fd01::/64'], 'config', 'ClusterCIDR contains two ranges of the same type'],
    [['10.0.0.0'], 'config', 'invalid pod CIDR of node node1: "10.0.0.0"'],
  ])('refuses %j', (podCidrs, kind, message) => {
    expect(() => podCidrsOfNode('node1', podCidrs)).toThrow(expect.objectContaining({ kind, message }));
  });
});
