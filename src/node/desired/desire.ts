/**
 * From what is known of the cluster and of this host to what its kernel shall hold: a function of the two, whatever
 * happened before and in whatever order. Pure.
 */

import { type ClusterState, FAMILIES } from '../cluster.ts';
import { type FelixSettings, felixSettings } from '../felix-settings.ts';
import type { Finding } from '../finding.ts';
import type { HostFacts } from '../host-facts.ts';
import { hostFinder, localKeys, podRoutes } from './cluster-routes.ts';
import { desiredFamily, type HostWorld } from './desired-family.ts';
import type { DesiredHost } from './desired-host.ts';
import { decideIpip, isEnabled } from './devices.ts';
import { doubtOf, frozenBecause } from './hold-back.ts';
import { hostMtus, type Mtus } from './mtu.ts';
import { overlapFindings, poolFinder, routedPools } from './pools.ts';
import { desiredSysctls } from './sysctls.ts';

/** Lists in the answer are in no particular order. Never throws: what is wrong is among the findings. */
export function desiredHost(cluster: ClusterState, facts: HostFacts): DesiredHost {
  const { settings, findings } = felixSettings(cluster);
  const mtus = hostMtus(settings, facts);
  const ipip = decideIpip(cluster, routedPools(cluster.pools.values(), 4), settings, facts, mtus);
  const pods = podRoutes(cluster, facts);
  const world: HostWorld = {
    cluster,
    facts,
    settings,
    mtus,
    ipip: ipip.use,
    poolOf: poolFinder(cluster.pools.values()),
    holdsHost: hostFinder(cluster),
    localKeys: localKeys(cluster, pods),
  };
  const families = { 4: desiredFamily(world, 4), 6: desiredFamily(world, 6) };
  return {
    frozen: frozenBecause(cluster, facts),
    doubt: doubtOf(cluster),
    vxlan: { 4: families[4].vxlan, 6: families[6].vxlan },
    ipip: ipip.wish,
    neighbours: [...families[4].neighbours, ...families[6].neighbours],
    fdb: [...families[4].fdb, ...families[6].fdb],
    routes: [...families[4].routes, ...families[6].routes],
    podRoutes: pods,
    sysctls: desiredSysctls(Array.from(cluster.pools.values()), settings),
    nat: { 4: families[4].nat, 6: families[6].nat },
    poolCidrs: Array.from(cluster.pools.values(), ({ cidr }) => cidr),
    mtuFile: mtuOfPods(cluster, settings, mtus),
    findings: [
      ...unreadableFindings(cluster),
      ...findings,
      ...mtus.findings,
      ...overlapFindings(cluster.pools.values()),
      ...ipip.findings,
      ...families[4].findings,
      ...families[6].findings,
    ],
  };
}

/** What fits through every encapsulation that is in use. */
function mtuOfPods(cluster: ClusterState, settings: FelixSettings, mtus: Mtus): string {
  const pools = { 4: routedPools(cluster.pools.values(), 4), 6: routedPools(cluster.pools.values(), 6) };
  const inUse = [
    ...FAMILIES.filter((family) => isEnabled('vxlan', pools[family], settings)).map(
      (family) => mtus.vxlan[family],
    ),
    ...(isEnabled('ipip', pools[4], settings) ? [mtus.ipip] : []),
  ];
  return String(Math.min(mtus.host, ...inUse));
}

function unreadableFindings({ unreadable }: ClusterState): readonly Finding[] {
  return Array.from(unreadable, ([key, { reason, isLastGoodVersionUsed }]) => ({
    kind: 'unreadable-record',
    severity: isLastGoodVersionUsed ? 'warning' : 'error',
    subject: key,
    message: `${reason}. ${isLastGoodVersionUsed ? 'Its last good version is still used' : 'It is passed over'}.`,
  }));
}
