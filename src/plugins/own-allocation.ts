/** An assignment by our own allocator, decided on what has been read. Pure. */

import type { IpFamily } from '../base/ip-address.ts';
import { formatGoTime } from '../base/time.ts';
import { ipamFacts } from '../datastore/ipam-records.ts';
import type { View } from '../datastore/view.ts';
import type { AssignmentRequest } from '../ipam/facts.ts';
import { type AssignmentPlan, planAssignment } from '../ipam/plan-assignment.ts';
import { resolvePools } from '../ipam/requested-pools.ts';
import { handleIdOf } from './handle-id.ts';
import type { Job } from './job.ts';

/** What a call asks of the allocator; pools are resolved once it is known which there are. */
export interface OwnAllocation {
  readonly request: Omit<AssignmentRequest, 'requestedPools'>;
  readonly ipv4Pools: readonly string[];
  readonly ipv6Pools: readonly string[];
}

export function ownAllocation(
  { conf, ids, args }: Pick<Job, 'conf' | 'ids' | 'args'>,
  nowNs: bigint,
): OwnAllocation {
  const wanted: readonly (readonly [IpFamily, boolean])[] = [
    [4, conf.ipam.assignIpv4],
    [6, conf.ipam.assignIpv6],
  ];
  return {
    request: {
      nodeName: ids.nodeName,
      handleId: handleIdOf(conf.name, ids),
      owner: {
        ...(ids.podName === undefined ? {} : { namespace: ids.namespace, pod: ids.podName }),
        node: ids.nodeName,
        timestamp: formatGoTime(nowNs),
      },
      families: wanted.flatMap(([family, isWanted]) => (isWanted ? [family] : [])),
      requestedAddresses: args.ip === undefined ? [] : [args.ip],
      namespaceLabels: {},
      use: 'Workload',
      nowNs,
    },
    ipv4Pools: conf.ipam.ipv4Pools,
    ipv6Pools: conf.ipam.ipv6Pools,
  };
}

export function planOwnAllocation(
  allocation: OwnAllocation,
  view: View,
  warn: (text: string) => void,
): AssignmentPlan {
  const { request, ipv4Pools, ipv6Pools } = allocation;
  const facts = ipamFacts(view, { nodeName: request.nodeName, handleIds: [request.handleId] }, warn);
  const requestedPools = [
    ...resolvePools(ipv4Pools, 4, facts.pools),
    ...resolvePools(ipv6Pools, 6, facts.pools),
  ];
  return planAssignment({ ...request, requestedPools }, facts);
}
