/** The real parts of Kubernetes, each by itself with the reference plugins: what the other tests here stand on. */

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { BUSYBOX_IMAGE } from '../support/busybox-image.ts';
import { type Containerd, startContainerd } from '../support/containerd.ts';
import { type Etcd, startEtcd } from '../support/etcd.ts';
import { type KubeApiServer, startKubeApiServer } from '../support/kube-apiserver.ts';
import { startKubelet } from '../support/kubelet.ts';
import { whyNoKubernetes } from '../support/kubernetes-parts.ts';
import { type Lab, makeLab } from '../support/netns.ts';

const why = whyNoKubernetes();
const skipped = why === undefined ? '' : ` (skipped: ${why})`;

const REFERENCE_CONFLIST = {
  cniVersion: '1.0.0',
  name: 'reference',
  plugins: [
    {
      type: 'ptp',
      ipam: { type: 'host-local', ranges: [[{ subnet: '10.99.0.0/24' }]], routes: [{ dst: '0.0.0.0/0' }] },
    },
    { type: 'portmap', capabilities: { portMappings: true }, snat: true },
  ],
};

const ADDRESS = expect.stringMatching(/^10\.99\.0\./);

const WEB = {
  metadata: { name: 'web', namespace: 'default' },
  spec: {
    nodeName: 'node1',
    terminationGracePeriodSeconds: 1,
    containers: [
      {
        name: 'main',
        image: BUSYBOX_IMAGE,
        imagePullPolicy: 'Never',
        command: ['httpd', '-f', '-p', '8080', '-h', '/www'],
        ports: [{ containerPort: 8080, hostPort: 18080 }],
      },
    ],
  },
};

const eventually = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 60_000, interval: 200 });

describe.skipIf(why !== undefined)(`the parts of Kubernetes${skipped}`, () => {
  let lab: Lab;
  let containerd: Containerd;
  beforeAll(async () => {
    lab = makeLab({ hasDefaultRoute: true });
    containerd = await startContainerd(REFERENCE_CONFLIST);
  });
  afterAll(async () => {
    await containerd.stop();
    lab[Symbol.dispose]();
  });

  it('containerd runs a sandbox and a container in it, which reaches the node', async () => {
    const pod = { name: 'pinger' };
    const { cri } = containerd;
    const sandbox = await cri.runPodSandbox(pod);
    expect(await cri.podSandboxStatus(sandbox)).toEqual({ state: 'SANDBOX_READY', ips: [ADDRESS] });
    const container = await cri.runContainer(sandbox, pod, ['sleep', '1000']);
    const ping = await cri.exec(container, ['ping', '-c', '1', '-W', '2', '192.0.2.1']);
    expect(ping).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('1 packets received') });
    await cri.stopPodSandbox(sandbox);
    await cri.removePodSandbox(sandbox);
    expect(await cri.listPodSandboxes()).toEqual([]);
    expect(lab.host.sh('ip -o link')).not.toContain('veth');
  });

  it('kubelet runs a static pod, and no longer when its manifest is gone', async () => {
    const kubelet = await startKubelet({ containerd, nodeName: 'node1', nodeIp: '192.0.2.1' });
    try {
      kubelet.writeManifest(WEB);
      await eventually(async () =>
        expect(await kubelet.pods()).toMatchObject([
          { metadata: { name: 'web-node1' }, status: { phase: 'Running', podIP: ADDRESS } },
        ]),
      );
      // Running is a container whose server need not listen yet.
      await eventually(async () => {
        const answer = await fetch('http://192.0.2.1:18080/');
        expect(await answer.text()).toBe('hello\n');
      });
      kubelet.removeManifest('web');
      await eventually(async () => {
        const sandboxes = await containerd.cri.listPodSandboxes();
        expect(sandboxes.map(({ state }) => state)).not.toContain('SANDBOX_READY');
        expect(lab.host.sh('ip -o link')).not.toContain('veth');
      });
    } finally {
      await kubelet.stop();
    }
  });

  describe('with an API server', () => {
    let etcd: Etcd;
    let api: KubeApiServer;
    beforeAll(async () => {
      etcd = await startEtcd();
      api = await startKubeApiServer(etcd.endpoint);
    });
    afterAll(async () => {
      await api.stop();
      await etcd.stop();
    });

    it('the API server keeps a pod', async () => {
      await api.createNamespace('blue', { labels: { colour: 'blue' } });
      await api.createPod({ name: 'idle', namespace: 'blue', labels: { app: 'idle' } });
      expect(await api.pod('blue', 'idle')).toMatchObject({
        metadata: { name: 'idle', namespace: 'blue', labels: { app: 'idle' } },
        spec: { nodeName: 'node1' },
      });
      await api.deletePod('blue', 'idle');
      await expect(api.pod('blue', 'idle')).rejects.toThrow('404');
    });

    it('kubelet registers the node, and runs a pod that the API server was given', async () => {
      const kubeconfig = api.kubeconfig();
      const kubelet = await startKubelet({ containerd, nodeName: 'node1', nodeIp: '192.0.2.1', kubeconfig });
      try {
        await api.createPod(WEB.metadata, WEB.spec);
        await eventually(async () =>
          expect((await api.pod('default', 'web')).status.conditions).toContainEqual(
            expect.objectContaining({ type: 'Ready', status: 'True' }),
          ),
        );
        expect(await api.request('GET', '/api/v1/nodes/node1')).toMatchObject({
          status: { addresses: expect.arrayContaining([{ type: 'InternalIP', address: '192.0.2.1' }]) },
        });
      } finally {
        await kubelet.stop();
      }
    });
  });
});
