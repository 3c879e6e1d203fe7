/** What CHECK answers to calls that are wrong, to others' mistakes, and to several at once. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { inBlock, inEndpoint, makeCheckedPod } from '../support/checked-pod.ts';
import { writeCluster } from '../support/cluster.ts';
import { whyNoNetns } from '../support/netns.ts';
import { NETWORK, type SimulatedNode, startNode, wholeState } from '../support/simulated-node.ts';

const why = whyNoNetns();
const RESOURCES = '/calico/resources/v3/projectcalico.org';

describe.skipIf(why !== undefined)(`CHECK answers${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let node: SimulatedNode;

  beforeAll(async () => {
    node = await startNode();
  });
  afterAll(async () => {
    await node.stop();
  });
  beforeEach(async () => {
    await writeCluster(node.etcd);
  });

  it('nothing to a healthy pod, asks etcd once and changes nothing', async () => {
    const pod = await makeCheckedPod(node);
    const reads = async () => (await node.etcd.requestCounts()).get('Txn') ?? 0;
    const [before, readsBefore] = [await wholeState(node), await reads()];
    const answer = await pod.check({ conf: { log_level: 'error' } });
    expect(answer).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    expect((await reads()) - readsBefore).toBe(1);
    expect(await wholeState(node)).toEqual(before);
  });

  it('with everything that is wrong: the first is the message, the others are the details', async () => {
    const pod = await makeCheckedPod(node);
    pod.netns.sh('ip route del default; ip link set eth0 mtu 1300');
    await inEndpoint({ mac: '02:00:00:00:00:96' })(pod);
    await inBlock(null)(pod);
    const { json } = await pod.check();
    expect(json.msg).toBe('interface eth0 in the sandbox: expected mtu 1440, found mtu 1300');
    expect(json.details.split('; ')).toEqual([
      'also: route 0.0.0.0/0: expected via 169.254.1.1 dev eth0, found missing',
      expect.stringMatching(/^workload endpoint \S+: expected mac \S+, found mac 02:00:00:00:00:96$/),
      expect.stringMatching(/^address \S+ in block \S+: expected allocated to handle \S+, found free$/),
    ]);
  });

  it('code 3 for a container whose endpoint is another one’s now', async () => {
    const pod = await makeCheckedPod(node);
    await inEndpoint({ containerID: 'newer' })(pod);
    const { json } = await pod.check();
    expect(json).toMatchObject({
      code: 3,
      msg: `workload endpoint default/node1-cni-${pod.id}-eth0: expected container ${pod.id}, found container newer`,
    });
  });

  it('code 3 for the old sandbox of a pod that has a new one, and does not ask Kubernetes which it is', async () => {
    const args = 'K8S_POD_NAME=web-0;K8S_POD_NAMESPACE=test';
    const policy = { policy: { type: 'k8s' }, kubernetes: { kubeconfig: '/none' } };
    const first = await makeCheckedPod(node, { args });
    expect((await first.check({ conf: policy })).exitCode).toBe(0);
    const second = await makeCheckedPod(node, { args });
    expect((await second.check({ conf: policy })).exitCode).toBe(0);
    expect((await first.check({ conf: policy })).json).toMatchObject({
      code: 3,
      msg: `workload endpoint test/node1-k8s-web--0-eth0: expected container ${first.id}, found container ${second.id}`,
    });
  });

  it('that the profile of the network is missing', async () => {
    const pod = await makeCheckedPod(node);
    await node.etcd.remove(`${RESOURCES}/profiles/`);
    expect((await pod.check()).json).toMatchObject({
      code: 108,
      msg: `profile ${NETWORK}: expected present, found missing`,
    });
  });

  it('that no block is there', async () => {
    const pod = await makeCheckedPod(node);
    const block = (await node.etcd.get(pod.block.key)) ?? '';
    await node.etcd.remove(pod.block.key);
    const { json } = await pod.check();
    await node.etcd.put(pod.block.key, block);
    expect(json).toMatchObject({
      code: 108,
      msg: `address ${pod.ipv4}: expected allocated to handle ${NETWORK}.${pod.id}, found no block that holds it`,
    });
  });

  it.each([
    [
      'a datastore that is not ready',
      11,
      /not ready to process requests/,
      () => writeCluster(node.etcd, { datastoreReady: false }),
    ],
    [
      'a datastore without a cluster',
      103,
      /ClusterInformation/,
      () => node.etcd.remove(`${RESOURCES}/clusterinformations/`),
    ],
  ])('code %2$s for %1$s', async (_name, code, message, spoil) => {
    const pod = await makeCheckedPod(node);
    await spoil();
    expect((await pod.check()).json).toMatchObject({ code, msg: expect.stringMatching(message) });
  });

  it('code 11 where etcd is away, whatever else is wrong', async () => {
    const pod = await makeCheckedPod(node);
    pod.netns.sh('ip link del eth0');
    const { json } = await pod.check({ conf: { etcd_endpoints: 'http://127.0.0.1:1' } });
    expect(json.code).toBe(11);
  });

  it('code 105 for a damaged block or endpoint, naming the key', async () => {
    const pod = await makeCheckedPod(node);
    for (const key of [pod.block.key, pod.endpointKey]) {
      const text = (await node.etcd.get(key)) ?? '';
      await node.etcd.put(key, '{');
      expect((await pod.check()).json).toMatchObject({ code: 105, msg: expect.stringContaining(key) });
      await node.etcd.put(key, text);
    }
    expect((await pod.check()).exitCode).toBe(0);
  });

  it('code 8 for a sandbox that is gone, and for one that is none', async () => {
    const pod = await makeCheckedPod(node);
    pod.netns.delete();
    expect((await pod.check()).json).toMatchObject({ code: 8, msg: expect.stringContaining(pod.netns.path) });
    expect((await pod.check({ netns: '/etc/hostname' })).json.code).toBe(8);
  });

  it.each([
    ['no result', undefined, 7, 'required prevResult missing'],
    ['a result without the interface', { interfaces: [], ips: [] }, 7, /prevResult names no interface eth0/],
    ['a result that is none', [], 6, /could not parse prevResult/],
    ['an address that is none', { ips: [{ address: 'x' }] }, 6, /could not parse prevResult: ips\[0\]/],
  ])('what is wrong with the call: %s', async (_name, prevResult, code, message) => {
    const { call } = await makeCheckedPod(node);
    for (const program of ['calico', 'calico-ipam'] as const) {
      if (program === 'calico-ipam' && code === 7 && prevResult !== undefined) continue;
      const answer = await node.cni('CHECK', { ...call, program, conf: { prevResult } });
      expect(answer.json).toMatchObject({ code, msg: expect.stringMatching(message) });
    }
  });

  it('code 4 for arguments that no ADD could have had', async () => {
    const pod = await makeCheckedPod(node);
    expect((await pod.check({ args: 'FOO' })).json.code).toBe(4);
  });

  it('code 108 of calico-ipam as well, which looks at addresses alone', async () => {
    const pod = await makeCheckedPod(node);
    pod.netns.sh('ip link del eth0');
    await node.etcd.remove(pod.endpointKey);
    const check = () => pod.check({ program: 'calico-ipam' });
    expect(await check()).toMatchObject({ exitCode: 0, stdout: '' });
    await inBlock({ handle_id: 'someone', secondary: {} })(pod);
    expect((await check()).json).toMatchObject({
      code: 108,
      msg: expect.stringContaining('found allocated to handle someone'),
    });
  });

  it('what another IPAM plugin says, in its own words or as one more detail', async () => {
    const dataDir = `/run/cni/${node.host.name}`;
    const ipam = { type: 'host-local', ranges: [[{ subnet: '10.44.0.0/24' }]], dataDir };
    const pod = await makeCheckedPod(node, { conf: { ipam } });
    expect(await pod.check()).toMatchObject({ exitCode: 0, stdout: '' });
    node.host.sh(`rm -r ${dataDir}/${NETWORK}`);
    const alone = (await pod.check()).json;
    expect(alone).toMatchObject({ code: 999, msg: expect.stringContaining('host-local') });
    pod.netns.sh('ip link set eth0 mtu 1300');
    const { json } = await pod.check();
    expect(json.msg).toContain('found mtu 1300');
    expect(json.details).toContain(`/host-local: expected a CHECK without error, found ${alone.msg}`);
  });
});
