/** What is written about a node that is gone for good, a block at a time: not while anything says that it is there. Pure. */

import { type Cidr, formatCidr } from '../../base/cidr.ts';
import { formatIpAddress, type IpAddress } from '../../base/ip-address.ts';
import { ABSENT } from '../../base/revision.ts';
import { parseGoTime } from '../../base/time.ts';
import {
  blockRange,
  ipamFacts,
  ipamRanges,
  ipamTransaction,
  lookRanges,
} from '../../datastore/ipam-records.ts';
import { ipamHostKey, nodeClaimKey, nodeKey } from '../../datastore/keys.ts';
import { commitOrDone, type Decision } from '../../datastore/settle.ts';
import type { Expectation, Range } from '../../datastore/store.ts';
import { entryAt, type View } from '../../datastore/view.ts';
import { knownEndpoints } from '../../datastore/workload-records.ts';
import { holderKind } from '../../garbage/holder-kind.ts';
import { endpointGuards, endpointRanges } from '../../garbage/live-endpoint.ts';
import type { IpamFacts } from '../../ipam/facts.ts';
import { addressOfAllocation, allocationsOf, type SeenAllocation } from '../../ipam/plan-collection.ts';
import { type LetGo, planNodeRemoval } from '../../ipam/plan-node-removal.ts';
import type { WorkloadEndpoint } from '../../workload/workload-endpoint.ts';

export interface RemovedNodeInputs {
  readonly nodeName: string;
  /** Wall clock, nanoseconds since the epoch. */
  readonly nowNs: bigint;
  /** What was made later stays. */
  readonly madeBeforeNs: bigint;
  /** All that are left of the node: their addresses stay. */
  readonly endpoints: readonly WorkloadEndpoint[];
  /** That this agent is the one that does it. */
  readonly role: readonly Expectation[];
  /** Decide, and write nothing. */
  readonly isDryRun: boolean;
}

export type RemovedNodeOutcome =
  | {
      readonly isDone: true;
      readonly addresses: readonly IpAddress[];
      readonly letGo: LetGo;
      /** Addresses of the node that stay. */
      readonly kept: number;
      readonly isUnfinished: boolean;
    }
  | { readonly isDone: false; readonly why: string };

/** A transaction has room for as many, with their handles and what is looked at beside them: */
const MAX_ADDRESSES = 16;
const MAX_GUARDS = 64;

/** What must be read for a decision on the block. */
export function removedNodeRanges(nodeName: string, block: Cidr): readonly Range[] {
  return [...ipamRanges({ nodeName, handleIds: [] }), { key: nodeClaimKey(nodeName) }, blockRange(block)];
}

export function decideRemovedNode(
  inputs: RemovedNodeInputs,
  block: Cidr,
  view: View,
): Decision<RemovedNodeOutcome> {
  const { nodeName, nowNs, isDryRun, role } = inputs;
  const back = comeBack(nodeName, view) ?? takenOver(role, view);
  if (back !== undefined) return leave(back);
  const warnings: string[] = [];
  const come = knownEndpoints(view, (text) => void warnings.push(text)).map(({ value }) => value);
  const [unreadable] = warnings;
  if (unreadable !== undefined) return leave(unreadable);
  const endpoints = [...inputs.endpoints, ...come];
  const isReleasable = (seen: SeenAllocation) => isNobodys(seen, endpoints, inputs.madeBeforeNs);
  const facts = ipamFacts(view, { nodeName }, () => undefined);
  const plan = planNodeRemoval(
    {
      nodeName,
      nowNs,
      block,
      isReleasable,
      maxAddresses: isDryRun ? Number.POSITIVE_INFINITY : roomFor(heldIn(block, facts)),
    },
    isDryRun ? withoutHandles(facts, block) : facts,
  );
  if (plan.outcome === 'look') return { step: 'look', ranges: lookRanges(plan.look) };
  const { changes, released, addresses, letGo, kept, isUnfinished } = plan;
  const outcome = { isDone: true, addresses, letGo, kept, isUnfinished } as const;
  if (isDryRun) return { step: 'done', outcome };
  const { expect, write } = ipamTransaction(changes);
  const guards = released.flatMap((seen) => endpointGuards(seen, view));
  return commitOrDone({ expect: [...expect, ...guards, ...goneGuards(nodeName), ...role], write }, outcome);
}

