/** The single limits of a pod's traffic, each in an annotation of its own and within its own bounds. Pure. */

import { printable } from '../base/printable.ts';
import type { Pod } from './objects.ts';
import { parseQuantity } from './quantity.ts';

export type Direction = 'ingress' | 'egress';
export type LimitKind = keyof typeof LIMITS;

/** What an annotation comes to: 0 stands for no limit. */
export interface ReadLimit {
  readonly value: number;
  readonly notes: readonly string[];
}

interface Limit {
  /** Its name in messages. */
  readonly words: string;
  /** Quantities; messages show them as they are here. */
  readonly least: string;
  readonly most: string;
}

const LIMITS = {
  Bandwidth: { words: 'bandwidth', least: '1k', most: '1P' },
  // 2^32 - 1 bytes.
  Burst: { words: 'burst', least: '1k', most: '34359738360' },
  // It must exceed the bandwidth, so its bounds do.
  Peakrate: { words: 'peakrate', least: '1.01k', most: '1.01P' },
  Minburst: { words: 'minburst', least: '1k', most: '100M' },
  // The kernel's own limits of xt_limit and xt_connlimit.
  PacketRate: { words: 'packet rate', least: '1', most: '10k' },
  PacketBurst: { words: 'packet burst', least: '1', most: '10k' },
  MaxConnections: { words: 'max connections', least: '1', most: '4294967295' },
} as const satisfies Record<string, Limit>;

/** The number within its bounds; one beyond them becomes the bound. */
export function readLimit(direction: Direction, kind: LimitKind, annotations: Pod['annotations']): ReadLimit {
  const key = keyOf(direction, kind, annotations);
  const text = annotations[key];
  if (text === undefined) return { value: 0, notes: [] };
  const { value, problem } = clamp(parseQuantity(text), LIMITS[kind]);
  if (problem === undefined) return { value, notes: [] };
  const what = `error parsing ${direction} ${LIMITS[kind].words} annotation`;
  return { value, notes: [`${what}: ${problem} (${key} is '${printable(text)}')`] };
}

/** Calico's own annotation of a bandwidth overrides that of Kubernetes. */
function keyOf(direction: Direction, kind: LimitKind, annotations: Pod['annotations']): string {
  const key = `qos.projectcalico.org/${direction}${kind}`;
  return kind === 'Bandwidth' && annotations[key] === undefined
    ? `kubernetes.io/${direction}-bandwidth`
    : key;
}

function clamp(
  value: bigint | undefined,
  { least, most }: Limit,
): { readonly value: number; readonly problem?: string } {
  if (value === undefined)
    return { value: 0, problem: 'it is not a quantity such as 10M, 1Gi or 1e6, and is ignored' };
  const [min, max] = [Number(parseQuantity(least)), Number(parseQuantity(most))];
  if (value < min)
    return {
      value: min,
      problem: `resource specified is too small (less than ${least}), setting it to ${least}`,
    };
  if (value > max)
    return {
      value: max,
      problem: `resource specified is too large (more than ${most}), setting it to ${most}`,
    };
  return { value: Number(value) };
}
