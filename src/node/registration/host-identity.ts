/** What tells this host from others that may be called the same, for as long as it runs. */

import { readFileSync, readlinkSync } from 'node:fs';

/** The kernel's name for this boot, and for the network namespace: one host may play several. */
const BOOT_ID_FILE = '/proc/sys/kernel/random/boot_id';
const HOSTNAME_FILE = '/proc/sys/kernel/hostname';
const NETNS_LINK = '/proc/self/ns/net';

/** What the kernel calls this host. */
export function hostName(): string {
  return readFileSync(HOSTNAME_FILE, 'utf8').trim();
}

/** The same for every process of the host, in containers too as long as they use its network. */
export function hostIdentity(): string {
  return `${readFileSync(BOOT_ID_FILE, 'utf8').trim()} ${readlinkSync(NETNS_LINK)}`;
}