export function hostEntryRanges(nodeName: string): readonly Range[] {
  return [ipamHostKey(nodeName), nodeKey(nodeName), nodeClaimKey(nodeName)].map((key) => ({ key }));
}

/** The entry goes; gives whether there was one. */
export function decideHostEntry(
  { nodeName, isDryRun, role }: Pick<RemovedNodeInputs, 'nodeName' | 'isDryRun' | 'role'>,
  view: View,
): Decision<boolean> {
  const key = ipamHostKey(nodeName);
  const entry = entryAt(view, key);
  const back = comeBack(nodeName, view) ?? takenOver(role, view);
  if (entry === undefined || back !== undefined) return { step: 'done', outcome: false };
  if (isDryRun) return { step: 'done', outcome: true };
  const expect = [{ key, revision: entry.revision }, ...goneGuards(nodeName), ...role];
  return { step: 'commit', transaction: { expect, write: [{ type: 'delete', key }] }, outcome: true };
}

function comeBack(nodeName: string, view: View): string | undefined {
  if (entryAt(view, nodeKey(nodeName)) !== undefined) return `node ${nodeName} is there again`;
  if (entryAt(view, nodeClaimKey(nodeName)) !== undefined) return `an agent of node ${nodeName} runs`;
  return undefined;
}

/** Once a commit has been lost to it. */
function takenOver(role: readonly Expectation[], view: View): string | undefined {
  const isLost = ({ key, revision }: Expectation) =>
    view.entries.has(key) && entryAt(view, key)?.revision !== revision;
  return role.some(isLost) ? 'another agent looks after removed nodes now' : undefined;
}

function goneGuards(nodeName: string): readonly Expectation[] {
  return [nodeKey(nodeName), nodeClaimKey(nodeName)].map((key) => ({ key, revision: ABSENT }));
}

/** Where nothing is written, the records of the handles make no difference. */
function withoutHandles(facts: IpamFacts, block: Cidr): IpamFacts {
  return { ...facts, handles: new Map(heldIn(block, facts).map(({ handleId }) => [handleId, undefined])) };
}

function heldIn(block: Cidr, { blocks }: IpamFacts): readonly SeenAllocation[] {
  const stored = blocks.get(formatCidr(block));
  return stored === undefined ? [] : allocationsOf(stored.value);
}

/** A handle with many dots may be of many containers, each of which is looked at. */
function roomFor(held: readonly SeenAllocation[]): number {
  const most = Math.max(1, ...held.filter(isContainer).map((seen) => endpointRanges(seen).length));
  return Math.max(1, Math.min(MAX_ADDRESSES, Math.floor(MAX_GUARDS / most)));
}

function isContainer(seen: SeenAllocation): boolean {
  return holderKind(seen) === 'container';
}

/** Of a container that has no endpoint, or of the node itself. */
function isNobodys(
  seen: SeenAllocation,
  endpoints: readonly WorkloadEndpoint[],
  madeBeforeNs: bigint,
): boolean {
  const { handleId, owner } = seen;
  const kind = holderKind(seen);
  if (kind !== 'container') return kind === 'tunnel';
  if ((parseGoTime(owner.timestamp ?? '') ?? madeBeforeNs) > madeBeforeNs) return false;
  const address = formatIpAddress(addressOfAllocation(seen));
  return !endpoints.some(
    ({ ipNetworks, containerId, podName, namespace }) =>
      ipNetworks.some((network) => formatIpAddress(network.address) === address) ||
      (containerId !== undefined && handleId.endsWith(`.${containerId}`)) ||
      (podName !== undefined && podName === owner.pod && namespace === owner.namespace),
  );
}

function leave(why: string): Decision<RemovedNodeOutcome> {
  return { step: 'done', outcome: { isDone: false, why } };
}
