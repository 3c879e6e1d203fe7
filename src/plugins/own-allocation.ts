/** An assignment by our own allocator, decided on what has been read. Pure. */

import { CalicoError, isCalicoError } from '../base/calico-error.ts';
import type { IpAddress, IpFamily } from '../base/ip-address.ts';
import { formatGoTime } from '../base/time.ts';
import type { IpamConf } from '../config/calico-conf.ts';
import { ipamFacts } from '../datastore/ipam-records.ts';
import type { View } from '../datastore/view.ts';
import { isAmbiguousHandleId } from '../garbage/handle-owner.ts';
import type { AssignmentRequest, IpamFacts, Predecessor } from '../ipam/facts.ts';
import { type AssignmentPlan, planAssignment } from '../ipam/plan-assignment.ts';
import { resolvePools } from '../ipam/requested-pools.ts';
import { handleIdOf } from './handle-id.ts';
import type { Job } from './job.ts';

/** What a call asks of the allocator; pools are resolved once it is known which there are. */
export interface OwnAllocation {
  /** First part of the handles' names. */
  readonly networkName: string;
  readonly request: Omit<AssignmentRequest, 'requestedPools' | 'predecessor'>;
  readonly ipv4Pools: readonly string[];
  readonly ipv6Pools: readonly string[];
  /** For messages; `undefined`: the network configuration. */
  readonly askedBy?: string | undefined;
}

/** What a pod asks for; what is absent is as the configuration and the runtime say. */
export interface AskedOfIpam {
  readonly families?: readonly IpFamily[] | undefined;
  readonly addresses?: readonly IpAddress[] | undefined;
  readonly ipv4Pools?: readonly string[] | undefined;
  readonly ipv6Pools?: readonly string[] | undefined;
  readonly namespaceLabels?: Readonly<Record<string, string>>;
  /** For messages: `annotation cni.projectcalico.org/ipv4pools of pod test/web or its namespace`. */
  readonly askedBy?: string | undefined;
}

export function ownAllocation(
  { conf, ids, args }: Pick<Job, 'conf' | 'ids' | 'args'>,
  nowNs: bigint,
  asked: AskedOfIpam = {},
): OwnAllocation {
  const { addresses } = asked;
  const handleId = handleIdOf(conf.name, ids);
  return {
    networkName: conf.name,
    request: {
      nodeName: ids.nodeName,
      handleId,
      owner: {
        // Beside what Calico writes, and only where its handle could be another network's: a GC must know.
        ...(isAmbiguousHandleId(handleId) ? { network: conf.name } : {}),
        ...(ids.podName === undefined ? {} : { namespace: ids.namespace, pod: ids.podName }),
        node: ids.nodeName,
        timestamp: formatGoTime(nowNs),
      },
      families: asked.families ?? configuredFamilies(conf.ipam),
      requestedAddresses: addresses ?? (args.ip === undefined ? [] : [args.ip]),
      namespaceLabels: asked.namespaceLabels ?? {},
      use: 'Workload',
      nowNs,
    },
    ipv4Pools: asked.ipv4Pools ?? conf.ipam.ipv4Pools,
    ipv6Pools: asked.ipv6Pools ?? conf.ipam.ipv6Pools,
    askedBy: asked.askedBy,
  };
}

function configuredFamilies({ assignIpv4, assignIpv6 }: IpamConf): readonly IpFamily[] {
  const wanted: readonly (readonly [IpFamily, boolean])[] = [
    [4, assignIpv4],
    [6, assignIpv6],
  ];
  return wanted.flatMap(([family, isWanted]) => (isWanted ? [family] : []));
}

/** `predecessor`: the pod's sandbox before this one, as its endpoint tells. */
export function planOwnAllocation(
  allocation: OwnAllocation,
  view: View,
  warn: (text: string) => void,
  predecessor?: Predecessor,
): AssignmentPlan {
  const facts = ipamFacts(view, allocation.request, warn);
  try {
    return planAssignment({ ...resolveRequest(allocation, facts), predecessor }, facts);
  } catch (error) {
    throw allocation.askedBy === undefined ? error : blamedOn(allocation.askedBy, error);
  }
}

/** Who reads that a pool does not exist must not look for it in the configuration when an annotation names it. */
function blamedOn(askedBy: string, error: unknown): unknown {
  if (!isCalicoError(error, 'config', 'no-address')) return error;
  const details = [error.details, `asked for by ${askedBy}`].filter(Boolean).join('; ');
  return new CalicoError(error.kind, error.message, { details, cause: error.cause });
}

/** Throws `config` for a pool that does not exist, or is of the other family. */
export function resolveRequest(
  { request, ipv4Pools, ipv6Pools }: OwnAllocation,
  { pools }: IpamFacts,
): AssignmentRequest {
  return {
    ...request,
    requestedPools: [...resolvePools(ipv4Pools, 4, pools), ...resolvePools(ipv6Pools, 6, pools)],
  };
}
