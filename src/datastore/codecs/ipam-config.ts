/** IPAMConfig: cluster-wide allocation rules. Read only. Pure. */

import type { IpamConfig } from '../../ipam/records.ts';
import { booleanField, type FieldSource, integerField } from './fields.ts';
import { parseJsonObject } from './json.ts';

/** What holds while the key does not exist. */
export const DEFAULT_IPAM_CONFIG: IpamConfig = {
  strictAffinity: false,
  autoAllocateBlocks: true,
  maxBlocksPerHost: 0,
  cooldownSeconds: 0,
};

/** In a key that exists, a missing boolean means false: `{}` is not the default. */
export function decodeIpamConfig(text: string, key: string): IpamConfig {
  const source: FieldSource = { object: parseJsonObject(text, key), key };
  return {
    strictAffinity: booleanField(source, 'strict_affinity') ?? false,
    autoAllocateBlocks: booleanField(source, 'auto_allocate_blocks') ?? false,
    maxBlocksPerHost: integerField(source, 'maxBlocksPerHost') ?? 0,
    cooldownSeconds: integerField(source, 'ipCooldownSeconds') ?? 0,
  };
}
