/** The objects a new cluster begins with → JSON, as calicoctl and calico/node write them. Pure. */

import { formatCidr } from '../../base/cidr.ts';
import type { NewPool } from '../../ipam/new-pool.ts';
import { formatResource } from './resource.ts';

/** Identity of an object that is created. */
export interface NewIdentity {
  readonly name: string;
  readonly uid: string;
  /** RFC 3339, whole seconds. */
  readonly creationTimestamp: string;
}

export function encodeNewPool(identity: NewIdentity, pool: NewPool): string {
  const spec = {
    cidr: formatCidr(pool.cidr),
    vxlanMode: 'Never',
    ipipMode: 'Never',
    natOutgoing: pool.natOutgoing || undefined,
    blockSize: pool.blockSize,
    nodeSelector: 'all()',
    allowedUses: ['Workload', 'Tunnel'],
    assignmentMode: 'Automatic',
  };
  return formatResource('IPPool', { ...identity }, spec, Object.keys(spec));
}

export function encodeNewNode(identity: NewIdentity): string {
  return formatResource('Node', { ...identity }, {}, []);
}

/** `guid`: 32 hexadecimal digits. */
export function encodeNewClusterInformation(identity: NewIdentity, guid: string): string {
  const spec = { clusterGUID: guid, datastoreReady: true };
  return formatResource('ClusterInformation', { ...identity }, spec, Object.keys(spec));
}
