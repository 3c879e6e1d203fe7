/** Last choice: an address of another node's block, which stays that node's. Pure. */

import { type AddressSearch, type SearchAnswer, takeFrom } from './address-search.ts';
import { existingBlocks, isLook } from './existing-blocks.ts';

/** Not under strict affinity. The owner attributes name this node, from which Felix routes the address here. */
export function borrowAddress(search: AddressSearch): SearchAnswer {
  if (search.facts.config.strictAffinity) return undefined;
  const blocks = existingBlocks(search);
  if (isLook(blocks)) return blocks;
  for (const { stored, text } of blocks) {
    const notes = [`borrowed from block ${text}, whose affinity is ${stored.value.affinity ?? 'nobody'}`];
    const taken = takeFrom(search, { block: stored.value, from: stored.revision, also: [], notes });
    if (taken !== undefined) return taken;
  }
  return undefined;
}
