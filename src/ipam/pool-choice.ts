/** Which pools an automatic address may come from (Calico's pool determination). Pure. */

import { CalicoError, isCalicoError } from '../base/calico-error.ts';
import { baseAddress, type Cidr, containsAddress, formatCidr, sameCidr } from '../base/cidr.ts';
import { addressBits, type IpAddress, type IpFamily } from '../base/ip-address.ts';
import type { AssignmentRequest } from './facts.ts';
import type { IpamNode, IpPool } from './records.ts';
import { matchesSelector } from './selector/evaluate.ts';
import { parseSelector } from './selector/parse.ts';

/** What decides on pools, of all that an ADD asks. */
export type PoolRequest = Pick<AssignmentRequest, 'nodeName' | 'requestedPools' | 'namespaceLabels' | 'use'>;

/**
 * The pools of the family to try, in order: the requested ones as they were requested, otherwise all that are
 * automatic and select node and namespace, by name. Throws when there is none; the wording is Calico's.
 */
export function choosePools(
  request: PoolRequest,
  family: IpFamily,
  pools: readonly IpPool[],
  node: IpamNode | undefined,
): readonly IpPool[] {
  if (node === undefined) throw missingNode(request.nodeName);
  const enabled = pools.filter((pool) => pool.enabled && pool.cidr.family === family);
  const qualified = enabled.filter((pool) => pool.blockSize <= addressBits(family));
  if (qualified.length === 0) throw noQualifiedPool(family, pools);
  const requested = request.requestedPools.filter((cidr) => cidr.family === family);
  const chosen =
    requested.length > 0
      ? requested.map((cidr) => requestedPool(cidr, qualified, pools))
      : qualified.filter((pool) => selectsWorkload(pool, node, request.namespaceLabels));
  if (chosen.length === 0) throw noPoolForNode(family, node, enabled);
  const usable = chosen.filter((pool) => pool.allowedUses.includes(request.use));
  if (usable.length === 0) throw noPoolForUse(request.use, chosen);
  return usable;
}

/** The enabled pool that holds the address. */
export function poolOf(pools: readonly IpPool[], address: IpAddress): IpPool | undefined {
  return pools.find((pool) => pool.enabled && containsAddress(pool.cidr, address));
}

/**
 * Whether a block has to be given back once it is empty, because its pool selects the node no longer. Not
 * when that cannot be said: no such pool, no Node object, a selector that cannot be read.
 */
export function isDeselected(block: Cidr, pools: readonly IpPool[], node: IpamNode | undefined): boolean {
  const pool = poolOf(pools, baseAddress(block));
  if (pool === undefined || node === undefined) return false;
  try {
    return !selectsNode(pool, node);
  } catch (error) {
    if (isCalicoError(error, 'config')) return false;
    throw error;
  }
}

function selectsNode(pool: IpPool, node: IpamNode): boolean {
  return matchesPoolSelector(pool, 'nodeSelector', node.labels);
}

function selectsWorkload(pool: IpPool, node: IpamNode, namespaceLabels: Readonly<Record<string, string>>) {
  return (
    pool.automatic &&
    selectsNode(pool, node) &&
    matchesPoolSelector(pool, 'namespaceSelector', namespaceLabels)
  );
}

function matchesPoolSelector(
  pool: IpPool,
  field: 'nodeSelector' | 'namespaceSelector',
  labels: Readonly<Record<string, string>>,
): boolean {
  try {
    return matchesSelector(parseSelector(pool[field]), labels);
  } catch (cause) {
    if (!isCalicoError(cause, 'config')) throw cause;
    throw new CalicoError('config', `IP pool ${JSON.stringify(pool.name)}: ${cause.message}`, {
      details: `correct spec.${field} of the pool; no address is assigned to anybody until then`,
      cause,
    });
  }
}

function requestedPool(cidr: Cidr, qualified: readonly IpPool[], all: readonly IpPool[]): IpPool {
  const pool = qualified.find((candidate) => sameCidr(candidate.cidr, cidr));
  if (pool !== undefined) return pool;
  throw new CalicoError('config', `the given pool (${formatCidr(cidr)}) does not exist, or is not enabled`, {
    details: `choose one of the pools there are: ${listPools(all)}`,
  });
}

function missingNode(nodeName: string): CalicoError {
  return new CalicoError('not-found', `resource does not exist: Node(${nodeName}) with error: <nil>`, {
    details: `Calico knows no node of this name: check "nodename" in the network configuration and /var/lib/calico/nodename, or let calico/node on this host register it`,
  });
}

function noQualifiedPool(family: IpFamily, pools: readonly IpPool[]): CalicoError {
  return new CalicoError('no-address', 'cannot find a qualified ippool', {
    details: `no IPv${family} pool is enabled: create or enable one (calicoctl get ippools shows: ${listPools(pools)})`,
  });
}

function noPoolForNode(family: IpFamily, node: IpamNode, enabled: readonly IpPool[]): CalicoError {
  return new CalicoError('no-address', `no configured Calico pools for node ${node.name}`, {
    details: `none of the enabled IPv${family} pools (${listPools(enabled)}) is automatic and selects this node (labels ${JSON.stringify(node.labels)}) and the pod's namespace: correct nodeSelector, namespaceSelector or assignmentMode of a pool, or the labels`,
  });
}

function noPoolForUse(use: string, chosen: readonly IpPool[]): CalicoError {
  return new CalicoError(
    'no-address',
    `cannot find a qualified ippool, no pools match the required use (${use})`,
    { details: `add ${use} to allowedUses of one of ${listPools(chosen)}` },
  );
}

/** Names, CIDRs and which of them are disabled, for messages. */
export function listPools(pools: readonly IpPool[]): string {
  if (pools.length === 0) return 'none';
  return pools
    .map((pool) => `${pool.name} ${formatCidr(pool.cidr)}${pool.enabled ? '' : ' disabled'}`)
    .join(', ');
}
