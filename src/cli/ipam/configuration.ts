/** The cluster's rules of IPAM as they are shown and changed. Pure. */

import { CalicoError } from '../../base/calico-error.ts';
import type { IpamSettings } from '../../datastore/codecs/ipam-settings.ts';
import { type Column, formatFramedTable } from '../table.ts';

export interface WantedSettings {
  readonly strictAffinity?: boolean | undefined;
  readonly autoAllocateBlocks?: boolean | undefined;
  readonly maxBlocksPerHost?: number | undefined;
}

const COLUMNS: readonly Column[] = [
  { title: 'PROPERTY', align: 'left' },
  { title: 'VALUE', align: 'left' },
];

/** In the names and the order of calicoctl. */
export function settingsOf(config: IpamSettings) {
  return {
    StrictAffinity: config.strictAffinity,
    AutoAllocateBlocks: config.autoAllocateBlocks,
    MaxBlocksPerHost: config.maxBlocksPerHost,
    KubeVirtVMAddressPersistence: config.vmAddressPersistence,
    IPCooldownSeconds: config.cooldownSeconds,
  };
}

export function configurationTable(config: IpamSettings): string {
  return formatFramedTable(
    COLUMNS,
    Object.entries(settingsOf(config)).map(([name, value]) => [name, String(value)]),
  );
}

/** The settings with the wanted ones changed. Throws `config`, in Calico's words, for what excludes each other. */
export function changeSettings(config: IpamSettings, wanted: WantedSettings): IpamSettings {
  const changed = {
    ...config,
    strictAffinity: wanted.strictAffinity ?? config.strictAffinity,
    autoAllocateBlocks: wanted.autoAllocateBlocks ?? config.autoAllocateBlocks,
    maxBlocksPerHost: wanted.maxBlocksPerHost ?? config.maxBlocksPerHost,
  };
  if (!changed.strictAffinity && !changed.autoAllocateBlocks) {
    throw new CalicoError(
      'config',
      "Cannot disable 'StrictAffinity' and 'AutoAllocateBlocks' at the same time",
      {
        details: 'set --strict-affinity=true as well, or leave --auto-allocate-blocks=true',
      },
    );
  }
  if (changed.maxBlocksPerHost > 0 && !changed.strictAffinity) {
    throw new CalicoError('config', 'MaxBlocksPerHost requires StrictAffinity to be enabled', {
      details: 'set --strict-affinity=true as well, or --max-blocks-per-host=0',
    });
  }
  return changed;
}

/** `StrictAffinity: false -> true`, a line for each that differs. */
export function describeChanges(before: IpamSettings, after: IpamSettings): readonly string[] {
  const old: Readonly<Record<string, unknown>> = settingsOf(before);
  return Object.entries(settingsOf(after))
    .filter(([name, value]) => value !== old[name])
    .map(([name, value]) => `${name}: ${old[name]} -> ${value}`);
}
