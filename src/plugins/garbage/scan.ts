/**
 * Reads all that could be garbage on a node. Addresses that the node borrowed can be in anybody's block, so all blocks are
 * looked at; of endpoints the names of all, and the node's own themselves. In pieces: a cluster has no size.
 */

import { addressCount } from '../../base/cidr.ts';
import type { Deadline } from '../../base/deadline.ts';
import type { Log } from '../../base/log.ts';
import { BLOCK_LISTS, blockRange, ipamFacts, listedBlocks } from '../../datastore/ipam-records.ts';
import type { Range, Store } from '../../datastore/store.ts';
import { EMPTY_VIEW, type View, withSnapshot } from '../../datastore/view.ts';
import {
  clusterRanges,
  datastoreReady,
  ENDPOINT_LIST,
  endpointKeysOfNode,
  knownEndpoints,
} from '../../datastore/workload-records.ts';
import { inPieces } from '../../garbage/in-pieces.ts';
import { requireReady } from '../require-ready.ts';
import type { GcFacts } from './decide-gc.ts';

/** So many endpoints are read at once, of some 1 KiB each. */
const MAX_ENDPOINTS = 100;
/** So many addresses, in blocks, are read at once, of some 250 bytes each. */
const MAX_ADDRESSES = 4096;

export interface Scan {
  readonly nodeName: string;
  /** Whether to look for endpoints as well: who only gives out addresses has none. */
  readonly withEndpoints: boolean;
  readonly store: Store;
  readonly deadline: Deadline;
  readonly log: Log;
}

/** Throws what the store throws, and `unavailable` for a datastore that is not ready. */
export async function scan(what: Scan): Promise<GcFacts> {
  const lists = await readView(what, [
    ...clusterRanges(),
    ...BLOCK_LISTS,
    ...(what.withEndpoints ? [ENDPOINT_LIST] : []),
  ]);
  requireReady(datastoreReady(lists));
  return { blocks: await readBlocks(what, lists), endpoints: await readEndpoints(what, lists) };
}

async function readBlocks(what: Scan, lists: View): Promise<GcFacts['blocks']> {
  const blocks: GcFacts['blocks'][number][] = [];
  const sizeOf = (cidr: Parameters<typeof addressCount>[0]) => Number(addressCount(cidr));
  for (const piece of inPieces(listedBlocks(lists), sizeOf, MAX_ADDRESSES)) {
    const view = await readView(what, piece.map(blockRange));
    for (const stored of ipamFacts(view, what, what.log.warn).blocks.values()) {
      if (stored !== undefined) blocks.push(stored.value);
    }
  }
  return blocks;
}

async function readEndpoints(what: Scan, lists: View): Promise<GcFacts['endpoints']> {
  const endpoints: GcFacts['endpoints'][number][] = [];
  const keys = what.withEndpoints ? endpointKeysOfNode(lists, what.nodeName) : [];
  for (const piece of inPieces(keys, () => 1, MAX_ENDPOINTS)) {
    const view = await readView(
      what,
      piece.map((key) => ({ key })),
    );
    endpoints.push(...knownEndpoints(view, what.log.warn).map(({ value }) => value));
  }
  return endpoints;
}

async function readView({ store, deadline }: Scan, ranges: readonly Range[]): Promise<View> {
  return withSnapshot(EMPTY_VIEW, ranges, await store.read(ranges, deadline));
}
