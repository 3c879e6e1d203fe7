/** The datastores that plugins are measured on: etcd as it is, with TLS, and with many pods in it; the embedded one. */

import { join } from 'node:path';
import { makeCa, makeCertificate } from '../test/support/certificates.ts';
import { writeCluster } from '../test/support/cluster.ts';
import { type Etcd, startEtcd } from '../test/support/etcd.ts';
import { executable } from '../test/support/executable.ts';
import { startKubeApiServer } from '../test/support/kube-apiserver.ts';
import { podRecords } from '../test/support/populated-cluster.ts';
import { output } from '../test/support/run.ts';
import { findTool } from '../test/support/tools.ts';

/** A datastore and the keys of the network configuration that lead to it. */
export interface Datastore {
  readonly conf: Readonly<Record<string, string>>;
  /** Where requests and bytes are counted. */
  readonly etcd: Etcd | undefined;
}

/** `pods`: how many of other nodes it holds. */
export async function plainEtcd(resources: AsyncDisposableStack, pods: number): Promise<Datastore> {
  const etcd = await startEtcd();
  resources.defer(() => etcd.stop());
  await writeCluster(etcd);
  await etcd.putAll(podRecords(pods));
  return { etcd, conf: { datastore_type: 'etcdv3', etcd_endpoints: etcd.endpoint } };
}

/** Both sides have a certificate. */
export async function tlsEtcd(resources: AsyncDisposableStack, folder: string): Promise<Datastore> {
  const ca = makeCa(folder, 'ca');
  const server = makeCertificate(folder, 'server', ca, 'IP:127.0.0.1');
  const client = makeCertificate(folder, 'client', ca, 'DNS:node1');
  const etcd = await startEtcd({ tls: { ca: ca.cert, ...server } });
  resources.defer(() => etcd.stop());
  await writeCluster(etcd);
  return {
    etcd,
    conf: {
      datastore_type: 'etcdv3',
      etcd_endpoints: etcd.endpoint,
      etcd_ca_cert_file: ca.cert,
      etcd_cert_file: client.cert,
      etcd_key_file: client.key,
    },
  };
}

/** A cluster of Kubernetes that has these pods, on the same etcd; `undefined` where there is no kube-apiserver. */
export async function kubernetes(
  resources: AsyncDisposableStack,
  { etcd }: Datastore,
  pods: readonly string[],
): Promise<object | undefined> {
  if (etcd === undefined || findTool('kube-apiserver') === undefined) return undefined;
  const api = await startKubeApiServer(etcd.endpoint);
  resources.defer(() => api.stop());
  for (const name of pods) await api.createPod({ name });
  return { policy: { type: 'k8s' }, kubernetes: { kubeconfig: api.kubeconfig() } };
}

export async function embedded(folder: string): Promise<Datastore> {
  const path = join(folder, 'calico.db');
  await output([
    executable('calico'),
    ...['bootstrap', '--pool', '192.168.0.0/16', '--node', 'node1'],
    ...['--datastore-type', 'embedded', '--datastore-path', path],
  ]);
  return { etcd: undefined, conf: { datastore_type: 'embedded', datastore_path: path } };
}
