/** The names under which IPAM keeps a container's addresses. Pure. */

import type { WorkloadIdentifiers } from '../workload/identifiers.ts';

/** `<network>.<containerID>`: Calico's own DEL must find what we assigned, and ours what Calico did. */
export function handleIdOf(network: string, ids: WorkloadIdentifiers): string {
  return `${network}.${ids.containerId}`;
}

/**
 * All names a DEL has to look under: the present form, and the one of plugins before 2018. That one is left out where it
 * could be read as the present form: whoever may make a namespace of the network's name, and in it a pod by the name of
 * another's container, would have that container's addresses released.
 */
export function handleIdsOf(network: string, ids: WorkloadIdentifiers): readonly string[] {
  const legacy = ids.podName === undefined ? ids.containerId : `${ids.namespace}.${ids.podName}`;
  return [handleIdOf(network, ids), ...(legacy.startsWith(`${network}.`) ? [] : [legacy])];
}
