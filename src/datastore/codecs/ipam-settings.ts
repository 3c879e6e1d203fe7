/** IPAMConfig ⇄ JSON for those who change it: everything in it, where the allocator needs a part. Pure. */

import type { IpamConfig } from '../../ipam/records.ts';
import { type FieldSource, stringField, unknownFields } from './fields.ts';
import { DEFAULT_IPAM_CONFIG, decodeIpamConfig } from './ipam-config.ts';
import { formatJson, formatMembers, parseJsonObject, unknownMembers } from './json.ts';

export interface IpamSettings extends IpamConfig {
  readonly vmAddressPersistence: string;
  readonly unknownFields: Readonly<Record<string, unknown>>;
}

const FIELDS = [
  'strict_affinity',
  'auto_allocate_blocks',
  'maxBlocksPerHost',
  'kubeVirtVMAddressPersistence',
  'ipCooldownSeconds',
];

/** `undefined`: the key does not exist. */
export function decodeIpamSettings(text: string | undefined, key: string): IpamSettings {
  if (text === undefined)
    return { ...DEFAULT_IPAM_CONFIG, vmAddressPersistence: 'Enabled', unknownFields: {} };
  const source: FieldSource = { object: parseJsonObject(text, key), key };
  return {
    ...decodeIpamConfig(text, key),
    vmAddressPersistence: stringField(source, 'kubeVirtVMAddressPersistence') || 'Enabled',
    unknownFields: unknownFields(source.object, FIELDS),
  };
}

/** What is false or zero is left out, as Calico's writer does. */
export function encodeIpamSettings(settings: IpamSettings): string {
  const { strictAffinity, autoAllocateBlocks, maxBlocksPerHost, vmAddressPersistence, cooldownSeconds } =
    settings;
  return formatMembers([
    ['strict_affinity', formatJson(strictAffinity || undefined)],
    ['auto_allocate_blocks', formatJson(autoAllocateBlocks || undefined)],
    ['maxBlocksPerHost', formatJson(maxBlocksPerHost || undefined)],
    ['kubeVirtVMAddressPersistence', formatJson(vmAddressPersistence)],
    ['ipCooldownSeconds', formatJson(cooldownSeconds || undefined)],
    ...unknownMembers(settings.unknownFields),
  ]);
}
