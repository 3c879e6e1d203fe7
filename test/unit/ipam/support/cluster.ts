/**
 * A whole cluster's IPAM records as one value, with compare-and-swap: the model that plans are tried against.
 * Every step returns a new cluster, so an old one can still be decided on.
 */

import { type Cidr, containsCidr, formatCidr, parseCidr } from '../../../../src/base/cidr.ts';
import { ABSENT, type Stored } from '../../../../src/base/revision.ts';
import type { AllocationBlock } from '../../../../src/ipam/allocation-block.ts';
import type { MustLook } from '../../../../src/ipam/assignment/address-search.ts';
import { type AssignmentRequest, affinityId, type IpamFacts, type Look } from '../../../../src/ipam/facts.ts';
import { type AssignmentPlan, planAssignment } from '../../../../src/ipam/plan-assignment.ts';
import { planRelease, type ReleasePlan, type ReleaseRequest } from '../../../../src/ipam/plan-release.ts';
import type {
  AffinityState,
  BlockAffinity,
  Handle,
  IpamChange,
  IpamConfig,
  IpamNode,
  IpPool,
} from '../../../../src/ipam/records.ts';

export type Assigned = Exclude<AssignmentPlan, MustLook>;
export type Released = Exclude<ReleasePlan, MustLook>;

export interface Cluster {
  readonly revision: number;
  readonly config: IpamConfig;
  readonly reservations: readonly Cidr[];
  readonly pools: readonly IpPool[];
  readonly nodes: readonly IpamNode[];
  readonly blocks: ReadonlyMap<string, Stored<AllocationBlock>>;
  /** By {@link affinityId}. */
  readonly affinities: ReadonlyMap<string, Stored<BlockAffinity>>;
  readonly handles: ReadonlyMap<string, Stored<Handle>>;
}

/** 2026-11-21T10:38:12.5Z */
export const NOW_NS = 1_795_257_492_500_000_000n;

export const DEFAULT_CONFIG: IpamConfig = {
  strictAffinity: false,
  autoAllocateBlocks: true,
  maxBlocksPerHost: 0,
  cooldownSeconds: 0,
};

export function pool(cidr: string, blockSize: number, changes: Partial<IpPool> = {}): IpPool {
  return {
    name: cidr,
    cidr: parseCidr(cidr),
    blockSize,
    enabled: true,
    nodeSelector: 'all()',
    namespaceSelector: '',
    allowedUses: ['Workload', 'Tunnel'],
    automatic: true,
    ...changes,
  };
}

export function node(name: string, labels: Readonly<Record<string, string>> = {}): IpamNode {
  return { name, labels };
}

export function cluster(
  changes: Partial<Pick<Cluster, 'reservations' | 'pools' | 'nodes'>> & { config?: Partial<IpamConfig> } = {},
): Cluster {
  return {
    revision: 1,
    reservations: [],
    pools: [pool('10.9.0.0/28', 30)],
    nodes: [node('node1'), node('node2'), node('node3')],
    blocks: new Map(),
    affinities: new Map(),
    handles: new Map(),
    ...changes,
    config: { ...DEFAULT_CONFIG, ...changes.config },
  };
}

export function assignmentRequest(
  nodeName: string,
  handleId: string,
  changes: Partial<AssignmentRequest> = {},
): AssignmentRequest {
  return {
    nodeName,
    handleId,
    owner: { node: nodeName, timestamp: '2026-11-21 10:38:12.5 +0000 UTC' },
    families: [4],
    requestedPools: [],
    requestedAddresses: [],
    namespaceLabels: {},
    use: 'Workload',
    nowNs: NOW_NS,
    ...changes,
  };
}

/** Writes records as somebody else would, unguarded. */
export function put(before: Cluster, ...changes: readonly IpamChange[]): Cluster {
  const guarded = changes.map((change) => ({ ...change, from: revisionOf(before, change) }));
  return commit(before, guarded) ?? before;
}

export function blockRecord(block: AllocationBlock): IpamChange {
  return { record: 'block', cidr: block.cidr, from: ABSENT, to: block };
}

export function affinityRecord(
  nodeName: string,
  cidr: string,
  state: AffinityState = 'confirmed',
): IpamChange {
  return {
    record: 'affinity',
    nodeName,
    cidr: parseCidr(cidr),
    from: ABSENT,
    to: { state, unknownFields: {} },
  };
}

export function handleRecord(handleId: string, counts: Readonly<Record<string, number>>): IpamChange {
  return {
    record: 'handle',
    handleId,
    from: ABSENT,
    to: { addressCounts: new Map(Object.entries(counts)), unknownFields: {} },
  };
}

/** The cluster after the changes, or `undefined` when one of their records is at another revision. */
export function commit(before: Cluster, changes: readonly IpamChange[]): Cluster | undefined {
  if (changes.some((change) => revisionOf(before, change) !== change.from)) return undefined;
  if (new Set(changes.map(recordId)).size !== changes.length) throw new Error('a record is changed twice');
  const revision = before.revision + 1;
  const blocks = new Map(before.blocks);
  const affinities = new Map(before.affinities);
  const handles = new Map(before.handles);
  for (const change of changes) {
    if (change.to === 'unchanged') continue;
    if (change.record === 'block') write(blocks, formatCidr(change.cidr), change.to);
    if (change.record === 'affinity')
      write(affinities, affinityId(change.nodeName, formatCidr(change.cidr)), change.to);
    if (change.record === 'handle') write(handles, change.handleId, change.to);
  }
  return { ...before, revision, blocks, affinities, handles };

  function write<T>(records: Map<string, Stored<T>>, key: string, value: T | undefined): void {
    if (value === undefined) records.delete(key);
    else records.set(key, { value, revision: String(revision) });
  }
}

