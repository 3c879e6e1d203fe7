/** What an IPAMConfiguration may say, and what the allocator is told then. Pure. */

import type { JsonObject } from '../../base/json-object.ts';
import { formatMembers, unknownMembers } from '../../datastore/codecs/json.ts';
import { FLAG, fields, integer, oneOf } from './field-rules.ts';
import type { Problem } from './problem.ts';

const MAX_COOLDOWN_SECONDS = 1200;
const MAX_BLOCKS = 2 ** 31 - 1;

const FIELDS = fields({
  strictAffinity: FLAG,
  autoAllocateBlocks: FLAG,
  maxBlocksPerHost: integer(0, MAX_BLOCKS),
  kubeVirtVMAddressPersistence: oneOf('Enabled', 'Disabled'),
  ipCooldownSeconds: integer(0, MAX_COOLDOWN_SECONDS),
});

export function ipamConfigurationProblems(spec: JsonObject): readonly Problem[] {
  const { strictAffinity, autoAllocateBlocks, maxBlocksPerHost } = spec;
  const found: Problem[] = [...FIELDS(spec, 'spec')];
  if (strictAffinity !== true && autoAllocateBlocks === false) {
    found.push({
      path: 'spec.autoAllocateBlocks',
      text: "Cannot disable 'StrictAffinity' and 'AutoAllocateBlocks' at the same time",
    });
  }
  if (strictAffinity !== true && typeof maxBlocksPerHost === 'number' && maxBlocksPerHost > 0) {
    found.push({
      path: 'spec.maxBlocksPerHost',
      text: 'MaxBlocksPerHost requires StrictAffinity to be enabled: set spec.strictAffinity to true',
    });
  }
  return found;
}

/** The value under the allocator's key, in which a boolean that is absent means false. `others` is kept. */
export function encodeIpamConfiguration(spec: JsonObject, others: JsonObject): string {
  const { strictAffinity, autoAllocateBlocks = true, maxBlocksPerHost, ...more } = spec;
  return formatMembers(
    unknownMembers({
      strict_affinity: strictAffinity || undefined,
      auto_allocate_blocks: autoAllocateBlocks || undefined,
      maxBlocksPerHost: maxBlocksPerHost || undefined,
      kubeVirtVMAddressPersistence: more.kubeVirtVMAddressPersistence || undefined,
      ipCooldownSeconds: more.ipCooldownSeconds || undefined,
      ...others,
    }),
  );
}
