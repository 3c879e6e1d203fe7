/** What belongs to one attachment is left alone by the calls of every other. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeCluster, writePool } from '../support/cluster.ts';
import { whyNoNetns } from '../support/netns.ts';
import { dumpCalico, NETWORK, type SimulatedNode, startNode, succeeded } from '../support/simulated-node.ts';

const why = whyNoNetns();
const BLOCK = '/calico/ipam/v2/assignment/ipv4/block/192.168.166.128-26';

describe.skipIf(why !== undefined)(`attachments${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let node: SimulatedNode;

  beforeAll(async () => {
    node = await startNode();
  });
  afterAll(async () => {
    await node.stop();
  });
  beforeEach(async () => {
    await node.etcd.wipe();
    await writeCluster(node.etcd);
  });

  const add = async (containerId: string, netns: string, more: object = {}) =>
    succeeded(await node.cni('ADD', { containerId, netns, ...more }));
  const del = async (containerId: string, netns?: string, more: object = {}) =>
    succeeded(await node.cni('DEL', { containerId, netns, ...more }));
  const endpointKey = (id: string, namespace = 'default') =>
    `/calico/resources/v3/projectcalico.org/workloadendpoints/${namespace}/node1-cni-${id}-eth0`;
  const endpoint = async (id: string) => JSON.parse((await node.etcd.get(endpointKey(id))) ?? 'null');
  const freeOrdinals = async () => JSON.parse((await node.etcd.get(BLOCK)) ?? '{}').unallocated.length;

  it('a DEL after a refused ADD leaves the interface of the container that has the sandbox', async () => {
    const pod = node.makePod();
    await add('first', pod.path);
    expect((await node.cni('ADD', { containerId: 'second', netns: pod.path })).json.code).toBe(101);
    await del('second', pod.path);
    expect(pod.sh('ip -o link')).toContain('eth0');
    expect(await endpoint('first')).not.toBeNull();
    await del('first', pod.path);
  });

  it('a DEL whose sandbox path has been used again takes its own host interface, and not the new one', async () => {
    const [old, reused] = [node.makePod(), node.makePod()];
    await add('gone', old.path);
    await add('here', reused.path);
    await del('gone', reused.path);
    expect(reused.sh('ip -o link')).toContain('eth0');
    expect(node.host.sh('ip -o link')).not.toContain('caligone');
    expect(node.host.sh('ip route show 192.168.166.128')).toBe('');
    await del('here', reused.path);
  });

  it('a DEL of another interface or of another network leaves the running one its link, endpoint and address', async () => {
    const pod = node.makePod();
    await add('busy', pod.path);
    const before = await dumpCalico(node);
    await del('busy', pod.path, { ifName: 'eth1' });
    await del('busy', pod.path, { ifName: 'eth1', conf: { name: 'other-net' } });
    expect(await dumpCalico(node)).toEqual(before);
    expect(pod.sh('ip -o link')).toContain('eth0');
    await del('busy', pod.path);
    expect([...(await dumpCalico(node)).keys()].filter((key) => key.includes('busy'))).toEqual([]);
  });

  it('a DEL of another interface cleans up when the one of the endpoint is gone', async () => {
    const pod = node.makePod();
    await add('lost', pod.path);
    pod.delete();
    await del('lost', undefined, { ifName: 'eth1' });
    expect([...(await dumpCalico(node)).keys()].filter((key) => key.includes('lost'))).toEqual([]);
  });

  it('a failed repeated ADD keeps the addresses and the endpoint the container had', async () => {
    await writePool(node.etcd, 'v6', 'fd00:9::/112');
    const pod = node.makePod();
    await add('again', pod.path);
    const before = await endpoint('again');
    pod.sh('ip route del default');
    node.host.sh('ip link add dum0 type veth peer name dum1; ip link set dum0 up');
    const conf = { ipam: { type: 'calico-ipam', assign_ipv6: 'true' } };
    const probe = await add('probe', node.makePod().path, { conf });
    await del('probe', undefined, { conf });
    // The block hands out its addresses in order, so the one after the probe's is next.
    const next = probe.json.ips[1].address.replace(
      /[0-9a-f]\/128$/,
      (end: string) => `${(Number.parseInt(end, 16) + 1).toString(16)}/128`,
    );
    node.host.sh(`ip -6 route add ${next} dev dum0`);
    const failed = await node.cni('ADD', { containerId: 'again', netns: pod.path, conf });
    node.host.sh('ip link del dum0');
    expect(failed.json.code).toBe(101);
    expect(await endpoint('again')).toEqual(before);
    const handle = await node.etcd.get(`/calico/ipam/v2/handle/${NETWORK}.again`);
    expect(JSON.parse(handle ?? '{}').block).toEqual({ '192.168.166.128/26': 1 });
    expect(await freeOrdinals()).toBe(63);
    await del('again', pod.path);
  });

  it('a failed repeated ADD keeps the address even where the handle counts wrong', async () => {
    const pod = node.makePod();
    await add('counted', pod.path);
    await node.etcd.put(
      `/calico/ipam/v2/handle/${NETWORK}.counted`,
      '{"block":{"192.168.166.128/26":2},"deleted":false}',
    );
    pod.sh('ip link del eth0');
    node.host.sh(
      'ip link add dum0 type veth peer name dum1; ip link set dum0 up; ip route add 192.168.166.128/32 dev dum0',
    );
    expect((await node.cni('ADD', { containerId: 'counted', netns: pod.path })).json.code).toBe(101);
    node.host.sh('ip link del dum0');
    expect(await freeOrdinals()).toBe(63);
    expect((await endpoint('counted')).spec.ipNetworks).toEqual(['192.168.166.128/32']);
    await del('counted', pod.path);
    expect(await freeOrdinals()).toBe(64);
  });

  it('another MTU in the configuration does not cost a running pod its interface', async () => {
    const pod = node.makePod();
    await add('steady', pod.path);
    const link = pod.sh('ip -o link show eth0');
    await add('steady', pod.path, { conf: { mtu: 1400 } });
    expect(pod.sh('ip -o link show eth0')).toBe(link);
    await del('steady', pod.path);
  });

  it('an interface of the host that has the usual name is left alone, and another name is taken', async () => {
    const pod = node.makePod();
    node.host.sh('ip link add calitaken type bridge');
    const { json } = await add('taken', pod.path);
    expect(json.interfaces[0].name).toMatch(/^cali[0-9a-f]{11}$/);
    await del('taken', pod.path);
    expect(node.host.sh('ip -o link')).toContain('calitaken');
    node.host.sh('ip link del calitaken');
  });

  it('a container of another namespace whose ID begins alike keeps its interface', async () => {
    const [a, b] = [node.makePod(), node.makePod()];
    await add('sameprefix1-a', a.path);
    const { json } = await add('sameprefix1-b', b.path, { args: 'CNI_TEST_NAMESPACE=other' });
    expect(json.interfaces[0].name).not.toBe('calisameprefix1');
    expect(a.sh('ip -o link')).toContain('eth0');
    await del('sameprefix1-a', a.path);
    expect(b.sh('ip -o link')).toContain('eth0');
    await del('sameprefix1-b', b.path, { args: 'CNI_TEST_NAMESPACE=other' });
  });

  it('a host interface that two endpoints name is not removed for one of them', async () => {
    const [a, b] = [node.makePod(), node.makePod()];
    await add('cnitool-12ce16aaaa', a.path);
    await add('cnitool-12ce16bbbb', b.path);
    const key = endpointKey('cnitool--12ce16bbbb');
    const second = await node.etcd.get(key);
    await node.etcd.put(
      key,
      (second ?? '').replace(/"interfaceName":"[^"]+"/, '"interfaceName":"calicnitool-12c"'),
    );
    await del('cnitool-12ce16bbbb');
    expect(a.sh('ip -o link')).toContain('eth0');
    await del('cnitool-12ce16aaaa', a.path);
    await del('cnitool-12ce16bbbb', b.path);
  });

  it('a sandbox path that is no namespace any more does not keep the records', async () => {
    const pod = node.makePod();
    await add('unmounted', pod.path);
    node.host.sh(`umount ${pod.path} || true`);
    await del('unmounted', '/etc/hostname');
    expect(node.host.sh('ip -o link')).not.toContain('caliunmounte');
    expect([...(await dumpCalico(node)).keys()].filter((name) => name.includes('unmounted'))).toEqual([]);
  });

  it('an endpoint without a container ID goes with its DEL', async () => {
    const pod = node.makePod();
    await add('nameless', pod.path);
    const stored = (await node.etcd.get(endpointKey('nameless'))) ?? '';
    await node.etcd.put(endpointKey('nameless'), stored.replace('"containerID":"nameless",', ''));
    await del('nameless', pod.path);
    expect(await endpoint('nameless')).toBeNull();
  });

  it('a damaged endpoint of another container does not stop this one', async () => {
    const pod = node.makePod();
    await node.etcd.put(endpointKey('damaged--ab'), '{"spec":{"ipNetworks":"nonsense"}}');
    await add('damaged-abc', pod.path);
    await del('damaged-abc', pod.path);
  });

  it('keeps what others wrote into the endpoint when an ADD is taken back', async () => {
    const pod = node.makePod();
    await add('labelled', pod.path);
    const stored = (await node.etcd.get(endpointKey('labelled'))) ?? '';
    await node.etcd.put(endpointKey('labelled'), stored.replace('"labels":{', '"labels":{"by":"others",'));
    pod.sh('ip link del eth0');
    node.host.sh(
      'ip link add dum0 type veth peer name dum1; ip link set dum0 up; ip route add 192.168.166.128/32 dev dum0',
    );
    expect((await node.cni('ADD', { containerId: 'labelled', netns: pod.path })).json.code).toBe(101);
    node.host.sh('ip link del dum0');
    expect((await endpoint('labelled')).metadata.labels.by).toBe('others');
    await del('labelled', pod.path);
  });

  it('a DEL with arguments that no ADD could have had finds nothing, and says so by succeeding', async () => {
    await del('never', undefined, { args: 'FOO' });
    await del('never', undefined, { args: 'CNI_TEST_NAMESPACE=a/b' });
  });
});
