/** When nothing must be changed, and when so little is wanted that it should be read again first. Pure. */

import type { ClusterState } from '../cluster.ts';
import type { Finding } from '../finding.ts';
import type { HostFacts } from '../host-facts.ts';

export const FELIX_RUNS =
  'Felix runs on this host and keeps the same routes: stop calico-node, or this agent';
const NOT_READY =
  'the datastore is not ready: ClusterInformation default is missing or its datastoreReady is false';

/** `undefined`: the host may be changed. */
export function frozenBecause(cluster: ClusterState, facts: HostFacts): string | undefined {
  if (facts.isFelixRunning) return FELIX_RUNS;
  return cluster.isDatastoreReady ? undefined : NOT_READY;
}

/** The same, to be told. */
export function frozenFindings(cluster: ClusterState, facts: HostFacts): readonly Finding[] {
  const nothing = 'Until then nothing is changed on this host.';
  const felix: Finding = {
    kind: 'foreign-agent',
    severity: 'error',
    subject: 'Felix',
    message: `${FELIX_RUNS}. ${nothing}`,
  };
  const datastore: Finding = {
    kind: 'not-ready',
    severity: 'error',
    subject: 'ClusterInformation default',
    message: `${NOT_READY}. ${nothing}`,
  };
  return [...(facts.isFelixRunning ? [felix] : []), ...(cluster.isDatastoreReady ? [] : [datastore])];
}

/** A datastore that was emptied by mistake, or restored, must not take the traffic of a whole cluster down. */
export function doubtOf(cluster: ClusterState): string | undefined {
  if (cluster.nodes.size === 0) return 'there is no Node in the datastore';
  if (!cluster.nodes.has(cluster.nodeName))
    return `there is no Node ${cluster.nodeName}, which is this one, in the datastore`;
  return cluster.pools.size === 0 ? 'there is no IPPool in the datastore' : undefined;
}
