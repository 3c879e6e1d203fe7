/**
 * The interface that a DEL found in the sandbox, and whether it is this container's to remove. It is when its host
 * end has a name only this container's can have, be it until its wiring is done; else the endpoint decides. A sandbox
 * path may have been used again for another container, whose interface must stay.
 *
 * A pod's host interface has the same name in each of its sandboxes. That makes no difference where runtimes give every
 * sandbox a path of its own; a path by process ID can lead to the pod's next sandbox by now.
 */

import { isOnHost } from '../../network/find-link.ts';
import { temporaryHostIfName } from '../../network/plan-swap.ts';
import type { SandboxLink } from '../../network/remove-pod.ts';
import type { WorkloadEndpoint } from '../../workload/workload-endpoint.ts';
import type { HostIfNames } from './claim-links.ts';

/** Whether a DEL that comes late can find another sandbox of the same pod at this path. */
export function isPathReusable(netnsPath: string): boolean {
  return netnsPath.startsWith('/proc/');
}

export interface DoomedLink {
  /** Removes it now that its endpoint is known, if the endpoint describes this very interface. */
  doomIfOf(endpoint: Pick<WorkloadEndpoint, 'mac' | 'interfaceName'>): void;
  /** Ends when the link is gone, or at once when it stays. Throws what the removal threw. */
  gone(): Promise<void>;
  /** Whether a host interface of the name is there and stays. */
  readonly isInUse: (hostIfName: string) => boolean;
  warnings(): readonly string[];
}

/** `mayBeAnothers`: the names prove nothing, see {@link isPathReusable}; only the endpoint does. */
export function doomLink(sandbox: SandboxLink, names: HostIfNames, mayBeAnothers: boolean): DoomedLink {
  const { container, hostEnd } = sandbox;
  let removal: Promise<void> | undefined;
  const doom = () => {
    removal ??= sandbox.remove();
    // It is awaited later; until then its failure must not end the process.
    removal.catch(() => undefined);
  };
  const own = [names.usual, names.alternative].flatMap((name) => [name, temporaryHostIfName(name)]);
  if (hostEnd !== undefined && own.includes(hostEnd.name) && !mayBeAnothers) doom();
  return {
    doomIfOf: ({ mac, interfaceName }) => {
      const isIts = container !== undefined && (container.mac === mac || hostEnd?.name === interfaceName);
      if (isIts) doom();
    },
    gone: async () => removal,
    isInUse: (name) => !(removal !== undefined && hostEnd?.name === name) && isOnHost(name),
    warnings: () => [
      ...(sandbox.warning === undefined ? [] : [sandbox.warning]),
      ...(container !== undefined && removal === undefined
        ? [`interface ${container.name} in the sandbox was left alone: it is not this container's`]
        : []),
    ],
  };
}