/** What a decision of the node knows at first. */
export function firstFacts(of: Cluster, nodeName: string, handleIds: readonly string[]): IpamFacts {
  const own = [...of.affinities].filter(([id]) => id.startsWith(`${nodeName} `));
  return {
    config: of.config,
    reservations: of.reservations,
    node: of.nodes.find(({ name }) => name === nodeName),
    pools: of.pools,
    affinities: own
      .map(([id, stored]) => ({ ...stored, cidr: parseCidr(id.slice(nodeName.length + 1)) }))
      .sort((a, b) => (affinityOrder(a.cidr) < affinityOrder(b.cidr) ? -1 : 1)),
    handles: new Map(handleIds.map((handleId) => [handleId, of.handles.get(handleId)])),
    blocks: new Map(),
    blockListings: new Map(),
    otherAffinities: new Map(),
  };
}

/** The facts with the answers to a look. */
export function withLook(facts: IpamFacts, of: Cluster, look: Look): IpamFacts {
  const blocks = new Map(facts.blocks);
  const blockListings = new Map(facts.blockListings);
  const otherAffinities = new Map(facts.otherAffinities);
  const handles = new Map(facts.handles);
  for (const handleId of look.handles) handles.set(handleId, of.handles.get(handleId));
  for (const cidr of look.blocks) blocks.set(formatCidr(cidr), of.blocks.get(formatCidr(cidr)));
  for (const { family, withValues } of look.listings) {
    const listed = [...of.blocks].filter(([, { value }]) => value.cidr.family === family);
    blockListings.set(family, new Set(listed.map(([text]) => text)));
    if (withValues) for (const [text, stored] of listed) blocks.set(text, stored);
  }
  for (const { nodeName, cidr } of look.affinities) {
    const id = affinityId(nodeName, formatCidr(cidr));
    otherAffinities.set(id, of.affinities.get(id));
  }
  return { ...facts, blocks, blockListings, otherAffinities, handles };
}

/** Decides until there is nothing left to look at; the looks are returned for tests that count them. */
export function decide<Plan extends { readonly outcome: string }>(
  of: Cluster,
  facts: IpamFacts,
  plan: (facts: IpamFacts) => Plan | MustLook,
): { readonly plan: Plan; readonly looks: readonly Look[] } {
  const looks: Look[] = [];
  for (let known = facts; looks.length < 100; ) {
    const decision = plan(known);
    if (!isLook(decision)) return { plan: decision, looks };
    looks.push(decision.look);
    known = withLook(known, of, decision.look);
  }
  throw new Error('asks for ever more facts');
}

function isLook(decision: { readonly outcome: string } | MustLook): decision is MustLook {
  return decision.outcome === 'look';
}

/** An undisturbed ADD. */
export function add(of: Cluster, request: AssignmentRequest) {
  const facts = firstFacts(of, request.nodeName, [request.handleId]);
  const { plan, looks } = decide<Assigned>(of, facts, (known) => planAssignment(request, known));
  const after = commit(of, plan.changes);
  if (after === undefined) throw new Error('lost against nobody');
  return { after, plan, looks };
}

/** An undisturbed DEL. */
export function del(
  of: Cluster,
  nodeName: string,
  handleIds: readonly string[],
  changes: Partial<ReleaseRequest> = {},
) {
  const request = { handleIds, nodeName, nowNs: NOW_NS, ...changes };
  const facts = firstFacts(of, nodeName, handleIds);
  const { plan, looks } = decide<Released>(of, facts, (known) => planRelease(request, known));
  const after = commit(of, plan.changes);
  if (after === undefined) throw new Error('lost against nobody');
  return { after, plan, looks };
}

export function blockAt(of: Cluster, cidrText: string): AllocationBlock {
  const stored = of.blocks.get(cidrText);
  if (stored === undefined) throw new Error(`no block ${cidrText}`);
  return stored.value;
}

/** Blocks whose pool does not cut itself that way, or that overlap. */
export function misplacedBlocks(of: Cluster): readonly string[] {
  return [...of.blocks].flatMap(([text, { value }]) => {
    const home = of.pools.find(({ cidr }) => containsCidr(cidr, value.cidr));
    return text === formatCidr(value.cidr) && home?.blockSize === value.cidr.prefixLength ? [] : [text];
  });
}

function revisionOf(of: Cluster, change: IpamChange): string {
  const [records, key] = recordOf(of, change);
  return records.get(key)?.revision ?? ABSENT;
}

function recordOf(of: Cluster, change: IpamChange): [ReadonlyMap<string, Stored<unknown>>, string] {
  if (change.record === 'handle') return [of.handles, change.handleId];
  const text = formatCidr(change.cidr);
  return change.record === 'block' ? [of.blocks, text] : [of.affinities, affinityId(change.nodeName, text)];
}

function recordId(change: IpamChange): string {
  if (change.record === 'handle') return `handle ${change.handleId}`;
  const text = formatCidr(change.cidr);
  return change.record === 'block' ? `block ${text}` : `affinity ${affinityId(change.nodeName, text)}`;
}

/** Datastore keys sort as text: `10.0.0.128-26` before `10.0.0.64-26`. */
function affinityOrder(cidr: Cidr): string {
  return `${cidr.family} ${formatCidr(cidr).replace('/', '-')}`;
}
