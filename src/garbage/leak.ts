/** What is left of a container that is gone. Pure. */

import type { SeenAllocation } from '../ipam/plan-collection.ts';
import type { WorkloadEndpoint } from '../workload/workload-endpoint.ts';

export interface Leak {
  readonly containerId: string;
  readonly allocations: readonly SeenAllocation[];
  readonly endpoints: readonly WorkloadEndpoint[];
}
