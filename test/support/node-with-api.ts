/**
 * A simulated node of a Kubernetes cluster: pods are made in a real API server, and their sandboxes are networked by
 * calls such as kubelet and its runtime make them.
 */

import { type KubeApiServer, type KubeObject, startKubeApiServer } from './kube-apiserver.ts';
import { moveTo, type TestNetns } from './netns.ts';
import { sha1Hex } from './sha1.ts';
import {
  type Answer,
  type CniTestCall,
  dumpCalico,
  type SimulatedNode,
  startNode,
} from './simulated-node.ts';

export interface NodeWithApi extends SimulatedNode {
  readonly api: KubeApiServer;
  /** A sandbox for a pod of the API. Each has another container ID. */
  makeSandbox(pod: KubeObject): Sandbox;
}

export interface Sandbox {
  readonly netns: TestNetns;
  /** What the runtime says of it, to be used with {@link SimulatedNode.cni}. */
  readonly call: CniTestCall;
}

/** An address of the node in each family, which its pods reach. */
export const NODE_ADDRESSES = ['192.0.2.1', '2001:db8::1'] as const;

/** The test's own thread is on the node until it is stopped. */
export async function startNodeWithApi(): Promise<NodeWithApi> {
  const node = await startNode();
  for (const address of NODE_ADDRESSES) node.host.sh(`ip address add ${address} dev lo`);
  const moved = moveTo(node.host);
  const api = await startKubeApiServer(node.etcd.endpoint).catch(async (error: unknown) => {
    moved[Symbol.dispose]();
    await node.stop();
    throw error;
  });
  const kubernetes = { policy: { type: 'k8s' }, kubernetes: { kubeconfig: api.kubeconfig() } };
  const conf = (changes: object = {}) => node.conf({ ...kubernetes, ...changes });
  let sandboxes = 0;
  return {
    ...node,
    api,
    conf,
    cni: (command, call) => node.cni(command, { ...call, conf: { ...kubernetes, ...call.conf } }),
    makeSandbox: (pod) => {
      sandboxes += 1;
      const netns = node.makePod();
      return { netns, call: runtimeCall(pod, sha1Hex(`sandbox ${sandboxes}`).padEnd(64, '0'), netns.path) };
    },
    stop: async () => {
      await api.stop();
      moved[Symbol.dispose]();
      await node.stop();
    },
  };
}

/** As containerd writes it. */
function runtimeCall({ metadata }: KubeObject, containerId: string, netns: string): CniTestCall {
  const args = {
    K8S_POD_UID: metadata.uid,
    IgnoreUnknown: '1',
    K8S_POD_NAMESPACE: metadata.namespace,
    K8S_POD_NAME: metadata.name,
    K8S_POD_INFRA_CONTAINER_ID: containerId,
  };
  const pairs = Object.entries(args).map(([key, value]) => `${key}=${value}`);
  return { containerId, netns, args: pairs.join(';') };
}

/** The endpoint of a pod of the API, as etcd has it; `undefined` when there is none. */
export async function endpointOf(
  node: SimulatedNode,
  { metadata }: KubeObject,
): Promise<KubeObject | undefined> {
  const { namespace, name } = metadata;
  const folder = `/calico/resources/v3/projectcalico.org/workloadendpoints/${namespace}/`;
  const prefix = `${folder}node1-k8s-${name.replaceAll('-', '--')}-`;
  const found = [...(await dumpCalico(node))].filter(
    ([key]) => key.startsWith(prefix) && !key.slice(prefix.length).includes('-'),
  );
  if (found.length > 1) throw new Error(`pod ${namespace}/${name} has ${found.length} endpoints`);
  const [, value] = found[0] ?? [];
  return value === undefined ? undefined : JSON.parse(value);
}

/** The addresses of a result, without the length of the prefix. */
export function addressesOf({ json }: Answer): readonly string[] {
  return json.ips.map(({ address }: { readonly address: string }) => address.replace(/\/.*/, ''));
}
