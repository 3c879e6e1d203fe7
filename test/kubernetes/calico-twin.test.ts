/**
 * Real calls and real records: what kubelet and containerd hand to Calico's own plugin, and what that answers and writes
 * for a pod, against what our executable makes of the same.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeCluster, writePool } from '../support/cluster.ts';
import type { KubeObject } from '../support/kube-apiserver.ts';
import { whyNoKubernetes } from '../support/kubernetes-parts.ts';
import { expectConnected, forgetPods } from '../support/networked-pod.ts';
import { endpointOf, type NodeWithApi, startNodeWithApi } from '../support/node-with-api.ts';
import { leftovers, succeeded } from '../support/simulated-node.ts';

const why = whyNoKubernetes();
const skipped = why === undefined ? '' : ` (skipped: ${why})`;

/** One call of kubelet 1.34 and containerd 1.6, and what Calico's plugin printed. */
interface RecordedCall {
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: KubeObject;
  readonly stdout: KubeObject;
}

function fixture(name: string): KubeObject {
  return JSON.parse(readFileSync(join(import.meta.dirname, '../fixtures/kubelet', name), 'utf8'));
}

describe.skipIf(why !== undefined)(`like Calico's plugin${skipped}`, () => {
  let node: NodeWithApi;

  beforeAll(async () => {
    node = await startNodeWithApi();
  });
  afterAll(async () => {
    await node.stop();
  });
  beforeEach(async () => {
    await forgetPods(node);
    await writeCluster(node.etcd);
  });

  /** The call as it was, but for what is elsewhere here: sandbox, datastore, API, and the pod's UID. */
  function replay({ env, stdin }: RecordedCall, uid: string, netns: string) {
    const { CNI_COMMAND, CNI_CONTAINERID, CNI_IFNAME, CNI_ARGS = '' } = env;
    const text = JSON.stringify({
      ...stdin,
      etcd_endpoints: node.etcd.endpoint,
      kubernetes: { kubeconfig: node.api.kubeconfig() },
    });
    return node.cni(CNI_COMMAND ?? '', {
      containerId: CNI_CONTAINERID ?? '',
      ifName: CNI_IFNAME ?? '',
      netns,
      args: CNI_ARGS.replace(/K8S_POD_UID=[^;]*/, `K8S_POD_UID=${uid}`),
      stdin: text,
    });
  }

  it("kubelet's ADD and DEL of a pod come to the same", async () => {
    const { metadata, spec } = fixture('pod.json');
    const pod = await node.api.createPod(metadata, spec);
    const add: RecordedCall = fixture('add.json');
    const del: RecordedCall = fixture('del.json');
    const { uid } = pod.metadata;
    const netns = node.makePod();

    const answer = succeeded(await replay(add, uid, netns.path));
    const calicos = add.stdout;
    expect(answer.json).toEqual({
      ...calicos,
      interfaces: [
        calicos.interfaces[0],
        { ...calicos.interfaces[1], mac: answer.json.interfaces[1].mac, sandbox: netns.path },
      ],
      ips: [{ address: '192.168.166.128/32', interface: 1 }],
      routes: [{ dst: '192.168.166.128/26' }],
    });
    expect(answer.stdout.replaceAll(/"(mac|sandbox|address|dst)": "[^"]*"/g, '"$1"')).toBe(
      JSON.stringify(calicos, null, 4).replaceAll(/"(mac|sandbox|address|dst)": "[^"]*"/g, '"$1"'),
    );
    const endpoint = await endpointOf(node, pod);
    expectConnected(node, { netns, answer, endpoint });
    expect(endpoint.spec).toMatchObject({
      containerID: add.env.CNI_CONTAINERID,
      interfaceName: calicos.interfaces[0].name,
      ports: [{ name: 'http', protocol: 'TCP', port: 8080, hostPort: 18080, hostIP: '' }],
    });

    expect(succeeded(await replay(del, uid, netns.path)).stdout).toBe('');
    expect(await leftovers(node)).toEqual([]);
    expect(netns.sh('ip -o link')).not.toContain('eth0');
  });

  it('the endpoint of a pod with everything is the same text', async () => {
    const { pod, conf, text } = fixture('endpoint.json');
    await writePool(node.etcd, 'pool4', '10.77.0.0/24');
    await writePool(node.etcd, 'pool6', 'fd77::/48');
    await node.api.createNamespace(pod.metadata.namespace);
    const created = await node.api.createPod(pod.metadata, pod.spec);
    const { netns, call } = node.makeSandbox(created);
    const theirs = { ...call, containerId: JSON.parse(text).spec.containerID, conf };

    const answer = succeeded(await node.cni('ADD', theirs));

    const endpoint = await endpointOf(node, created);
    expectConnected(node, { netns, answer, endpoint });
    const key = `/calico/resources/v3/projectcalico.org/workloadendpoints/test/${endpoint.metadata.name}`;
    const stored = (await node.etcd.get(key)) ?? '';
    expect(comparable(stored)).toBe(comparable(text));
    succeeded(await node.cni('DEL', theirs));
    expect(await leftovers(node)).toEqual([]);
  });
});

/** Without what differs from one ADD to the next. */
function comparable(endpoint: string): string {
  return endpoint.replaceAll(/"(uid|creationTimestamp|mac)":"[^"]*"/g, '"$1"');
}
