import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIpAddress } from '../../../../src/base/ip-address.ts';
import { parseMacAddress } from '../../../../src/base/mac-address.ts';
import {
  decodeForwarding,
  deleteForwarding,
  dumpForwarding,
  encodeForwarding,
  replaceForwarding,
} from '../../../../src/network/netlink/fdb.ts';
import { encodeNeighbour } from '../../../../src/network/netlink/neighbour.ts';
import { addresses, indexes, macs } from '../../../support/network-arbitraries.ts';

const entries = fc.record({
  ifIndex: indexes,
  mac: macs,
  remote: addresses,
  state: fc.constantFrom(0x80, 0x40),
});
const PEER = {
  ifIndex: 7,
  mac: parseMacAddress('66:2d:bf:44:a6:8b'),
  remote: parseIpAddress('10.50.0.12'),
};

describe('replaceForwarding() and deleteForwarding()', () => {
  it('speak of a permanent entry of the device itself', () => {
    const attributes = '0a000200' + '662dbf44a68b' + '0000' + '08000100' + '0a32000c';

    expect(replaceForwarding(PEER)).toMatchObject({ type: 28, flags: 0x500 });
    expect(hex(replaceForwarding(PEER).payload)).toBe(
      ['07000000', '07000000', '80000200', attributes].join(''),
    );
    expect(deleteForwarding(PEER)).toMatchObject({ type: 29, flags: 0 });
    expect(hex(deleteForwarding(PEER).payload)).toBe(
      ['07000000', '07000000', '00000200', attributes].join(''),
    );
  });

  it('and dumpForwarding() of the entries of one device', () => {
    expect(hex(dumpForwarding(7).payload)).toBe('07000000' + '07000000' + '00000000');
  });
});

describe('decodeForwarding()', () => {
  it('reads back what encodeForwarding() wrote', () => {
    fc.assert(
      fc.property(entries, (entry) => {
        expect(decodeForwarding(encodeForwarding(entry))).toEqual(entry);
      }),
    );
  });

  it('passes over neighbours, entries of a bridge, entries without a host, and what is cut short', () => {
    const ofBridge = encodeForwarding({ ...PEER, state: 0x80 });
    ofBridge.writeUInt8(0, 10);
    const neighbour = encodeNeighbour({ ifIndex: 7, address: PEER.remote, mac: PEER.mac, state: 0x80 });

    expect(decodeForwarding(ofBridge)).toBeUndefined();
    expect(decodeForwarding(neighbour)).toBeUndefined();
    expect(decodeForwarding(encodeForwarding({ ...PEER, state: 0x80 }).subarray(0, 24))).toBeUndefined();
    expect(decodeForwarding(Buffer.alloc(3, 7))).toBeUndefined();
  });
});

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
