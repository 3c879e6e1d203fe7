/** Several plans of IPAM, each made on what the one before leaves, as one set of changes. Pure. */

import { formatCidr } from '../../base/cidr.ts';
import type { Revision, Stored } from '../../base/revision.ts';
import { affinityId, type IpamFacts, type NodeAffinity } from '../../ipam/facts.ts';
import type { IpamChange } from '../../ipam/records.ts';

/**
 * The facts as they will be. Records keep the revision they were read at: that is what a later plan has to insist on.
 * `nodeName`: whose affinities the facts hold.
 */
export function factsAfter(facts: IpamFacts, nodeName: string, changes: readonly IpamChange[]): IpamFacts {
  const blocks = new Map(facts.blocks);
  const handles = new Map(facts.handles);
  const otherAffinities = new Map(facts.otherAffinities);
  let affinities = facts.affinities;
  for (const change of changes) {
    if (change.to === 'unchanged') continue;
    switch (change.record) {
      case 'block':
        blocks.set(formatCidr(change.cidr), stored(change.to, change.from));
        break;
      case 'handle':
        handles.set(change.handleId, stored(change.to, change.from));
        break;
      case 'affinity': {
        const { cidr, from, to } = change;
        const text = formatCidr(cidr);
        if (change.nodeName !== nodeName) {
          otherAffinities.set(affinityId(change.nodeName, text), stored(to, from));
          break;
        }
        const others = affinities.filter((affinity) => formatCidr(affinity.cidr) !== text);
        const added: readonly NodeAffinity[] = to === undefined ? [] : [{ cidr, value: to, revision: from }];
        affinities = [...others, ...added];
      }
    }
  }
  return { ...facts, blocks, handles, otherAffinities, affinities };
}

/** One change of each record: from what it was at first to what it is at last. */
export function mergeChanges(changes: readonly IpamChange[]): readonly IpamChange[] {
  const merged = new Map<string, IpamChange>();
  for (const change of changes) {
    const id = idOf(change);
    const first = merged.get(id);
    if (first === undefined) merged.set(id, change);
    else if (change.to !== 'unchanged') merged.set(id, { ...change, from: first.from });
  }
  return [...merged.values()];
}

function idOf(change: IpamChange): string {
  switch (change.record) {
    case 'handle':
      return `handle ${change.handleId}`;
    case 'block':
      return `block ${formatCidr(change.cidr)}`;
    case 'affinity':
      return `affinity ${change.nodeName} ${formatCidr(change.cidr)}`;
  }
}

function stored<T>(value: T | undefined, revision: Revision): Stored<T> | undefined {
  return value === undefined ? undefined : { value, revision };
}
