/** What the host may still have of a container that is gone: names of interfaces, and whose they can be. Pure. */

import { alternativeHostInterfaceName, hostInterfaceName } from '../workload/host-interface-name.ts';
import type { WorkloadIdentifiers } from '../workload/identifiers.ts';
import type { Leak } from './leak.ts';

/** How names are made, see {@link hostInterfaceName}. */
export interface Naming {
  readonly nodeName: string;
  readonly sha1Hex: (text: string) => string;
  readonly prefix: string;
}

/** The workloads that the container's records are about. */
export function workloadsOf({ containerId, allocations, endpoints }: Leak, nodeName: string) {
  const base = { nodeName, containerId, ifName: '' };
  const recorded = endpoints.map(
    ({ namespace, podName }): WorkloadIdentifiers =>
      podName === undefined
        ? { ...base, orchestrator: 'cni', namespace, podName }
        : { ...base, orchestrator: 'k8s', namespace, podName },
  );
  if (recorded.length > 0) return recorded;
  const owner = allocations[0]?.owner;
  const { namespace, pod: podName } = owner ?? {};
  const workload: WorkloadIdentifiers =
    namespace === undefined || podName === undefined
      ? { ...base, orchestrator: 'cni', namespace: 'default', podName: undefined }
      : { ...base, orchestrator: 'k8s', namespace, podName };
  return [workload];
}

/** As the endpoint says; without one, all that an ADD could have given it. */
export function interfaceNamesOf(leak: Leak, { nodeName, sha1Hex, prefix }: Naming): readonly string[] {
  const recorded = leak.endpoints.flatMap(({ interfaceName }) => interfaceName || []);
  if (recorded.length > 0) return recorded;
  return workloadsOf(leak, nodeName).flatMap((ids) => [
    hostInterfaceName(ids, sha1Hex, prefix),
    alternativeHostInterfaceName(ids, prefix),
  ]);
}
