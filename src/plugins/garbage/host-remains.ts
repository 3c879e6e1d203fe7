/** The host's interfaces and routes of what a GC collects. They go before the records: an address must lead nowhere when it is free. */

import { CalicoError, isCalicoError } from '../../base/calico-error.ts';
import type { CollectionOutcome } from '../../garbage/decide-collection.ts';
import type { Leak } from '../../garbage/leak.ts';
import { interfaceNamesOf, type Naming } from '../../garbage/remains.ts';
import type { Link } from '../../network/netlink/link.ts';
import { removeHostLinks, removeHostRoutes, seeHostLinks } from '../../network/stale-remains.ts';
import type { WorkloadEndpoint } from '../../workload/workload-endpoint.ts';

/** Interfaces of the host that could be of containers that are gone, seen before the records are read again. */
export interface HostRemains {
  readonly names: ReadonlySet<string>;
  readonly links: readonly Link[];
}

export interface RemovedFromHost {
  readonly interfaces: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * To be called before the records are read: an ADD writes the endpoint before it makes the interface, so whatever is
 * seen here and belongs to a pod that lives has an endpoint by then.
 */
export function seeHostRemains(leaks: readonly Leak[], naming: Naming): HostRemains {
  const names = new Set(leaks.flatMap((leak) => interfaceNamesOf(leak, naming)));
  return { names, links: seeHostLinks(names) };
}

/** `surviving`: endpoints that were there when the garbage was found. Throws `network`. */
export async function removeHostRemains(
  { names, links }: HostRemains,
  { others, released }: CollectionOutcome,
  surviving: readonly WorkloadEndpoint[],
): Promise<RemovedFromHost> {
  const used = new Set([...surviving, ...others].map(({ interfaceName }) => interfaceName));
  const doomed = links.filter(({ name }) => !used.has(name));
  const warnings = await inNoTimeOfTheStore(() => removeHostLinks(doomed));
  return {
    interfaces: doomed.map(({ name }) => name),
    warnings: [...warnings, ...removeHostRoutes(released, names)],
  };
}

/** An interface that takes too long is that interface's trouble: not a reason to give up on all others. */
async function inNoTimeOfTheStore<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (!isCalicoError(cause, 'unavailable')) throw cause;
    throw new CalicoError('network', cause.message, { cause });
  }
}
