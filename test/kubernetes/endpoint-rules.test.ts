/** A pod keeps one endpoint, whatever becomes of its sandboxes: re-created, removed late, twice or not at all. */

import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { writeCluster, writePool } from '../support/cluster.ts';
import type { KubeObject, PodMetadata } from '../support/kube-apiserver.ts';
import { whyNoKubernetes } from '../support/kubernetes-parts.ts';
import { expectConnected, forgetPods, networkPod } from '../support/networked-pod.ts';
import { endpointOf, type NodeWithApi, type Sandbox, startNodeWithApi } from '../support/node-with-api.ts';
import { dumpCalico, leftovers, NETWORK, succeeded } from '../support/simulated-node.ts';

const why = whyNoKubernetes();
const skipped = why === undefined ? '' : ` (skipped: ${why})`;

const sameNetns = (a: string, b: string) => statSync(a).ino === statSync(b).ino;
const FLOATING = { feature_control: { floating_ips: true } };
const DUAL_STACK = { ipam: { type: 'calico-ipam', assign_ipv6: 'true' } };

describe.skipIf(why !== undefined)(`the endpoint of a pod${skipped}`, () => {
  let node: NodeWithApi;
  let pod: KubeObject;
  let count = 0;

  beforeAll(async () => {
    node = await startNodeWithApi();
  });
  afterAll(async () => {
    await node.stop();
  });
  beforeEach(async () => {
    await forgetPods(node);
    await writeCluster(node.etcd);
    await writePool(node.etcd, 'default-ipv6-ippool', 'fd00:9::/112');
    pod = await makePod({});
  });
  afterEach(async () => {
    expect(await leftovers(node)).toEqual([]);
    expect(node.host.sh('ip -o link; ip route; ip -6 route')).not.toContain('cali');
  });

  function makePod(metadata: Partial<PodMetadata>): Promise<KubeObject> {
    count += 1;
    return node.api.createPod({ name: `web-${count}`, ...metadata });
  }
  const del = async ({ call }: Pick<Sandbox, 'call'>) => {
    const { stdout } = succeeded(await node.cni('DEL', call));
    expect(stdout).toBe('');
  };
  const handles = async () =>
    [...(await dumpCalico(node)).keys()]
      .filter((key) => key.includes('/handle/'))
      .map((key) => key.slice(key.lastIndexOf('/') + 1));
  const handleOf = ({ call }: Pick<Sandbox, 'call'>) => `${NETWORK}.${call.containerId}`;
  const eth0 = ({ netns }: Sandbox) => netns.sh('ip -o link').includes('eth0');

  describe('when the sandbox is created anew', () => {
    it('stays the same record and describes the new sandbox', async () => {
      const first = await networkPod(node, pod, DUAL_STACK);
      const second = await networkPod(node, pod, DUAL_STACK);
      expect(second.endpoint.metadata).toEqual(first.endpoint.metadata);
      expect(second.endpoint.spec).toEqual({
        ...first.endpoint.spec,
        containerID: second.call.containerId,
        ipNetworks: second.answer.json.ips.map(({ address }: { readonly address: string }) => address),
        mac: second.answer.json.interfaces[1].mac,
      });
      expect(second.endpoint.spec.ipNetworks).not.toEqual(first.endpoint.spec.ipNetworks);
      expect(second.endpoint.spec.interfaceName).toBe(first.endpoint.spec.interfaceName);
      expect(eth0(first)).toBe(false);

      await del(first);
      expect(await endpointOf(node, pod)).toEqual(second.endpoint);
      expectConnected(node, second);
      expect(await handles()).toEqual([handleOf(second)]);
      await del(second);
    });

    it('has what the pod asks for now, and ipNATs to the new addresses alone', async () => {
      const annotations = { 'cni.projectcalico.org/floatingIPs': '["198.51.100.7","2001:db8:f::7"]' };
      const floating = await makePod({ annotations, labels: { version: 'one' } });
      const conf = { ...FLOATING, ...DUAL_STACK };
      const first = await networkPod(node, floating, conf);
      await relabel(floating, { version: 'two' });
      const second = await networkPod(node, floating, conf);
      const [ipv4, ipv6] = second.endpoint.spec.ipNetworks.map((network: string) =>
        network.replace(/\/.*/, ''),
      );
      expect(second.endpoint.spec.ipNATs).toEqual([
        { internalIP: ipv4, externalIP: '198.51.100.7' },
        { internalIP: ipv6, externalIP: '2001:db8:f::7' },
      ]);
      expect(second.endpoint.metadata.labels).toMatchObject({ version: 'two' });
      await del(first);
      await del(second);
    });

    it('keeps what others have written into it', async () => {
      const first = await networkPod(node, pod);
      const key =
        [...(await dumpCalico(node)).keys()].find((name) => name.includes('/workloadendpoints/')) ?? '';
      const theirs = structuredClone(first.endpoint);
      theirs.metadata.annotations = { 'example.org/note': 'ours' };
      theirs.spec.workload = 'of others';
      await node.etcd.put(key, JSON.stringify(theirs));
      const second = await networkPod(node, pod);
      expect(second.endpoint).toMatchObject({
        metadata: { annotations: { 'example.org/note': 'ours' } },
        spec: { workload: 'of others', containerID: second.call.containerId },
      });
      await del(first);
      await del(second);
    });

    it('leaves the new one alone, whatever the DELs of the old one, and they may come late and often', async () => {
      const [first, second] = [await networkPod(node, pod), await networkPod(node, pod)];
      const third = await networkPod(node, pod);
      for (const old of [first, second, first, second]) {
        await del(old);
        await del({ call: { ...old.call, netns: undefined } });
        expectConnected(node, third);
      }
      expect(await endpointOf(node, pod)).toEqual(third.endpoint);
      expect(await handles()).toEqual([handleOf(third)]);
      await del(third);
    });

    it('leaves the new one alone when a process ID in the path of a late DEL leads to it', async () => {
      const first = await networkPod(node, pod);
      const second = await networkPod(node, pod);
      const process = spawn('ip', ['netns', 'exec', second.netns.name, 'sleep', '60'], { stdio: 'ignore' });
      try {
        await vi.waitUntil(() => sameNetns(`/proc/${process.pid}/ns/net`, second.netns.path), 20_000);
        await del({ call: { ...first.call, netns: `/proc/${process.pid}/ns/net` } });
        expectConnected(node, second);
        await del({ call: { ...second.call, netns: `/proc/${process.pid}/ns/net` } });
        expect(eth0(second)).toBe(false);
      } finally {
        process.kill();
      }
    });

    it('keeps the addresses that the pod names, which are never free meanwhile', async () => {
      const ipAddrs = { 'cni.projectcalico.org/ipAddrs': '["192.168.7.7","fd00:9::77"]' };
      const named = await makePod({ annotations: ipAddrs });
      const first = await networkPod(node, named);
      const second = await networkPod(node, named);
      expect(second.endpoint.spec.ipNetworks).toEqual(['192.168.7.7/32', 'fd00:9::77/128']);
      expect(await handles()).toEqual([handleOf(second)]);
      await del(first);
      expectConnected(node, second);
      await del(second);
    });

    it('may have another name for its interface', async () => {
      const first = await networkPod(node, pod);
      const sandbox = node.makeSandbox(pod);
      const second = await networkPod(
        node,
        pod,
        {},
        { ...sandbox, call: { ...sandbox.call, ifName: 'net0' } },
      );
      expect(second.answer.json.interfaces[1].name).toBe('net0');
      expect(second.endpoint.metadata).toEqual(first.endpoint.metadata);
      expect(second.endpoint.spec.endpoint).toBe('eth0');
      await del(first);
      expectConnected(node, second);
      await del(second);
    });

    it('is another one when the pod was deleted and created under its name', async () => {
      const first = await networkPod(node, pod);
      const { namespace, name } = pod.metadata;
      await node.api.deletePod(namespace, name);
      const again = await node.api.createPod({ name, labels: { born: 'again' } });
      const second = await networkPod(node, again);
      expect(second.endpoint.metadata.labels).toMatchObject({ born: 'again' });
      await del(first);
      expectConnected(node, second);
      await del(second);
    });
  });

  describe('when an ADD is repeated', () => {
    it('stays as it is, with the same addresses, and the sandbox is not touched', async () => {
      const first = await networkPod(node, pod, DUAL_STACK);
      const link = first.netns.sh('ip -o link show eth0');
      const before = await dumpCalico(node);
      const second = await networkPod(node, pod, DUAL_STACK, first);
      expect(second.answer.json).toEqual(first.answer.json);
      expect(await dumpCalico(node)).toEqual(before);
      expect(first.netns.sh('ip -o link show eth0')).toBe(link);
      await del(first);
    });

    it('stays as it is also with addresses that the pod names', async () => {
      const ipAddrs = { 'cni.projectcalico.org/ipAddrs': '["192.168.7.7","fd00:9::77"]' };
      const named = await makePod({ annotations: ipAddrs });
      const first = await networkPod(node, named);
      expect((await networkPod(node, named, {}, first)).answer.json).toEqual(first.answer.json);
      await del(first);
    });

    it('gets what its interface lost', async () => {
      const first = await networkPod(node, pod);
      first.netns.sh('ip link del eth0');
      expect((await networkPod(node, pod, {}, first)).answer.json).toEqual(first.answer.json);
      await del(first);
    });
  });

  describe('when the sandbox is removed', () => {
    it('goes, however often the DEL comes', async () => {
      const networked = await networkPod(node, pod, DUAL_STACK);
      for (const _time of [1, 2, 3]) await del(networked);
      expect(await endpointOf(node, pod)).toBeUndefined();
    });

    it.each([
      ['while the API server hangs', async () => node.api.pause()],
      ['when the pod is gone from the API', async (name: string) => node.api.deletePod('default', name)],
    ])('goes %s', async (_name, before) => {
      const networked = await networkPod(node, pod);
      await before(pod.metadata.name);
      await del(networked).finally(() => node.api.resume());
      expect(await endpointOf(node, pod)).toBeUndefined();
    });

    it.each([
      ['without a kubeconfig', {}],
      ['with one that is not there', { kubernetes: { kubeconfig: '/nowhere' } }],
    ])('goes %s', async (_name, conf) => {
      const { call } = await networkPod(node, pod);
      await del({ call: { ...call, conf: { kubernetes: undefined, ...conf } } });
      expect(await endpointOf(node, pod)).toBeUndefined();
    });

    it('goes with its host interface when the sandbox vanished', async () => {
      const networked = await networkPod(node, pod);
      networked.netns.delete();
      await del(networked);
    });
  });

  it('is there before there was an ADD, or another pod with a name that begins alike', async () => {
    const longer = await node.api.createPod({ name: `${pod.metadata.name}-eth0` });
    const other = await networkPod(node, longer);
    await del(node.makeSandbox(pod));
    const own = await networkPod(node, pod);
    await del(own);
    expect(await endpointOf(node, longer)).toEqual(other.endpoint);
    expectConnected(node, other);
    await del(other);
  });

  it('names a host interface that begins with the first of FELIX_INTERFACEPREFIX', async () => {
    const sandbox = node.makeSandbox(pod);
    const env = { FELIX_INTERFACEPREFIX: 'azv,cali' };
    const networked = await networkPod(node, pod, {}, { ...sandbox, call: { ...sandbox.call, env } });
    expect(networked.endpoint.spec.interfaceName).toMatch(/^azv[0-9a-f]{11}$/);
    await del(networked);
    expect(node.host.sh('ip -o link')).not.toContain('azv');
  });

  it('is of a static pod, too: its mirror in the API has another UID', async () => {
    const mirror = await makePod({
      annotations: { 'kubernetes.io/config.mirror': 'of-the-manifest' },
      labels: { app: 'static' },
    });
    const networked = await networkPod(
      node,
      mirror,
      {},
      node.makeSandbox({
        metadata: { ...mirror.metadata, uid: '0123456789abcdef0123456789abcdef' },
      }),
    );
    expect(networked.endpoint.metadata.labels).toMatchObject({ app: 'static' });
    await del(networked);
  });

  describe('without policy.type', () => {
    const NO_POLICY = { policy: undefined, kubernetes: undefined };

    it('has the profile of the network, which is created, and nothing from the API', async () => {
      const labelled = await makePod({ labels: { app: 'web' } });
      const networked = await networkPod(node, labelled, NO_POLICY);
      expect(networked.endpoint.spec.profiles).toEqual([NETWORK]);
      expect(networked.endpoint.metadata.labels).toEqual({
        'projectcalico.org/namespace': 'default',
        'projectcalico.org/orchestrator': 'k8s',
      });
      const profile = await node.etcd.get(`/calico/resources/v3/projectcalico.org/profiles/${NETWORK}`);
      expect(JSON.parse(profile ?? '{}')).toMatchObject({
        metadata: { name: NETWORK },
        spec: {
          ingress: [{ action: 'Allow' }],
          egress: [{ action: 'Allow' }],
          labelsToApply: { [NETWORK]: '' },
        },
      });
      await del(networked);
    });
  });

  describe('when the ADD of a new sandbox fails', () => {
    /** What makes the ADD of a sandbox fail: gives a part of the message, and undoes it. */
    const troubles = {
      'before anything is done': ({ netns }: Sandbox) => {
        netns.sh('ip link add eth0 type veth peer name other');
        return { message: 'interface eth0 already exists', undo: () => netns.sh('ip link del eth0') };
      },
      'in the middle': ({ netns }: Sandbox) => {
        netns.sh(
          'ip link add net0 type veth peer name other; ip link set net0 up; ip route add default dev net0',
        );
        return { message: '0.0.0.0/0', undo: () => netns.sh('ip link del net0') };
      },
    };
    const annotations = { 'cni.projectcalico.org/ipAddrs': '["192.168.7.7","fd00:9::77"]' };

    it.each([
      ['before anything is done', {}],
      ['before anything is done', { annotations }],
      ['in the middle', {}],
      ['in the middle', { annotations }],
    ] as const)('%s, it is as it was and the running sandbox goes on (%j)', async (when, metadata) => {
      const restarted = await makePod(metadata);
      const first = await networkPod(node, restarted, DUAL_STACK);
      const before = await dumpCalico(node);
      const sandbox = node.makeSandbox(restarted);
      const { message, undo } = troubles[when](sandbox);
      const call = { ...sandbox.call, conf: DUAL_STACK };
      const { json } = await node.cni('ADD', call);
      undo();
      expect(json).toMatchObject({ code: 101, msg: expect.stringContaining(message) });
      expect(settled(await dumpCalico(node))).toEqual(settled(before));
      expectConnected(node, first);
      await del({ call });
      expectConnected(node, first);
      await del(first);
    });
  });

  async function relabel({ metadata }: KubeObject, labels: object): Promise<void> {
    const path = `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}`;
    const now = await node.api.request('GET', path);
    await node.api.request('PUT', path, { ...now, metadata: { ...now.metadata, labels } });
  }
});

/** Without what an address that came and went changes in its block: the order of the free ones, and counters. */
function settled(values: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const moving = /"unallocated":\[[\d,]*\]|"sequenceNumber\w*":(\{[^}]*\}|\d+)/g;
  return new Map(Array.from(values, ([key, value]) => [key, value.replace(moving, '')]));
}
