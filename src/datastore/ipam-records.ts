/** IPAM's records in the datastore: what to read for a decision, what it knows then, what to write. Pure. */

import { addressCount, type Cidr, formatCidr } from '../base/cidr.ts';
import type { IpFamily } from '../base/ip-address.ts';
import type { Stored } from '../base/revision.ts';
import type { AllocationBlock } from '../ipam/allocation-block.ts';
import { affinityId, type IpamFacts, type Look, type NodeAffinity } from '../ipam/facts.ts';
import type { BlockAffinity, Handle, IpamChange, IpamConfig, IpPool } from '../ipam/records.ts';
import { decodeAffinity, encodeAffinity } from './codecs/affinity.ts';
import { decodeBlock, encodeBlock } from './codecs/block.ts';
import { decodeHandle, encodeHandle } from './codecs/handle.ts';
import { decodeIpPool } from './codecs/ip-pool.ts';
import { decodeIpReservation } from './codecs/ip-reservation.ts';
import { DEFAULT_IPAM_CONFIG, decodeIpamConfig } from './codecs/ipam-config.ts';
import { decodeIpamNode } from './codecs/node.ts';
import { readable } from './codecs/readable.ts';
import {
  affinityKey,
  affinityPrefix,
  blockKey,
  blockPrefix,
  cidrOfKey,
  handleIdOfKey,
  handleKey,
  IP_POOLS_PREFIX,
  IP_RESERVATIONS_PREFIX,
  IPAM_CONFIG_KEY,
  nodeKey,
  nodeNameOfAffinityKey,
} from './keys.ts';
import type { Entry, Range, Transaction, Write } from './store.ts';
import { entriesUnder, entryAt, keysUnder, type View } from './view.ts';

const FAMILIES: readonly IpFamily[] = [4, 6];

/** Whose records a decision is about. */
export interface IpamSubject {
  readonly nodeName: string;
  readonly handleIds: readonly string[];
}

/** Everything a decision needs to begin with, in one read. */
export function ipamRanges({ nodeName, handleIds }: IpamSubject): readonly Range[] {
  return [
    { key: IPAM_CONFIG_KEY },
    { prefix: IP_RESERVATIONS_PREFIX },
    { key: nodeKey(nodeName) },
    { prefix: IP_POOLS_PREFIX },
    ...FAMILIES.map((family) => ({ prefix: affinityPrefix(nodeName, family) })),
    ...handleIds.map((handleId) => ({ key: handleKey(handleId) })),
  ];
}

/** The names of all blocks there are. */
export const BLOCK_LISTS: readonly Range[] = FAMILIES.map((family) => ({
  prefix: blockPrefix(family),
  keysOnly: true,
}));

/** All blocks of the cluster, once {@link BLOCK_LISTS} has been read. */
export function listedBlocks(view: View): readonly Cidr[] {
  return FAMILIES.flatMap((family) =>
    Array.from(keysUnder(view, blockPrefix(family)) ?? [], cidrOfKey).filter((cidr) => cidr !== undefined),
  );
}

export function blockRange(cidr: Cidr): Range {
  return { key: blockKey(cidr) };
}

/** What a decision asked to see as well. */
export function lookRanges(look: Look): readonly Range[] {
  return [
    ...look.blocks.map((cidr) => ({ key: blockKey(cidr) })),
    ...look.handles.map((handleId) => ({ key: handleKey(handleId) })),
    ...look.affinities.map(({ nodeName, cidr }) => ({ key: affinityKey(nodeName, cidr) })),
    ...look.listings.map(({ family, withValues }) => ({
      prefix: blockPrefix(family),
      keysOnly: !withValues,
    })),
  ];
}

/** The view in IPAM's own terms. Damaged records are reported to `warn` and left out, as if out of reach. */
export function ipamFacts(
  view: View,
  { nodeName }: Pick<IpamSubject, 'nodeName'>,
  warn: (text: string) => void,
): IpamFacts {
  const node = entryAt(view, nodeKey(nodeName));
  return {
    config: decodeConfig(entryAt(view, IPAM_CONFIG_KEY)),
    reservations: entriesUnder(view, IP_RESERVATIONS_PREFIX).flatMap(
      (entry) => readable(warn, () => decodeIpReservation(entry.value, entry.key)) ?? [],
    ),
    node: node === undefined ? undefined : decodeIpamNode(node.value, node.key),
    pools: entriesUnder(view, IP_POOLS_PREFIX).flatMap((entry) => decodePool(entry, warn)),
    affinities: FAMILIES.flatMap((family) => nodeAffinities(view, nodeName, family, warn)),
    handles: knownHandles(view),
    blocks: new Map(FAMILIES.flatMap((family) => knownBlocks(view, family, warn))),
    blockListings: new Map(FAMILIES.flatMap((family) => listing(view, family))),
    otherAffinities: otherAffinities(view, nodeName, warn),
  };
}

/** The changes as one transaction: each record guarded by the revision it was read at. */
export function ipamTransaction(changes: readonly IpamChange[]): Transaction {
  return {
    expect: changes.map((change) => ({ key: keyOf(change), revision: change.from })),
    write: changes.flatMap((change) => writeOf(change)),
  };
}

