/** Affinities of this node that have lost their sense are cleared away along with an assignment. Pure. */

import { baseAddress, containsAddress, type IpNetwork } from '../../base/cidr.ts';
import { ABSENT } from '../../base/revision.ts';
import { nodeOfAffinity, standingOf } from '../affinity.ts';
import type { AllocationBlock } from '../allocation-block.ts';
import { isEmpty } from '../block/usage.ts';
import type { NodeAffinity } from '../facts.ts';
import { isRead, loadBlock, type NamedCidr, nameCidr } from '../known-blocks.ts';
import { isDeselected } from '../pool-choice.ts';
import type { IpamChange } from '../records.ts';
import { type AddressSearch, ownAffinities } from './address-search.ts';

/** No ADD shall pay for more than a few: the next one goes on. */
const MAX_PER_PLAN = 4;

/**
 * Deletes our affinity to a block that another node has, and our empty blocks, with their affinities, where no
 * pool wants this node any more. Only what has been read already, and not the block just taken from. The block
 * is guarded in either case, so that an affinity never goes while its block becomes ours.
 */
export function tidyChanges(search: AddressSearch, taken: readonly IpNetwork[]): readonly IpamChange[] {
  const affinities = [
    ...ownAffinities(search, true).map((affinity) => ({ affinity, wanted: true })),
    ...strayAffinities(search).map((affinity) => ({ affinity, wanted: false })),
  ];
  return affinities
    .filter(({ affinity }) => isRead(search.facts, nameCidr(affinity.cidr)))
    .filter(({ affinity }) => !taken.some(({ address }) => containsAddress(affinity.cidr, address)))
    .map(({ affinity, wanted }) => tidyOne(search, affinity, wanted))
    .filter((changes) => changes.length > 0)
    .slice(0, MAX_PER_PLAN)
    .flat();
}

/** Blocks worth reading along with others, to see whether they can be given back. */
export function blocksToTidy(search: AddressSearch): readonly NamedCidr[] {
  return strayAffinities(search)
    .map(({ cidr }) => nameCidr(cidr))
    .filter((place) => !isRead(search.facts, place))
    .slice(0, MAX_PER_PLAN);
}

/** Affinities whose pool is gone or selects this node no longer. A pool that is disabled may come back. */
function strayAffinities(search: AddressSearch): readonly NodeAffinity[] {
  const { pools, node } = search.facts;
  return ownAffinities(search, false).filter(
    ({ cidr }) =>
      isDeselected(cidr, pools, node) || !pools.some((pool) => containsAddress(pool.cidr, baseAddress(cidr))),
  );
}

function tidyOne(search: AddressSearch, affinity: NodeAffinity, wanted: boolean): readonly IpamChange[] {
  const { nodeName, nowNs } = search.request;
  const { cidr, revision } = affinity;
  const stored = loadBlock(search.facts, nameCidr(cidr), nowNs);
  const standing = standingOf(stored?.value, nodeName);
  const block = { record: 'block', cidr, from: stored?.revision ?? ABSENT } as const;
  const drop: IpamChange = { record: 'affinity', nodeName, cidr, from: revision, to: undefined };
  if (standing === 'foreign') return isKept(stored?.value) ? [] : [{ ...block, to: 'unchanged' }, drop];
  if (wanted) return [];
  if (stored === undefined) return [{ ...block, to: 'unchanged' }, drop];
  return isEmpty(stored.value) ? [{ ...block, to: undefined }, drop] : [];
}

/** A block whose owner is no node, or cannot be read: not for this program to judge. */
function isKept(block: AllocationBlock | undefined): boolean {
  return block?.affinity !== undefined && nodeOfAffinity(block.affinity) === undefined;
}
