/** One automatic address of one family (Calico's AutoAssign). Pure. */

import type { AddressSearch, MustLook, Taken } from './address-search.ts';
import { takeFromNewBlock } from './new-block.ts';
import { takeFromOwnBlock } from './own-block.ts';
import { noAddressLeft } from './refusals.ts';

const STEPS = [takeFromOwnBlock, takeFromNewBlock];

/** The first step that has an answer gives it; `no-address` when none has. */
export function searchAddress(search: AddressSearch): Taken | MustLook {
  for (const step of STEPS) {
    const answer = step(search);
    if (answer !== undefined) return answer;
  }
  throw noAddressLeft(search);
}
