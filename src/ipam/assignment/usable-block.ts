/** A block as this node's own: as it is, claimed, or created. Pure. */

import { ABSENT, type Revision } from '../../base/revision.ts';
import { adoptBlock, confirmAffinity, standingOf } from '../affinity.ts';
import { type AllocationBlock, hostAffinity } from '../allocation-block.ts';
import { createBlock } from '../block/create.ts';
import type { AssignmentRequest, IpamFacts } from '../facts.ts';
import { loadBlock, type NamedCidr, nameCidr } from '../known-blocks.ts';
import type { IpamChange } from '../records.ts';

/** A block to take addresses from, and what has to be written along with it. */
export interface UsableBlock {
  readonly block: AllocationBlock;
  readonly from: Revision;
  readonly also: readonly IpamChange[];
  readonly notes: readonly string[];
}

/**
 * The block under this node's affinity, which is confirmed in the same changes; `undefined` when others have a
 * say in it. The block, or its absence, must have been read or be known from a listing.
 */
export function asOwn(
  { nodeName, nowNs }: AssignmentRequest,
  facts: IpamFacts,
  place: NamedCidr,
): UsableBlock | undefined {
  const stored = loadBlock(facts, place, nowNs);
  const confirm = confirmChange(facts, nodeName, place);
  switch (standingOf(stored?.value, nodeName)) {
    case 'ours':
      // Who wants to take a block away must change the block: its own guard is enough.
      return (
        stored && {
          block: stored.value,
          from: stored.revision,
          also: confirm.to === 'unchanged' ? [] : [confirm],
          notes: [],
        }
      );
    case 'missing':
      return {
        block: createBlock(place.cidr, hostAffinity(nodeName), nowNs),
        from: ABSENT,
        also: [confirm],
        notes: [`claimed block ${place.text}`],
      };
    case 'adoptable':
      return (
        stored && {
          block: adoptBlock(stored.value, nodeName, nowNs),
          from: stored.revision,
          also: [confirm],
          notes: [`claimed block ${place.text}, which nobody had`],
        }
      );
    case 'foreign':
      return undefined;
  }
}

/** Makes this node's affinity to the block a confirmed one, whatever it is now, or insists that it stays so. */
export function confirmChange(facts: IpamFacts, nodeName: string, { cidr, text }: NamedCidr): IpamChange {
  const present = facts.affinities.find((affinity) => nameCidr(affinity.cidr).text === text);
  return {
    record: 'affinity',
    nodeName,
    cidr,
    from: present?.revision ?? ABSENT,
    to: present?.value.state === 'confirmed' ? 'unchanged' : confirmAffinity(present?.value),
  };
}
