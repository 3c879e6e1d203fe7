import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HOST_SIDE_MAC, parseMacAddress } from '../../../../src/base/mac-address.ts';
import { decodeAttributes, readText, readU32 } from '../../../../src/network/netlink/attribute.ts';
import {
  addNetkitPair,
  addVethPair,
  decodeLink,
  deleteLink,
  encodeLink,
  type Link,
  setLinkUp,
} from '../../../../src/network/netlink/link.ts';
import { ifNames, indexes, macs, orUndefined } from '../../../support/network-arbitraries.ts';

const links: fc.Arbitrary<Link> = fc.record({
  ifIndex: indexes,
  name: ifNames,
  kind: orUndefined(fc.constantFrom('veth', 'netkit', 'bridge')),
  mac: orUndefined(macs),
  mtu: orUndefined(fc.integer({ min: 68, max: 65535 })),
  isUp: fc.boolean(),
  peerIfIndex: orUndefined(indexes),
  peerNetnsId: orUndefined(fc.integer({ min: -1, max: 1000 })),
});

describe('decodeLink()', () => {
  it('refuses a message that is cut short', () => {
    expect(() => decodeLink(Buffer.alloc(11))).toThrow('the kernel described an interface in 11 bytes');
  });

  it('reads back what encodeLink() wrote', () => {
    fc.assert(
      fc.property(links, (link) => {
        expect(decodeLink(encodeLink(link))).toEqual(link);
      }),
    );
  });
});

describe('addVethPair()', () => {
  const container = { name: 'eth0', mac: parseMacAddress('02:00:00:00:00:01'), mtu: 1440, queues: 2 };
  const host = { name: 'cali1', mac: HOST_SIDE_MAC, mtu: undefined, queues: 1 };

  it('carries the name, MAC, MTU and queues of both ends, and where the other is born', () => {
    const { payload } = addVethPair(container, host, 9);

    const own = decodeAttributes(Buffer.from(payload).subarray(16));
    const info = decodeAttributes(own.get(18) ?? Buffer.alloc(0));
    const data = decodeAttributes(info.get(2) ?? Buffer.alloc(0));
    const peer = decodeAttributes((data.get(1) ?? Buffer.alloc(0)).subarray(16));
    expect(decodeLink(Buffer.from(payload))).toMatchObject({ name: 'eth0', kind: 'veth', mtu: 1440 });
    expect([readU32(own.get(31)), readU32(own.get(32))]).toEqual([2, 2]);
    expect(readText(peer.get(3))).toBe('cali1');
    expect(peer.get(1)?.toString('hex')).toBe('eeeeeeeeeeee');
    expect(peer.has(4)).toBe(false);
    expect([readU32(peer.get(31)), readU32(peer.get(32)), readU32(peer.get(28))]).toEqual([1, 1, 9]);
  });
});

/** An `ifinfomsg` that names no interface. */
const NO_LINK = '00'.repeat(16);

describe('addNetkitPair()', () => {
  const host = { name: 'cali1', mac: HOST_SIDE_MAC, mtu: 1440, queues: 2 };
  const container = { name: 'eth0', mac: parseMacAddress('02:00:00:00:00:01'), mtu: undefined, queues: 1 };

  /** As include/uapi/linux/if_link.h numbers the attributes, and in the order in which iproute2 sends them. */
  it('is this message', () => {
    const request = addNetkitPair(host, container, 9);

    expect(request).toMatchObject({ name: 'RTM_NEWLINK', type: 16, flags: 0x600 });
    expect(Buffer.from(request.payload).toString('hex')).toBe(
      [
        ...[NO_LINK, `0a000300${hex('cali1')}000000`, '0a000100' + 'eeeeeeeeeeee' + '0000'],
        ...['08000400' + 'a0050000', '08001f00' + '02000000', '08002000' + '02000000'],
        // IFLA_LINKINFO: IFLA_INFO_KIND, IFLA_INFO_DATA
        ...['80001200', `0b000100${hex('netkit')}0000`, '70000200'],
        // Mode L2, policy forward, scrub none; policy and scrub of the peer.
        ...['08000500' + '00000000', '08000300' + '00000000', '08000600' + '00000000'],
        ...['08000400' + '00000000', '08000700' + '00000000'],
        // IFLA_NETKIT_PEER_INFO
        ...['44000100', NO_LINK, `09000300${hex('eth0')}00000000`, '0a000100' + '020000000001' + '0000'],
        ...['08001f00' + '01000000', '08002000' + '01000000', '08001c00' + '09000000'],
      ].join(''),
    );
  });
});

describe('setLinkUp() and deleteLink()', () => {
  it('name the interface by its index only', () => {
    const bytes = (payload: Uint8Array) => Buffer.from(payload).toString('hex');

    expect(bytes(setLinkUp(7).payload)).toBe('00000000' + '07000000' + '01000000' + '01000000');
    expect(bytes(deleteLink(7).payload)).toBe('00000000' + '07000000' + '00000000' + '00000000');
  });
});

function hex(text: string): string {
  return Buffer.from(text).toString('hex');
}
