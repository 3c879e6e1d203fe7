/** What a handle holds already. Pure. */

import { CalicoError } from '../base/calico-error.ts';
import { tryParseCidr } from '../base/cidr.ts';
import type { Revision, Stored } from '../base/revision.ts';
import { ABSENT } from '../base/revision.ts';
import type { AllocationBlock } from './allocation-block.ts';
import { ordinalsOfHandle } from './block/usage.ts';
import type { IpamFacts } from './facts.ts';
import { sameCounts, withCounts } from './handle.ts';
import { isRead, loadBlock, type NamedCidr, nameCidr, uniquePlaces } from './known-blocks.ts';
import type { Handle, IpamChange } from './records.ts';

/** A block with addresses of the handle. */
export interface Holding extends NamedCidr {
  readonly block: AllocationBlock;
  readonly revision: Revision;
  readonly ordinals: readonly number[];
}

/** A handle as it is stored, next to what the blocks say it holds. */
export interface Holdings {
  readonly handleId: string;
  readonly stored: Stored<Handle> | undefined;
  /** Blocks the handle names. */
  readonly named: readonly NamedCidr[];
  /** Those of them that must be read first. */
  readonly unread: readonly NamedCidr[];
  readonly held: readonly Holding[];
}

/**
 * Looks in the blocks the handle names, and in the node's own blocks and the others given, as far as they have been
 * read: an address whose handle record was lost is found there.
 */
export function findHoldings(
  handleId: string,
  facts: IpamFacts,
  nowNs: bigint,
  also: readonly NamedCidr[] = [],
): Holdings {
  const stored = handleFact(handleId, facts);
  const named = [...(stored?.value.addressCounts.keys() ?? [])]
    .flatMap((text) => tryParseCidr(text) ?? [])
    .map(nameCidr);
  const own = facts.affinities.map(({ cidr }) => nameCidr(cidr));
  return {
    handleId,
    stored,
    named,
    unread: named.filter((place) => !isRead(facts, place)),
    held: uniquePlaces([...named, ...own, ...also]).flatMap((place) =>
      holdingIn(place, handleId, facts, nowNs),
    ),
  };
}

/**
 * The change that makes the handle count exactly what it holds once the other changes are made; none when it
 * does so already. Entries of blocks that hold nothing of it disappear: they are what a crash left behind.
 */
export function handleChanges(holdings: Holdings, changes: readonly IpamChange[]): readonly IpamChange[] {
  const { stored, handleId } = holdings;
  const counts = new Map(holdings.held.map(({ text, ordinals }) => [text, ordinals.length]));
  return countChange(handleId, stored, countsAfter(counts, handleId, changes));
}

/**
 * The change that makes the handle count exactly what it holds in the blocks that are changed; what it counts in others
 * stays. For another sandbox's handle, of which no more is known. Its record, or that there is none, must have been read.
 */
export function recountHandle(
  handleId: string,
  facts: IpamFacts,
  changes: readonly IpamChange[],
): readonly IpamChange[] {
  const stored = handleFact(handleId, facts);
  const counts = stored?.value.addressCounts ?? new Map<string, number>();
  return countChange(handleId, stored, countsAfter(counts, handleId, changes));
}

function countChange(
  handleId: string,
  stored: Stored<Handle> | undefined,
  counts: ReadonlyMap<string, number>,
): readonly IpamChange[] {
  const after = withCounts(stored?.value, counts);
  if (sameCounts(stored?.value, after)) return [];
  return [{ record: 'handle', handleId, from: stored?.revision ?? ABSENT, to: after }];
}

function countsAfter(
  before: ReadonlyMap<string, number>,
  handleId: string,
  changes: readonly IpamChange[],
): ReadonlyMap<string, number> {
  const counts = new Map(before);
  for (const change of changes) {
    if (change.record !== 'block' || change.to === 'unchanged') continue;
    const ordinals = change.to === undefined ? [] : ordinalsOfHandle(change.to, handleId);
    counts.set(nameCidr(change.cidr).text, ordinals.length);
  }
  return counts;
}

function holdingIn(place: NamedCidr, handleId: string, facts: IpamFacts, nowNs: bigint): readonly Holding[] {
  const stored = loadBlock(facts, place, nowNs);
  const ordinals = stored === undefined ? [] : ordinalsOfHandle(stored.value, handleId);
  if (stored === undefined || ordinals.length === 0) return [];
  return [{ ...place, block: stored.value, revision: stored.revision, ordinals }];
}

function handleFact(handleId: string, facts: IpamFacts): Stored<Handle> | undefined {
  if (facts.handles.has(handleId)) return facts.handles.get(handleId);
  throw new CalicoError('internal', `handle ${JSON.stringify(handleId)} was not read before deciding on it`);
}
