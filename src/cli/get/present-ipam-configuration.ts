/** What the allocator is told, in the words of the IPAMConfiguration resource. Pure. */

import type { JsonObject } from '../../base/json-object.ts';
import { API_VERSION } from '../resource-kinds.ts';

/** What holds while nothing is stored. */
export const UNCONFIGURED: JsonObject = { auto_allocate_blocks: true };

/** `stored`: the value under the allocator's key; a boolean that it does not have is false. */
export function presentIpamConfiguration(
  stored: JsonObject,
  resourceVersion: string | undefined,
): JsonObject {
  const { strict_affinity, auto_allocate_blocks, maxBlocksPerHost, ...others } = stored;
  return {
    kind: 'IPAMConfiguration',
    apiVersion: API_VERSION,
    metadata: { name: 'default', ...(resourceVersion === undefined ? {} : { resourceVersion }) },
    spec: {
      strictAffinity: strict_affinity ?? false,
      autoAllocateBlocks: auto_allocate_blocks ?? false,
      ...(maxBlocksPerHost ? { maxBlocksPerHost } : {}),
      ...others,
    },
  };
}
