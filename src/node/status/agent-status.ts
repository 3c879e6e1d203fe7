/** What `calico node status` is told by the agent: JSON, which others may read as well. Pure. */

import { formatCidr } from '../../base/cidr.ts';
import { formatIpAddress } from '../../base/ip-address.ts';
import type { ClusterPool, ClusterState } from '../cluster.ts';
import type { DesiredHost } from '../desired/desired-host.ts';
import { modeOf } from '../desired/pools.ts';
import type { Finding } from '../finding.ts';
import { type Health, liveness, readiness } from '../health/health.ts';
import type { HostRoute } from '../host-route.ts';
import type { AgentFacts, DatastoreFacts } from '../journal.ts';
import { hostAddresses, type PeerStatus, peerStatuses, tunnelAddresses } from './peer-status.ts';

/** Times are RFC 3339, in UTC; what is not known is left out. */
export interface AgentStatus {
  readonly node: string;
  readonly version: string;
  readonly since: string;
  readonly live: Health;
  readonly ready: Health;
  readonly addresses: readonly string[];
  readonly tunnelAddresses: readonly string[];
  /** What pods get. */
  readonly mtu?: string;
  readonly devices: readonly { readonly name: string; readonly mtu: number }[];
  readonly pools: readonly PoolStatus[];
  readonly datastore: DatastoreStatus;
  readonly kernel?: KernelStatus;
  readonly peers: readonly PeerStatus[];
  readonly routes: readonly RouteStatus[];
  readonly findings: readonly Finding[];
  /** What others of the agent have to tell, by their names. */
  readonly more: Readonly<Record<string, unknown>>;
}

export interface PoolStatus {
  readonly name: string;
  readonly cidr: string;
  /** `VXLAN`, `IPIP, CrossSubnet`, `direct`, `not routed`. */
  readonly mode: string;
  readonly natOutgoing: boolean;
  readonly disabled: boolean;
}

export interface DatastoreStatus {
  readonly state: DatastoreFacts['state'];
  readonly since: string;
  readonly revision?: string;
  /** The last sign of life. */
  readonly heard?: string;
  readonly error?: string;
}

export interface KernelStatus {
  readonly lastRound: string;
  readonly cause: string;
  readonly milliseconds: number;
  readonly changes: number;
  /** Why nothing must be changed now. */
  readonly frozen?: string;
  readonly failures: readonly string[];
}

export interface RouteStatus {
  readonly destination: string;
  readonly type: string;
  readonly via?: string;
  readonly device?: string;
}

export interface StatusMoment {
  readonly monotonicMs: number;
  /** Since the Unix epoch. */
  readonly nowNs: bigint;
}

export function agentStatus(
  facts: AgentFacts,
  version: string,
  moment: StatusMoment,
  more: AgentStatus['more'] = {},
): AgentStatus {
  const { cluster, kernel, nodeName } = facts;
  const desired = kernel.round?.desired;
  const own = cluster?.nodes.get(nodeName);
  const kernelPart = kernelStatus(facts, moment);
  return {
    ...{ node: nodeName, version, since: timeOf(facts.beganMs, moment) },
    live: liveness(facts, moment.monotonicMs),
    ready: readiness(facts, moment.monotonicMs),
    ...{ addresses: hostAddresses(own), tunnelAddresses: tunnelAddresses(own) },
    ...(desired === undefined ? {} : { mtu: desired.mtuFile }),
    devices: desired === undefined ? [] : devicesOf(desired),
    pools: cluster === undefined ? [] : poolsOf(cluster),
    datastore: datastoreStatus(facts.datastore, moment),
    ...(kernelPart === undefined ? {} : { kernel: kernelPart }),
    peers: cluster === undefined ? [] : peerStatuses(cluster, desired),
    routes: [...(desired?.routes ?? []), ...(desired?.podRoutes ?? [])].map(routeStatus),
    findings: kernel.round?.findings ?? [],
    more,
  };
}

function timeOf(atMs: number, { monotonicMs, nowNs }: StatusMoment): string {
  return new Date(Number(nowNs / 1_000_000n) - (monotonicMs - atMs)).toISOString();
}

function devicesOf({ vxlan, ipip }: DesiredHost): AgentStatus['devices'] {
  return [vxlan[4], vxlan[6], ipip].flatMap((wish) =>
    wish.want === 'present' ? [{ name: wish.device.name, mtu: wish.device.mtu }] : [],
  );
}

function poolsOf({ pools }: ClusterState): readonly PoolStatus[] {
  return Array.from(pools.values(), (pool) => ({
    ...{ name: pool.name, cidr: formatCidr(pool.cidr), mode: modeText(pool) },
    ...{ natOutgoing: pool.natOutgoing, disabled: pool.isDisabled },
  })).toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

function modeText(pool: ClusterPool): string {
  const mode = modeOf(pool);
  if (mode === undefined) return 'not routed';
  if (mode.encapsulation === 'none') return 'direct';
  return `${mode.encapsulation.toUpperCase()}${mode.isCrossSubnet ? ', CrossSubnet' : ''}`;
}

function datastoreStatus(
  { state, sinceMs, revision, heardMs, error }: DatastoreFacts,
  moment: StatusMoment,
): DatastoreStatus {
  return {
    state,
    since: timeOf(sinceMs, moment),
    ...(revision === undefined ? {} : { revision }),
    ...(heardMs === undefined ? {} : { heard: timeOf(heardMs, moment) }),
    ...(error === undefined ? {} : { error: error.message }),
  };
}

function kernelStatus({ kernel }: AgentFacts, moment: StatusMoment): KernelStatus | undefined {
  const { round, lookedMs, failures } = kernel;
  if (round === undefined || lookedMs === undefined) return undefined;
  const { frozen } = round.desired;
  return {
    lastRound: timeOf(lookedMs, moment),
    cause: round.cause,
    milliseconds: Math.round(round.elapsedMs),
    changes: round.changes,
    ...(frozen === undefined ? {} : { frozen }),
    failures: failures.map(({ message, details }) => [message, details].filter(Boolean).join(': ')),
  };
}

function routeStatus({ destination, type, gateway, device }: HostRoute): RouteStatus {
  return {
    ...{ destination: formatCidr(destination), type },
    ...(gateway === undefined ? {} : { via: formatIpAddress(gateway) }),
    ...(device === undefined ? {} : { device }),
  };
}
