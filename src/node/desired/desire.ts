/**
 * From what is known of the cluster and of this host to what its kernel shall hold: a function of the two, whatever
 * happened before and in whatever order. Pure.
 */

import { type ClusterState, FAMILIES } from '../cluster.ts';
import type { Finding } from '../finding.ts';
import { type HostFacts, withoutPods } from '../host-facts.ts';
import { clusterRoutes, localKeys, podRoutes } from './cluster-routes.ts';
import type { DesiredHost } from './desired-host.ts';
import { doubtOf, frozenBecause, frozenFindings } from './hold-back.ts';
import { isPreparedFor, type PreparedHost, prepareHost } from './prepare-host.ts';
import { differenceSince } from './route-claims.ts';
import { desiredSysctls } from './sysctls.ts';

/** What the last calculation can spare the next one; it never changes an answer. */
export interface DesireMemo {
  prepared?: PreparedHost;
  /** The facts that it was last prepared for, or would have been. */
  facts?: HostFacts;
}

/**
 * Lists in the answer are in no particular order. Never throws: what is wrong is among the findings. With one memo for
 * all calls of an agent, a change of some blocks costs little more than those blocks.
 */
export function desiredHost(cluster: ClusterState, facts: HostFacts, memo: DesireMemo = {}): DesiredHost {
  const prepared = prepare(cluster, facts, memo);
  const pods = podRoutes(cluster, facts);
  const local = localKeys(cluster, pods);
  const families = FAMILIES.map((family) => prepared.families[family]);
  const difference = differenceSince(prepared.families[4].claims, cluster.blocks);
  const routed = families.map(({ routes, claims }) => clusterRoutes(difference, routes, claims, local));
  return {
    frozen: frozenBecause(cluster, facts),
    doubt: doubtOf(cluster),
    vxlan: { 4: prepared.families[4].vxlan, 6: prepared.families[6].vxlan },
    ipip: prepared.ipip,
    neighbours: families.flatMap(({ neighbours }) => neighbours),
    fdb: families.flatMap(({ fdb }) => fdb),
    routes: routed.flatMap(({ routes }) => routes),
    podRoutes: pods,
    sysctls: desiredSysctls(Array.from(cluster.pools.values()), prepared.settings),
    nat: { 4: prepared.families[4].nat, 6: prepared.families[6].nat },
    poolCidrs: Array.from(cluster.pools.values(), ({ cidr }) => cidr),
    mtuFile: prepared.mtuFile,
    findings: [
      ...frozenFindings(cluster, facts),
      ...unreadableFindings(cluster),
      ...prepared.findings,
      ...[...families, ...routed].flatMap(({ findings }) => findings),
    ],
  };
}

function prepare(cluster: ClusterState, facts: HostFacts, memo: DesireMemo): PreparedHost {
  const { prepared } = memo;
  const host = memo.facts === facts && prepared !== undefined ? prepared.facts : withoutPods(facts);
  memo.facts = facts;
  if (prepared !== undefined && isPreparedFor(prepared, cluster, host)) return prepared;
  memo.prepared = prepareHost(cluster, host);
  return memo.prepared;
}

function unreadableFindings({ unreadable }: ClusterState): readonly Finding[] {
  return Array.from(unreadable, ([key, { reason, isLastGoodVersionUsed }]) => ({
    kind: 'unreadable-record',
    severity: isLastGoodVersionUsed ? 'warning' : 'error',
    subject: key,
    message: `${reason}. ${isLastGoodVersionUsed ? 'Its last good version is still used' : 'It is passed over'}.`,
  }));
}