function keyOf(change: IpamChange): string {
  switch (change.record) {
    case 'block':
      return blockKey(change.cidr);
    case 'affinity':
      return affinityKey(change.nodeName, change.cidr);
    case 'handle':
      return handleKey(change.handleId);
  }
}

function writeOf(change: IpamChange): readonly Write[] {
  if (change.to === 'unchanged') return [];
  const key = keyOf(change);
  return change.to === undefined
    ? [{ type: 'delete', key }]
    : [{ type: 'put', key, value: encodeChange(change) ?? '' }];
}

function encodeChange(change: IpamChange): string | undefined {
  if (change.to === undefined || change.to === 'unchanged') return undefined;
  switch (change.record) {
    case 'block':
      return encodeBlock(change.to);
    case 'affinity':
      return encodeAffinity(change.to);
    case 'handle':
      return encodeHandle(change.to);
  }
}

function decodeConfig(entry: Entry | undefined): IpamConfig {
  return entry === undefined ? DEFAULT_IPAM_CONFIG : decodeIpamConfig(entry.value, entry.key);
}

function decodePool(entry: Entry, warn: (text: string) => void): readonly IpPool[] {
  const pool = readable(warn, () => decodeIpPool(entry.value, entry.key));
  return pool === undefined ? [] : [pool];
}

/** Those that were asked for, whether they were found or not. */
function knownHandles(view: View): ReadonlyMap<string, Stored<Handle> | undefined> {
  const handles = new Map<string, Stored<Handle> | undefined>();
  for (const [key, entry] of view.entries) {
    const handleId = handleIdOfKey(key);
    if (handleId !== undefined) handles.set(handleId, storedHandle(entry));
  }
  return handles;
}

function storedHandle(entry: Entry | undefined): Stored<Handle> | undefined {
  return entry === undefined
    ? undefined
    : { value: decodeHandle(entry.value, entry.key), revision: entry.revision };
}

function nodeAffinities(
  view: View,
  nodeName: string,
  family: IpFamily,
  warn: (text: string) => void,
): readonly NodeAffinity[] {
  return entriesUnder(view, affinityPrefix(nodeName, family)).flatMap((entry) => {
    const cidr = cidrOfKey(entry.key);
    return cidr === undefined ? [] : [{ cidr, ...storedAffinity(entry, warn) }];
  });
}

/** One that cannot be understood is a claim that nobody has confirmed: who confirms it writes it anew. */
function storedAffinity(entry: Entry, warn: (text: string) => void): Stored<BlockAffinity> {
  const value = readable(warn, () => decodeAffinity(entry.value, entry.key));
  return { value: value ?? { state: 'pending', unknownFields: {} }, revision: entry.revision };
}

type KnownBlock = readonly [cidrText: string, block: Stored<AllocationBlock> | undefined];

function knownBlocks(view: View, family: IpFamily, warn: (text: string) => void): readonly KnownBlock[] {
  const known: KnownBlock[] = [];
  for (const [key, entry] of view.entries) {
    if (!key.startsWith(blockPrefix(family))) continue;
    const cidr = cidrOfKey(key);
    if (cidr !== undefined) known.push([formatCidr(cidr), entry && storedBlock(entry, cidr, warn)]);
  }
  return known;
}

function storedBlock(entry: Entry, cidr: Cidr, warn: (text: string) => void): Stored<AllocationBlock> {
  const value = readable(warn, () => decodeBlock(entry.value, entry.key)) ?? unusableBlock(cidr);
  return { value, revision: entry.revision };
}

/** Stands for a block whose value cannot be understood: it exists, nobody's, and has nothing to give or take. */
function unusableBlock(cidr: Cidr): AllocationBlock {
  const allocations = Array.from({ length: Number(addressCount(cidr)) }, () => 0);
  const owner = {
    handleId: undefined,
    activeOwner: undefined,
    alternateOwner: undefined,
    releasedAt: undefined,
    unknownFields: {},
  };
  return {
    cidr,
    affinity: 'virtual:unreadable',
    affinityClaimTime: undefined,
    allocations,
    unallocated: [],
    attributes: [owner],
    sequenceNumber: 0n,
    sequenceNumberForAllocation: new Map(),
    unknownFields: {},
  };
}

function listing(view: View, family: IpFamily): readonly (readonly [IpFamily, ReadonlySet<string>])[] {
  const keys = keysUnder(view, blockPrefix(family));
  if (keys === undefined) return [];
  const cidrs = Array.from(keys, cidrOfKey).filter((cidr) => cidr !== undefined);
  return [[family, new Set(cidrs.map(formatCidr))]];
}

function otherAffinities(
  view: View,
  nodeName: string,
  warn: (text: string) => void,
): ReadonlyMap<string, Stored<BlockAffinity> | undefined> {
  const others = new Map<string, Stored<BlockAffinity> | undefined>();
  for (const [key, entry] of view.entries) {
    const owner = nodeNameOfAffinityKey(key);
    const cidr = cidrOfKey(key);
    if (owner === undefined || owner === nodeName || cidr === undefined) continue;
    others.set(affinityId(owner, formatCidr(cidr)), entry && storedAffinity(entry, warn));
  }
  return others;
}
