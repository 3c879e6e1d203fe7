import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { containsAddress, parseCidr } from '../../../src/base/cidr.ts';
import { reservedOrdinals, reservedRanges } from '../../../src/ipam/reservations.ts';

describe('reservedOrdinals()', () => {
  it('are those whose address lies in a reservation', () => {
    const block = parseCidr('10.9.0.16/28');
    const reservation = fc
      .record({ value: fc.nat(63), prefixLength: fc.integer({ min: 26, max: 32 }) })
      .map(({ value, prefixLength }) => parseCidr(`10.9.0.${value}/${prefixLength}`));
    fc.assert(
      fc.property(fc.array(reservation, { maxLength: 6 }), (reservations) => {
        const expected = Array.from({ length: 16 }, (_, ordinal) => ordinal).filter((ordinal) =>
          reservations.some((cidr) =>
            containsAddress(cidr, { family: 4, value: block.base + BigInt(ordinal) }),
          ),
        );
        expect([...reservedOrdinals(block, reservations)]).toEqual(expected);
      }),
    );
  });
});

describe('reservedRanges()', () => {
  it('melts together what overlaps or touches, and stays inside the CIDR', () => {
    const ranges = reservedRanges(
      parseCidr('10.9.0.0/24'),
      ['10.9.0.4/30', '10.9.0.8/29', '10.9.0.5/32', '10.9.0.32/28', '10.10.0.0/16'].map(parseCidr),
    );
    const base = parseCidr('10.9.0.0/24').base;
    expect(ranges).toEqual([
      { from: base + 4n, to: base + 16n },
      { from: base + 32n, to: base + 48n },
    ]);
    expect(reservedRanges(parseCidr('10.9.0.0/24'), [parseCidr('10.0.0.0/8')])).toEqual([
      { from: base, to: base + 256n },
    ]);
  });
});
