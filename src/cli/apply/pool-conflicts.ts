/** Whether a pool can be there beside what is there: in Calico's words. Pure. */

import { type Cidr, containsCidr, formatCidr, sameCidr, tryParseCidr } from '../../base/cidr.ts';
import { isJsonObject, type JsonObject } from '../../base/json-object.ts';
import { cidrOfKey } from '../../datastore/keys.ts';
import { completePool } from './ip-pool-rules.ts';
import type { Problem } from './problem.ts';
import type { WrittenResource } from './written-resource.ts';

export interface StoredPool {
  readonly name: string;
  /** As it is stored. */
  readonly spec: unknown;
}

/** Of a pool that is new, with those that are there and those that come with it. */
export function poolOverlaps(
  { name, spec }: WrittenResource,
  stored: readonly StoredPool[],
  written: readonly StoredPool[],
): readonly Problem[] {
  const cidr = cidrOf(spec);
  if (cidr === undefined) return [];
  const others = new Map([...stored, ...written].map((pool) => [pool.name, pool.spec]));
  return [...others].flatMap(([otherName, otherSpec]) => {
    const other = cidrOf(otherSpec);
    if (otherName === name || other === undefined || !overlap(cidr, other)) return [];
    const text = `IPPool(${name}) CIDR overlaps with IPPool(${otherName}) CIDR ${formatCidr(other)}`;
    return [{ path: 'spec.cidr', text }];
  });
}

/** Of a pool that is new: blocks of an earlier one, of another size. `keys`: of all blocks. */
export function blockConflicts({ spec }: WrittenResource, keys: readonly string[]): readonly Problem[] {
  const cidr = cidrOf(spec);
  const { blockSize } = completePool(spec);
  if (cidr === undefined) return [];
  const conflict = keys
    .map((key) => cidrOfKey(key))
    .find((block) => block !== undefined && block.prefixLength !== blockSize && overlap(cidr, block));
  if (conflict === undefined) return [];
  const text = `IPPool blocksSize conflicts with existing allocations that use a different blockSize: ${formatCidr(conflict)} is there; set spec.blockSize to ${conflict.prefixLength}`;
  return [{ path: 'spec.blockSize', text }];
}

/** What must not change: addresses are in use, and routes are made of blocks. */
export function poolChangeProblems(
  { spec: written }: WrittenResource,
  stored: JsonObject,
): readonly Problem[] {
  const before = completePool(isJsonObject(stored.spec) ? stored.spec : {});
  const after = completePool(written);
  const [oldCidr, newCidr] = [cidrOf(before), cidrOf(after)];
  const problems: Problem[] = [];
  if (oldCidr === undefined || newCidr === undefined || !sameCidr(oldCidr, newCidr)) {
    problems.push({
      path: 'spec.cidr',
      text: `IPPool CIDR cannot be modified: it is ${String(before.cidr)}; disable this pool, and make another one of ${String(after.cidr)}`,
    });
  }
  if (before.blockSize !== after.blockSize) {
    problems.push({
      path: 'spec.blockSize',
      text: `IPPool BlockSize cannot be modified: it is ${String(before.blockSize)}, found ${String(after.blockSize)}`,
    });
  }
  if (usesOf(before).includes('LoadBalancer') && usesOf(after).some((use) => use !== 'LoadBalancer')) {
    problems.push({
      path: 'spec.allowedUses',
      text: 'IPPool allowed use cannot be changed from LoadBalancer to Workload or Tunnel',
    });
  }
  return problems;
}

function usesOf({ allowedUses }: JsonObject): readonly unknown[] {
  return Array.isArray(allowedUses) ? allowedUses : [];
}

function cidrOf(spec: unknown): Cidr | undefined {
  return isJsonObject(spec) && typeof spec.cidr === 'string' ? tryParseCidr(spec.cidr) : undefined;
}

function overlap(a: Cidr, b: Cidr): boolean {
  return containsCidr(a, b) || containsCidr(b, a);
}
