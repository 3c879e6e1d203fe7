/** One automatic address of one family (Calico's AutoAssign). Pure. */

import { lookAtBlocks, mergeLooks } from '../look.ts';
import type { AddressSearch, MustLook, Taken } from './address-search.ts';
import { borrowAddress } from './borrowed-address.ts';
import { takeFromNewBlock } from './new-block.ts';
import { takeFromOwnBlock } from './own-block.ts';
import { takeFromReclaimedBlock } from './reclaimed-block.ts';
import { noAddressLeft } from './refusals.ts';
import { blocksToTidy, tidyChanges } from './tidy.ts';

const CHOICES = [takeFromOwnBlock, takeFromNewBlock, takeFromReclaimedBlock, borrowAddress];

/** The first choice that has an answer gives it; `no-address` when none has. */
export function searchAddress(search: AddressSearch): Taken | MustLook {
  for (const choice of CHOICES) {
    const answer = choice(search);
    if (answer?.outcome === 'taken') {
      return { ...answer, changes: [...answer.changes, ...tidyChanges(search, answer.networks)] };
    }
    if (answer?.outcome === 'look') {
      return { outcome: 'look', look: mergeLooks([answer.look, lookAtBlocks(blocksToTidy(search))]) };
    }
  }
  throw noAddressLeft(search);
}
