import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeNeighbour,
  encodeNeighbour,
  type Neighbour,
} from '../../../../src/network/netlink/neighbour.ts';
import { addresses, indexes, macs, orUndefined } from '../../../support/network-arbitraries.ts';

const neighbours: fc.Arbitrary<Neighbour> = fc.record({
  ifIndex: indexes,
  address: addresses,
  mac: orUndefined(macs),
  state: fc.nat(0xff),
});

describe('decodeNeighbour()', () => {
  it('reads back what encodeNeighbour() wrote', () => {
    fc.assert(
      fc.property(neighbours, (neighbour) => {
        expect(decodeNeighbour(encodeNeighbour(neighbour))).toEqual(neighbour);
      }),
    );
  });

  it('passes over entries without an IP address', () => {
    expect(decodeNeighbour(Buffer.alloc(12))).toBeUndefined();
  });
});
