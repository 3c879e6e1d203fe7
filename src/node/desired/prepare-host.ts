/** The desired host as far as it does not depend on blocks and pods, and when that is still true. Pure. */

import { type ClusterState, FAMILIES, type PerFamily } from '../cluster.ts';
import { type FelixSettings, felixSettings } from '../felix-settings.ts';
import type { Finding } from '../finding.ts';
import type { HostFacts } from '../host-facts.ts';
import { sameValue } from '../same-value.ts';
import { birdFindings } from './bird-findings.ts';
import { hostFinder } from './cluster-routes.ts';
import type { DeviceWish, IpipDevice } from './desired-host.ts';
import { decideIpip, isEnabled } from './devices.ts';
import { felixFilterFindings } from './felix-filter-findings.ts';
import { hostMtus, type Mtus } from './mtu.ts';
import { overlapFindings, poolFinder, routedPools } from './pools.ts';
import { type PreparedFamily, prepareFamily } from './prepare-family.ts';

export interface PreparedHost {
  readonly cluster: ClusterState;
  readonly facts: HostFacts;
  readonly settings: FelixSettings;
  readonly ipip: DeviceWish<IpipDevice>;
  readonly mtuFile: string;
  readonly families: PerFamily<PreparedFamily>;
  /** Without those of the families. */
  readonly findings: readonly Finding[];
}

export function prepareHost(cluster: ClusterState, facts: HostFacts): PreparedHost {
  const { settings, findings } = felixSettings(cluster);
  const mtus = hostMtus(settings, facts);
  const pools = routedPools(cluster.pools.values(), 4);
  const ipip = decideIpip(cluster, pools, settings, facts, mtus);
  const poolOf = poolFinder(cluster.pools.values());
  const world = { cluster, facts, settings, mtus, ipip: ipip.use, poolOf, holdsHost: hostFinder(cluster) };
  return {
    cluster,
    facts,
    settings,
    ipip: ipip.wish,
    mtuFile: mtuOfPods(cluster, settings, mtus),
    families: { 4: prepareFamily(world, 4), 6: prepareFamily(world, 6) },
    findings: [
      ...findings,
      ...mtus.findings,
      ...overlapFindings(cluster.pools.values()),
      ...ipip.findings,
      ...birdFindings(cluster, pools, settings, facts),
      ...felixFilterFindings(facts),
    ],
  };
}

/** Whether the same would be prepared for another cluster and host. */
export function isPreparedFor(prepared: PreparedHost, cluster: ClusterState, facts: HostFacts): boolean {
  const { cluster: former } = prepared;
  return (
    sameValue(prepared.facts, facts) &&
    former.nodeName === cluster.nodeName &&
    former.nodes === cluster.nodes &&
    former.pools === cluster.pools &&
    former.felix === cluster.felix &&
    former.felixOverrides === cluster.felixOverrides &&
    former.bgp === cluster.bgp
  );
}

/** What fits through every encapsulation that is in use. */
function mtuOfPods(cluster: ClusterState, settings: FelixSettings, mtus: Mtus): string {
  const poolsOf = (family: 4 | 6) => routedPools(cluster.pools.values(), family);
  const vxlan = FAMILIES.filter((family) => isEnabled('vxlan', poolsOf(family), settings));
  return String(
    Math.min(
      mtus.host,
      ...vxlan.map((family) => mtus.vxlan[family]),
      ...(isEnabled('ipip', poolsOf(4), settings) ? [mtus.ipip] : []),
    ),
  );
}
