/** The name of a pod's interface on the host, at most 15 characters. Pure: the hash comes in as a function. */

import { fnv1a64Hex } from '../base/fnv.ts';
import type { WorkloadIdentifiers } from './identifiers.ts';

/** How many characters of the container ID or of the hash follow the prefix. */
export const SIGNIFICANT_ID_CHARACTERS = 11;

/**
 * `cali` and the first 11 characters of the container ID; for a pod the prefix and the first 11 hexadecimal
 * digits of SHA-1 over `<namespace>.<pod>`, so that a new sandbox of the same pod gets the same name.
 */
export function hostInterfaceName(
  ids: WorkloadIdentifiers,
  sha1Hex: (text: string) => string,
  prefix = 'cali',
): string {
  if (ids.podName === undefined) return `cali${ids.containerId.slice(0, SIGNIFICANT_ID_CHARACTERS)}`;
  return prefix + sha1Hex(`${ids.namespace}.${ids.podName}`).slice(0, SIGNIFICANT_ID_CHARACTERS);
}

/**
 * The name for a container whose usual one is taken by another container of this node. It happens where IDs
 * share a long beginning: cnitool's `cnitool-…` leaves three digits to tell them apart.
 */
export function alternativeHostInterfaceName(ids: WorkloadIdentifiers, prefix = 'cali'): string {
  return `${ids.podName === undefined ? 'cali' : prefix}${fnv1a64Hex(ids.containerId).slice(-SIGNIFICANT_ID_CHARACTERS)}`;
}
