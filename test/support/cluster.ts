/** The least an etcd must hold before a pod can get an address: what calico/node and calicoctl write at first. */

import type { EtcdData } from './etcd-data.ts';

/** Where the objects go. */
type Writable = Pick<EtcdData, 'put'>;

const RESOURCES = '/calico/resources/v3/projectcalico.org';

export interface ClusterOptions {
  /** Names of the nodes. */
  readonly nodes?: readonly string[];
  /** CIDR by pool name; a pool of `/26` or `/122` blocks. */
  readonly pools?: Readonly<Record<string, string>>;
  readonly datastoreReady?: boolean;
}

/** Writes ClusterInformation, nodes and pools. */
export async function writeCluster(etcd: Writable, options: ClusterOptions = {}): Promise<void> {
  const { nodes = ['node1'], pools = { 'default-ipv4-ippool': '192.168.0.0/16' } } = options;
  await writeResource(etcd, 'clusterinformations', 'ClusterInformation', 'default', {
    clusterGUID: '85cd3d0dcf424f609b54f8abfe6c2483',
    datastoreReady: options.datastoreReady ?? true,
  });
  for (const node of nodes) await writeResource(etcd, 'nodes', 'Node', node, {});
  for (const [name, cidr] of Object.entries(pools)) await writePool(etcd, name, cidr);
}

/** Writes one pool; `spec` adds to or replaces its fields. */
export function writePool(etcd: Writable, name: string, cidr: string, spec: object = {}): Promise<void> {
  return writeResource(etcd, 'ippools', 'IPPool', name, {
    cidr,
    vxlanMode: 'Never',
    ipipMode: 'Never',
    natOutgoing: true,
    blockSize: cidr.includes(':') ? 122 : 26,
    nodeSelector: 'all()',
    allowedUses: ['Workload', 'Tunnel'],
    assignmentMode: 'Automatic',
    ...spec,
  });
}

function writeResource(
  etcd: Writable,
  plural: string,
  kind: string,
  name: string,
  spec: object,
): Promise<void> {
  const metadata = {
    name,
    uid: '0cac4ac7-de65-40ff-a15e-89f889c2f060',
    creationTimestamp: '2026-01-01T00:00:00Z',
  };
  const resource = { kind, apiVersion: 'projectcalico.org/v3', metadata, spec };
  return etcd.put(`${RESOURCES}/${plural}/${name}`, JSON.stringify(resource));
}
