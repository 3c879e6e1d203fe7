/** Whether pools and blocks lie apart from each other. Pure. */

import { type Cidr, containsCidr, formatCidr } from '../../base/cidr.ts';
import type { Damage, Finding } from './damage.ts';

interface Place {
  readonly cidr: Cidr;
  readonly key: string;
}

export function auditPlaces(pools: readonly Place[], blocks: readonly Place[]): readonly Finding[] {
  return [
    ...overlaps('overlapping-pools', 'pool', pools),
    ...overlaps('overlapping-blocks', 'block', blocks),
  ];
}

/** Of two CIDRs that overlap one holds the other, so in order of their first addresses they follow each other. */
function overlaps(damage: Damage, what: string, places: readonly Place[]): readonly Finding[] {
  const sorted = places.toSorted((a, b) => inOrder(a.cidr, b.cidr));
  let outer: Place | undefined;
  return sorted.flatMap((place) => {
    if (outer === undefined || !containsCidr(outer.cidr, place.cidr)) {
      outer = place;
      return [];
    }
    const text = `${what} ${formatCidr(place.cidr)} lies in ${what} ${formatCidr(outer.cidr)} (${outer.key})`;
    return [{ damage, key: place.key, text }];
  });
}

function inOrder(a: Cidr, b: Cidr): number {
  if (a.family !== b.family) return a.family - b.family;
  if (a.base !== b.base) return a.base < b.base ? -1 : 1;
  return a.prefixLength - b.prefixLength;
}
