/** Which addresses of a CIDR are set aside by IPReservations. Pure. */

import { addressCount, type Cidr, containsCidr } from '../base/cidr.ts';

/** Addresses from `from` up to, not including, `to`. */
export interface AddressRange {
  readonly from: bigint;
  readonly to: bigint;
}

/** The reserved parts of the CIDR: sorted, apart from each other, clipped to the CIDR. */
export function reservedRanges(cidr: Cidr, reservations: readonly Cidr[]): readonly AddressRange[] {
  const clipped = reservations
    .flatMap((reservation) => commonRange(cidr, reservation) ?? [])
    .sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  const merged: AddressRange[] = [];
  for (const range of clipped) {
    const last = merged.at(-1);
    if (last === undefined || range.from > last.to) merged.push(range);
    else if (range.to > last.to) merged[merged.length - 1] = { from: last.from, to: range.to };
  }
  return merged;
}

/** The reserved ordinals of a block. */
export function reservedOrdinals(blockCidr: Cidr, reservations: readonly Cidr[]): ReadonlySet<number> {
  const ordinals = new Set<number>();
  for (const { from, to } of reservedRanges(blockCidr, reservations)) {
    for (let value = from; value < to; value++) ordinals.add(Number(value - blockCidr.base));
  }
  return ordinals;
}

function rangeOf(cidr: Cidr): AddressRange {
  return { from: cidr.base, to: cidr.base + addressCount(cidr) };
}

/** Of two CIDRs one holds the other, or they have nothing in common. */
function commonRange(a: Cidr, b: Cidr): AddressRange | undefined {
  if (containsCidr(b, a)) return rangeOf(a);
  return containsCidr(a, b) ? rangeOf(b) : undefined;
}
