/**
 * A node of Kubernetes for one test file: a network namespace that plays the host, an etcd, a containerd whose pods our
 * executable networks, with portmap and bandwidth chained behind it, and an API server where there is to be one.
 */

import { readdirSync } from 'node:fs';
import { writeCluster } from './cluster.ts';
import { type Containerd, startContainerd } from './containerd.ts';
import { datastoreViolations } from './datastore-violations.ts';
import { type Etcd, startEtcd } from './etcd.ts';
import { type KubeApiServer, startKubeApiServer } from './kube-apiserver.ts';
import { makeLab, type TestNetns } from './netns.ts';

/** The test's own thread is on the host until the node is disposed of. */
export interface KubernetesNode extends AsyncDisposable {
  readonly host: TestNetns;
  readonly etcd: Etcd;
  readonly containerd: Containerd;
  /** What should be gone with the last pod, one line each; empty when all is well. */
  leftovers(): Promise<readonly string[]>;
}

export interface KubernetesNodeWithApi extends KubernetesNode {
  readonly api: KubeApiServer;
}

/** In Kubernetes and in Calico. */
export const NODE_NAME = 'node1';
/** Where a hostPort answers. */
export const NODE_IP = '192.0.2.1';
/** Addresses of this node's pods. */
export const POD_ADDRESS = /^192\.168\.166\.\d+$/;

/** Other tests that run at the same time leave results of networks of other names in /var/lib/cni. */
const NETWORK = 'real-pod-network';

/** A node without an API server, as for static pods: its conflist says nothing of policy. */
export function startKubernetesNode(): Promise<KubernetesNode> {
  return onStack(async (stack) => {
    const { host, etcd } = await startHost(stack);
    return startRuntime(stack, host, etcd, {});
  });
}

/** A node with an API server, which the plugin asks about each pod. */
export function startKubernetesNodeWithApi(): Promise<KubernetesNodeWithApi> {
  return onStack(async (stack) => {
    const { host, etcd } = await startHost(stack);
    const api = await startKubeApiServer(etcd.endpoint);
    stack.defer(() => api.stop());
    const conf = { policy: { type: 'k8s' }, kubernetes: { kubeconfig: api.kubeconfig() } };
    return { ...(await startRuntime(stack, host, etcd, conf)), api };
  });
}

/** Calls `start` with a stack for what it starts, which is undone when one start fails. */
async function onStack<T>(start: (stack: AsyncDisposableStack) => Promise<T>): Promise<T & AsyncDisposable> {
  await using stack = new AsyncDisposableStack();
  const started = await start(stack);
  const kept = stack.move();
  return { ...started, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

async function startHost(
  stack: AsyncDisposableStack,
): Promise<{ readonly host: TestNetns; readonly etcd: Etcd }> {
  const { host } = stack.use(makeLab({ hasDefaultRoute: true }));
  const etcd = await startEtcd();
  stack.defer(() => etcd.stop());
  await writeCluster(etcd, { nodes: [NODE_NAME] });
  return { host, etcd };
}

async function startRuntime(
  stack: AsyncDisposableStack,
  host: TestNetns,
  etcd: Etcd,
  calicoConf: object,
): Promise<Omit<KubernetesNode, keyof AsyncDisposable>> {
  const containerd = await startContainerd(conflist(etcd, calicoConf));
  stack.defer(() => containerd.stop());
  return { host, etcd, containerd, leftovers: () => leftovers(host, etcd) };
}

function conflist(etcd: Etcd, calicoConf: object): object {
  const calico = {
    type: 'calico',
    log_level: 'info',
    datastore_type: 'etcdv3',
    etcd_endpoints: etcd.endpoint,
    nodename: NODE_NAME,
    nodename_file_optional: true,
    mtu: 1500,
    ipam: { type: 'calico-ipam' },
    ...calicoConf,
  };
  const portmap = { type: 'portmap', snat: true, capabilities: { portMappings: true } };
  const bandwidth = { type: 'bandwidth', capabilities: { bandwidth: true } };
  return { cniVersion: '1.0.0', name: NETWORK, plugins: [calico, portmap, bandwidth] };
}

async function leftovers(host: TestNetns, etcd: Etcd): Promise<readonly string[]> {
  const lines = host.sh('ip -o link; ip route; ip -6 route; iptables-save').split('\n');
  // cali: our host side and its routes; bwp: bandwidth's; CNI-DN and CNI-SN: portmap's, one for each container.
  const kernel = lines.filter((line) => /\bcali|\bbwp|CNI-[DS]N-/.test(line));
  // These names are containerd's.
  const sandboxes = readdirSync('/run/netns').filter((name) => name.startsWith('cni-'));
  const cached = readdirSync('/var/lib/cni/results').filter((name) => name.startsWith(NETWORK));
  const datastore = datastoreViolations(await etcd.list('/calico/'), { network: NETWORK, live: new Map() });
  return [...kernel, ...sandboxes, ...cached, ...datastore];
}
