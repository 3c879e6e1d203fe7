/** Whether an interface leaves the checksums of what it sends to those below it. In the calling thread's namespace. */

import { closeSync } from 'node:fs';
import { isKernelError } from './kernel-error.ts';
import { deviceFeature, openRouteSocket } from './native.ts';

const ETHTOOL_GTXCSUM = 0x16;
const ETHTOOL_STXCSUM = 0x17;

/** `undefined` when the interface does not say, or is not there. `ethtool -k NAME` */
export function offloadsChecksums(ifName: string): boolean | undefined {
  try {
    return withSocket((fd) => deviceFeature(fd, ifName, ETHTOOL_GTXCSUM) !== 0);
  } catch (error) {
    if (isKernelError(error)) return undefined;
    throw error;
  }
}

/** It computes them itself from now on. Throws {@link KernelError}. `ethtool -K NAME tx off` */
export function stopChecksumOffload(ifName: string): void {
  withSocket((fd) => deviceFeature(fd, ifName, ETHTOOL_STXCSUM, 0));
}

function withSocket<T>(ask: (fd: number) => T): T {
  const fd = openRouteSocket();
  try {
    return ask(fd);
  } finally {
    closeSync(fd);
  }
}
