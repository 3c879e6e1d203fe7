/** Whether an attachment can be made, from what is in the kernel and in the datastore already. Pure. */

import { CalicoError } from '../../base/calico-error.ts';
import type { WorkloadFacts } from '../../datastore/workload-records.ts';
import type { WorkloadIdentifiers } from '../../workload/identifiers.ts';
import { isOfContainer, type WorkloadEndpoint } from '../../workload/workload-endpoint.ts';
import { requireReady } from '../require-ready.ts';
import { type ClaimedLinks, claimLinks, type HostIfNames, type SeenLinks } from './claim-links.ts';

/** One interface of one container, and what its names meet in the kernel. */
export interface Attachment {
  readonly ids: WorkloadIdentifiers;
  readonly netnsPath: string;
  readonly hostIfNames: HostIfNames;
  readonly seen: SeenLinks;
}

/** Whether this attachment may be made at all. Throws `unavailable`, `not-found`, `config` or `network`. */
export function checkAttachment(inputs: Attachment, facts: WorkloadFacts): ClaimedLinks {
  const { endpoint, similar, datastoreReady } = facts;
  requireReady(datastoreReady);
  requireSameInterface(inputs.ids, endpoint?.value);
  return claimLinks({ ...inputs, names: inputs.hostIfNames, endpoint: endpoint?.value, similar });
}

/**
 * Calico has one endpoint per workload, so a second interface of the container would overwrite the first. A new
 * sandbox of a pod may have another name for its interface.
 */
function requireSameInterface(ids: WorkloadIdentifiers, endpoint: WorkloadEndpoint | undefined): void {
  if (endpoint === undefined || endpoint.endpoint === ids.ifName) return;
  if (!isOfContainer(endpoint, ids.containerId)) return;
  throw new CalicoError(
    'config',
    `container ${ids.containerId} already has interface ${endpoint.endpoint}: Calico gives a container one interface, so ${ids.ifName} cannot be added`,
    {
      details: `workload endpoint ${endpoint.namespace}/${endpoint.name}; delete that attachment first, or use the same interface name`,
    },
  );
}
