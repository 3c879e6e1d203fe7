/** Which allocations a container must have for the addresses it uses. Pure. */

import type { IpAddress } from '../base/ip-address.ts';
import type { AskedAllocation } from '../ipam/check-allocation.ts';
import { handleIdsOf } from './handle-id.ts';
import type { Job } from './job.ts';

/** KubeVirt's machines keep their addresses under a handle of their own, which Calico's plugin gives them. */
export function askedAllocation(
  { conf, ids }: Pick<Job, 'conf' | 'ids'>,
  addresses: readonly IpAddress[],
): AskedAllocation {
  return { addresses, handleIds: handleIdsOf(conf.name, ids), machinePrefix: `${conf.name}.vmi.` };
}
