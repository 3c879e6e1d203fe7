/** Pods on a real containerd, made over the CRI as kubelet makes them, with portmap and bandwidth chained. */

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Cri, PodSandbox } from '../support/cri.ts';
import {
  type KubernetesNodeWithApi,
  NODE_IP,
  POD_ADDRESS,
  startKubernetesNodeWithApi,
} from '../support/kubernetes-node.ts';
import { whyNoKubernetes } from '../support/kubernetes-parts.ts';

const why = whyNoKubernetes();
const skipped = why === undefined ? '' : ` (skipped: ${why})`;

describe.skipIf(why !== undefined)(`pods on containerd${skipped}`, () => {
  let node: KubernetesNodeWithApi;
  let cri: Cri;
  beforeAll(async () => {
    node = await startKubernetesNodeWithApi();
    ({ cri } = node.containerd);
  });
  afterAll(() => node[Symbol.asyncDispose]());

  /** A pod that the API server knows, and its sandbox. */
  const run = async (pod: PodSandbox): Promise<RunningPod> => {
    const { name, annotations = {} } = pod;
    const { metadata } = await node.api.createPod({ name, annotations });
    const known = { ...pod, uid: metadata.uid };
    const startedMs = performance.now();
    const sandboxId = await cri.runPodSandbox(known);
    const elapsedMs = performance.now() - startedMs;
    const { ips } = await cri.podSandboxStatus(sandboxId);
    return { pod: known, sandboxId, address: ips[0] ?? 'none', elapsedMs };
  };
  const remove = async ({ pod, sandboxId }: RunningPod): Promise<void> => {
    await cri.stopPodSandbox(sandboxId);
    await cri.removePodSandbox(sandboxId);
    await node.api.deletePod('default', pod.name);
  };

  it('sandboxes come and go one after another', async () => {
    const pods: RunningPod[] = [];
    for (const name of ['a', 'b', 'c', 'd', 'e']) pods.push(await run({ name }));
    report('one after another', pods);
    await Promise.all(pods.map(remove));
    expect(await node.leftovers()).toEqual([]);
  });

  it('30 sandboxes at once each have an address, two of them talk, and nothing is left of them', async () => {
    const names = Array.from({ length: 30 }, (_, index) => `pod${index}`);
    const pods = await Promise.all(names.map((name) => run({ name })));
    report('30 at once', pods);
    const addresses = pods.map(({ address }) => address);
    expect(addresses).toEqual(names.map(() => expect.stringMatching(POD_ADDRESS)));
    expect(new Set(addresses).size).toBe(30);
    const [server, client] = pods;
    if (server === undefined || client === undefined) throw new Error('no pods');
    await cri.runContainer(server.sandboxId, server.pod, ['httpd', '-f', '-p', '8080', '-h', '/www']);
    const container = await cri.runContainer(client.sandboxId, client.pod, ['sleep', '1000']);
    await eventually(async () => {
      const page = await cri.exec(container, ['wget', '-q', '-O', '-', `http://${server.address}:8080/`]);
      expect(page).toEqual({ stdout: 'hello\n', stderr: '', exitCode: 0 });
    });
    await Promise.all(pods.map(remove));
    expect(await node.leftovers()).toEqual([]);
  });

  it('a hostPort answers, and a bandwidth limit is in place', async () => {
    const pod = await run({
      name: 'web',
      ports: [{ hostPort: 18080, containerPort: 8080 }],
      annotations: {
        'kubernetes.io/ingress-bandwidth': '10M',
        'kubernetes.io/egress-bandwidth': '20M',
      },
    });
    await cri.runContainer(pod.sandboxId, pod.pod, ['httpd', '-f', '-p', '8080', '-h', '/www']);
    await eventually(async () => {
      const answer = await fetch(`http://${NODE_IP}:18080/`);
      expect(await answer.text()).toBe('hello\n');
    });
    const limits = node.host.sh('tc qdisc show').split('\n');
    expect(limits).toContainEqual(expect.stringMatching(/^qdisc tbf .* dev cali\w+ .* rate 10Mbit /));
    expect(limits).toContainEqual(expect.stringMatching(/^qdisc tbf .* dev bwp\w+ .* rate 20Mbit /));
    await remove(pod);
    expect(await node.leftovers()).toEqual([]);
  });

  it('a sandbox made anew keeps its network when the old one goes', async () => {
    const old = await run({ name: 'twice' });
    const sandboxId = await cri.runPodSandbox({ ...old.pod, attempt: 1 });
    const { ips } = await cri.podSandboxStatus(sandboxId);
    await cri.stopPodSandbox(old.sandboxId);
    await cri.removePodSandbox(old.sandboxId);
    expect(node.host.sh(`ping -c 1 -W 2 ${ips[0]}`)).toContain('1 received');
    await remove({ ...old, sandboxId });
    expect(await node.leftovers()).toEqual([]);
  });

  it('a pod that the API server does not know gets no sandbox, and nothing is left of the attempt', async () => {
    await expect(cri.runPodSandbox({ name: 'unknown' })).rejects.toThrow('"unknown" not found');
    expect(await node.leftovers()).toEqual([]);
  });
});

/** A server of a container listens some time after that was started. */
const eventually = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 20_000, interval: 50 });

interface RunningPod {
  readonly pod: PodSandbox;
  readonly sandboxId: string;
  readonly address: string;
  /** How long RunPodSandbox took. */
  readonly elapsedMs: number;
}

/** Told, not judged: what a machine takes for it depends on what else it does. */
function report(how: string, pods: readonly RunningPod[]): void {
  const sorted = pods.map(({ elapsedMs }) => Math.round(elapsedMs)).sort((a, b) => a - b);
  const median = sorted[Math.floor(sorted.length / 2)];
  const line = `fastest ${sorted[0]} ms, median ${median} ms, slowest ${sorted.at(-1)} ms`;
  process.stdout.write(`RunPodSandbox, ${how}: ${line}\n`);
}
