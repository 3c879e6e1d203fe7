/** Pods of a real kubelet: static ones without any API server, and those that an API server assigns to the node. */

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { BUSYBOX_IMAGE } from '../support/busybox-image.ts';
import { type Kubelet, startKubelet } from '../support/kubelet.ts';
import {
  type KubernetesNode,
  type KubernetesNodeWithApi,
  NODE_IP,
  NODE_NAME,
  POD_ADDRESS,
  startKubernetesNode,
  startKubernetesNodeWithApi,
} from '../support/kubernetes-node.ts';
import { whyNoKubernetes } from '../support/kubernetes-parts.ts';

const why = whyNoKubernetes();
const skipped = why === undefined ? '' : ` (skipped: ${why})`;

/** Serves a page on a port of the node, and is ready when that answers. */
const WEB = {
  metadata: { name: 'web', namespace: 'default', annotations: { 'kubernetes.io/ingress-bandwidth': '10M' } },
  spec: {
    nodeName: NODE_NAME,
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: 'main',
        image: BUSYBOX_IMAGE,
        imagePullPolicy: 'Never',
        command: ['httpd', '-f', '-p', '8080', '-h', '/www'],
        ports: [{ name: 'http', containerPort: 8080, hostPort: 18080 }],
        readinessProbe: { httpGet: { port: 'http' }, periodSeconds: 1 },
      },
    ],
  },
};

const RUNNING_AND_READY = expect.objectContaining({
  phase: 'Running',
  podIP: expect.stringMatching(POD_ADDRESS),
  hostIP: NODE_IP,
  conditions: expect.arrayContaining([expect.objectContaining({ type: 'Ready', status: 'True' })]),
});

/** kubelet looks at everything once a second, and some of it several times. */
const eventually = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 60_000, interval: 200 });

const start = ({ containerd }: KubernetesNode, kubeconfig?: string) =>
  startKubelet({
    containerd,
    nodeName: NODE_NAME,
    nodeIp: NODE_IP,
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
  });

const getPage = async (port: number): Promise<string> => (await fetch(`http://${NODE_IP}:${port}/`)).text();

describe.skipIf(why !== undefined)(`pods of a kubelet on its own${skipped}`, () => {
  let node: KubernetesNode;
  let kubelet: Kubelet;
  beforeAll(async () => {
    node = await startKubernetesNode();
    kubelet = await start(node);
  });
  afterAll(async () => {
    await kubelet.stop();
    await node[Symbol.asyncDispose]();
  });

  it('a static pod gets our address and a hostPort that answers, and nothing is left of it', async () => {
    kubelet.writeManifest(WEB);
    await eventually(async () => {
      const [pod] = await kubelet.pods();
      expect(pod).toMatchObject({ metadata: { name: `web-${NODE_NAME}` }, status: { phase: 'Running' } });
      expect(pod.status.podIP).toMatch(POD_ADDRESS);
    });
    // Running is a container whose server need not listen yet.
    await eventually(async () => expect(await getPage(18080)).toBe('hello\n'));
    kubelet.removeManifest('web');
    await eventually(async () => expect(await node.leftovers()).toEqual([]));
    await eventually(async () => expect(await kubelet.pods()).toEqual([]));
  });
});

describe.skipIf(why !== undefined)(`pods of a kubelet with an API server${skipped}`, () => {
  let node: KubernetesNodeWithApi;
  let kubelet: Kubelet;
  beforeAll(async () => {
    node = await startKubernetesNodeWithApi();
    kubelet = await start(node, node.api.kubeconfig());
  });
  afterAll(async () => {
    await kubelet.stop();
    await node[Symbol.asyncDispose]();
  });

  it('a pod becomes Ready with our address, is known to Calico, and nothing is left of it', async () => {
    await node.api.createPod({ ...WEB.metadata, labels: { app: 'web' } }, WEB.spec);
    await eventually(async () =>
      expect((await node.api.pod('default', 'web')).status).toEqual(RUNNING_AND_READY),
    );
    expect(await getPage(18080)).toBe('hello\n');
    const { podIP } = (await node.api.pod('default', 'web')).status;
    const [endpoint] = await endpoints(node);
    expect(endpoint).toMatchObject({
      metadata: {
        name: `${NODE_NAME}-k8s-web-eth0`,
        namespace: 'default',
        labels: { app: 'web', 'projectcalico.org/namespace': 'default' },
      },
      spec: {
        ipNetworks: [`${podIP}/32`],
        ports: [{ name: 'http', port: 8080, hostPort: 18080, protocol: 'TCP' }],
        profiles: ['kns.default'],
      },
    });
    await node.api.request('DELETE', '/api/v1/namespaces/default/pods/web');
    await eventually(async () => expect(await node.leftovers()).toEqual([]));
    await eventually(() => expect(node.api.pod('default', 'web')).rejects.toThrow('404'));
  });
});

/** Calico's, as its datastore has them. */
async function endpoints({ etcd }: KubernetesNode): Promise<readonly object[]> {
  const all = await etcd.list('/calico/resources/v3/projectcalico.org/workloadendpoints/');
  return [...all.values()].map((value) => JSON.parse(value));
}
