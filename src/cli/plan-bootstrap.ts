/**
 * What a cluster needs before its first pod: the cluster's own record, a pool, a node. Creates what is missing and
 * leaves alone what is there, all in one transaction. Pure.
 */

import { CalicoError } from '../base/calico-error.ts';
import { formatCidr, sameCidr } from '../base/cidr.ts';
import { ABSENT } from '../base/revision.ts';
import {
  encodeNewClusterInformation,
  encodeNewNode,
  encodeNewPool,
  type NewIdentity,
} from '../datastore/codecs/bootstrap-resources.ts';
import { decodeIpPool } from '../datastore/codecs/ip-pool.ts';
import { CLUSTER_INFORMATION_KEY, IP_POOLS_PREFIX, ipPoolKey, nodeKey } from '../datastore/keys.ts';
import { commitOrDone, type Decision } from '../datastore/settle.ts';
import type { Range } from '../datastore/store.ts';
import { entriesUnder, entryAt, type View } from '../datastore/view.ts';
import { type NamedPool, type NewPool, overlappingPool } from '../ipam/new-pool.ts';

export interface BootstrapRequest {
  readonly nodeName: string;
  readonly pools: readonly NewPool[];
  /** Fresh UUIDs, one for each object that may be created. */
  readonly uuid: () => string;
  /** RFC 3339, whole seconds. */
  readonly now: string;
}

export interface BootstrapReport {
  /** What was created, in words. */
  readonly created: readonly string[];
  readonly found: readonly string[];
}

export function bootstrapRanges({ nodeName }: BootstrapRequest): readonly Range[] {
  return [{ key: CLUSTER_INFORMATION_KEY }, { prefix: IP_POOLS_PREFIX }, { key: nodeKey(nodeName) }];
}

interface Wanted {
  readonly what: string;
  readonly key: string;
  readonly exists: boolean;
  readonly encode: () => string;
}

/** Throws `config` when a pool would overlap one that exists. */
export function decideBootstrap(request: BootstrapRequest, view: View): Decision<BootstrapReport> {
  const wanted = [wantedCluster(request, view), ...wantedPools(request, view), wantedNode(request, view)];
  const missing = wanted.filter(({ exists }) => !exists);
  const outcome: BootstrapReport = {
    created: missing.map(({ what }) => what),
    found: wanted.filter(({ exists }) => exists).map(({ what }) => what),
  };
  const transaction = {
    expect: missing.map(({ key }) => ({ key, revision: ABSENT })),
    write: missing.map(({ key, encode }) => ({ type: 'put' as const, key, value: encode() })),
  };
  return commitOrDone(transaction, outcome);
}

function wantedCluster(request: BootstrapRequest, view: View): Wanted {
  return {
    what: 'cluster information',
    key: CLUSTER_INFORMATION_KEY,
    exists: entryAt(view, CLUSTER_INFORMATION_KEY) !== undefined,
    encode: () =>
      encodeNewClusterInformation(identity('default', request), request.uuid().replaceAll('-', '')),
  };
}

function wantedNode(request: BootstrapRequest, view: View): Wanted {
  const key = nodeKey(request.nodeName);
  return {
    what: `node ${request.nodeName}`,
    key,
    exists: entryAt(view, key) !== undefined,
    encode: () => encodeNewNode(identity(request.nodeName, request)),
  };
}

/** Each pool beside those that exist and those before it in the request. */
function wantedPools(request: BootstrapRequest, view: View): readonly Wanted[] {
  const existing = entriesUnder(view, IP_POOLS_PREFIX).map(({ key, value }) => decodeIpPool(value, key));
  const known: NamedPool[] = [...existing];
  return request.pools.map((pool) => {
    const same = existing.find(({ cidr }) => sameCidr(cidr, pool.cidr));
    if (same === undefined) refuseOverlap(pool, known);
    const name = same?.name ?? freePoolName(pool, known);
    known.push({ name, cidr: pool.cidr });
    return {
      what: `pool ${name} ${formatCidr(pool.cidr)}`,
      key: ipPoolKey(name),
      exists: same !== undefined,
      encode: () => encodeNewPool(identity(name, request), pool),
    };
  });
}

function refuseOverlap(pool: NewPool, known: readonly NamedPool[]): void {
  const other = overlappingPool(pool.cidr, known);
  if (other === undefined) return;
  throw new CalicoError(
    'config',
    `pool ${formatCidr(pool.cidr)} overlaps pool ${other.name} (${formatCidr(other.cidr)})`,
    { details: 'every address may be in one pool only: choose another CIDR, or delete that pool first' },
  );
}

/** Calico's usual name while it is free. */
function freePoolName(pool: NewPool, known: readonly NamedPool[]): string {
  const usual = `default-ipv${pool.cidr.family}-ippool`;
  const isTaken = known.some(({ name }) => name === usual);
  return isTaken ? `ippool-${formatCidr(pool.cidr).replace(/[^0-9a-f]+/g, '-')}` : usual;
}

function identity(name: string, { uuid, now }: BootstrapRequest): NewIdentity {
  return { name, uid: uuid(), creationTimestamp: now };
}
