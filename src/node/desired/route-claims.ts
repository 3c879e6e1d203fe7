/**
 * What the blocks of a cluster ask for in one world, followed from one state of the cluster to the next: only blocks that
 * are other ones than before are worked out again.
 */

import type { ClusterBlock } from '../cluster.ts';
import { type HostRoute, routeKey } from '../host-route.ts';
import { blockRoutes, type MissingRoute, type RankedRoute, type RouteWorld } from './block-routes.ts';

type Blocks = ReadonlyMap<string, ClusterBlock>;

interface Claim {
  /** The key of its block. */
  readonly block: string;
  readonly ranked: RankedRoute;
}

export interface RouteClaims {
  /** As of these blocks. */
  blocks: Blocks;
  /** By route key; more than one where blocks contest a destination. */
  readonly claims: Map<string, readonly Claim[]>;
  /** The first of the claims. */
  readonly best: Map<string, HostRoute>;
  /** By the key of the block: why routes of it are not made. */
  readonly missing: Map<string, readonly MissingRoute[]>;
}

export function noClaims(): RouteClaims {
  return { blocks: new Map(), claims: new Map(), best: new Map(), missing: new Map() };
}

/** What is other in one set of blocks than in another. */
export interface BlockDifference {
  readonly blocks: Blocks;
  readonly gone: readonly Change[];
  readonly come: readonly Change[];
}
type Change = readonly [key: string, block: ClusterBlock];

/** Since the claims were last followed. */
export function differenceSince({ blocks: before }: RouteClaims, blocks: Blocks): BlockDifference {
  const gone: Change[] = [];
  const come: Change[] = [];
  let kept = 0;
  if (before === blocks) return { blocks, gone, come };
  for (const [key, block] of blocks) {
    const former = before.get(key);
    if (former !== undefined) kept += 1;
    if (former === block) continue;
    if (former !== undefined) gone.push([key, former]);
    come.push([key, block]);
  }
  if (kept < before.size) for (const [key, former] of before) if (!blocks.has(key)) gone.push([key, former]);
  return { blocks, gone, come };
}

/** `difference` must be the one since the last time, and the world must be the one of the last time. */
export function followBlocks(
  followed: RouteClaims,
  { blocks, gone, come }: BlockDifference,
  world: RouteWorld,
): void {
  for (const [key, block] of gone)
    if (block.cidr.family === world.family) withdraw(followed, key, block, world);
  for (const [key, block] of come) if (block.cidr.family === world.family) claim(followed, key, block, world);
  followed.blocks = blocks;
}

function claim(followed: RouteClaims, block: string, value: ClusterBlock, world: RouteWorld): void {
  const missing: MissingRoute[] = [];
  for (const outcome of blockRoutes(value, world)) {
    if ('problem' in outcome) missing.push(outcome);
    else {
      const key = routeKey(outcome.route);
      settle(followed, key, [...(followed.claims.get(key) ?? []), { block, ranked: outcome }]);
    }
  }
  if (missing.length > 0) followed.missing.set(block, missing);
}

function withdraw(followed: RouteClaims, block: string, former: ClusterBlock, world: RouteWorld): void {
  for (const outcome of blockRoutes(former, world)) {
    if ('problem' in outcome) continue;
    const key = routeKey(outcome.route);
    settle(
      followed,
      key,
      (followed.claims.get(key) ?? []).filter((one) => one.block !== block),
    );
  }
  followed.missing.delete(block);
}

function settle({ claims, best }: RouteClaims, key: string, held: readonly Claim[]): void {
  const [first, ...others] = held.map(({ ranked }) => ranked);
  if (first === undefined) {
    claims.delete(key);
    best.delete(key);
  } else {
    claims.set(key, held);
    best.set(key, others.reduce((a, b) => (goesBefore(b, a) ? b : a), first).route);
  }
}

/** Of equal ranks the lower gateway, so that the order of the blocks does not matter. */
function goesBefore(a: RankedRoute, b: RankedRoute): boolean {
  return (
    a.rank < b.rank || (a.rank === b.rank && (a.route.gateway?.value ?? 0n) < (b.route.gateway?.value ?? 0n))
  );
}
