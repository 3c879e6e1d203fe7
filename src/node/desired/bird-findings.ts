/** Whether this agent and BIRD, on one host, share the routes of the cluster between them without gap or overlap. Pure. */

import type { ClusterPool, ClusterState } from '../cluster.ts';
import { CLUSTER_ROUTES, type ClusterRoutes, type FelixSettings } from '../felix-settings.ts';
import type { Finding } from '../finding.ts';
import type { HostFacts } from '../host-facts.ts';
import { modeOf } from './pools.ts';

const SHARED = [
  { encapsulation: 'ipip', what: 'IPIP', setting: 'EnabledIPIPOnly' },
  { encapsulation: 'none', what: 'no encapsulation', setting: 'EnabledNoEncapOnly' },
] as const;

/** Whether a value of `programClusterRoutes` includes those routes. */
export function programs(setting: ClusterRoutes, only: (typeof SHARED)[number]['setting']): boolean {
  return setting === 'Enabled' || setting === only;
}

/** The two settings must be each other's opposite where there are pools that they are about; nothing else checks it. */
export function birdFindings(
  cluster: ClusterState,
  pools: readonly ClusterPool[],
  settings: FelixSettings,
  facts: HostFacts,
): readonly Finding[] {
  if (!facts.isBirdRunning) return [];
  const ofBird =
    CLUSTER_ROUTES.find((known) => known === cluster.bgp?.programClusterRoutes) ?? 'EnabledNoEncapOnly';
  return SHARED.filter(({ encapsulation }) =>
    pools.some((pool) => modeOf(pool)?.encapsulation === encapsulation),
  )
    .filter(({ setting }) => programs(settings.programClusterRoutes, setting) === programs(ofBird, setting))
    .map(({ what, setting }) => ({
      kind: 'foreign-agent',
      severity: programs(ofBird, setting) ? 'warning' : 'error',
      subject: what,
      message:
        `BIRD runs on this host, and ${programs(ofBird, setting) ? 'both it and this agent make' : 'neither it nor this agent makes'} ` +
        `the routes of pools with ${what}: give programClusterRoutes of the FelixConfiguration and of the ` +
        'BGPConfiguration opposite values.',
    }));
}
