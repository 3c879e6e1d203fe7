/**
 * What is wrong with a pod fails its ADD with the right code and words, before anything is changed: the sandbox that it
 * runs in already goes on.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeCluster, writePool } from '../support/cluster.ts';
import type { KubeObject } from '../support/kube-apiserver.ts';
import { whyNoKubernetes } from '../support/kubernetes-parts.ts';
import { expectRefusal, type NetworkedPod, networkPod } from '../support/networked-pod.ts';
import { type NodeWithApi, startNodeWithApi } from '../support/node-with-api.ts';

const why = whyNoKubernetes();
const skipped = why === undefined ? '' : ` (skipped: ${why})`;

describe.skipIf(why !== undefined)(`what is wrong with a pod${skipped}`, () => {
  let node: NodeWithApi;
  let pod: KubeObject;
  let running: NetworkedPod;

  beforeAll(async () => {
    node = await startNodeWithApi();
    await writeCluster(node.etcd);
    await writePool(node.etcd, 'default-ipv6-ippool', 'fd00:9::/112');
    await node.api.createNamespace('team');
    const holder = await node.api.createPod({
      name: 'holder',
      namespace: 'team',
      annotations: { 'cni.projectcalico.org/ipAddrs': '["192.168.3.3"]' },
    });
    await networkPod(node, holder);
    pod = await node.api.createPod({ name: 'web-1', namespace: 'team' });
    running = await networkPod(node, pod);
  });
  afterAll(async () => {
    await node.stop();
  });

  /** The ADD of a new sandbox of the pod. */
  const refused = (conf: object = {}, of: KubeObject = pod) =>
    expectRefusal(node, running, { ...node.makeSandbox(of).call, conf });

  /** Gives the pod, or another object of the API, these annotations of Calico, and takes them away after the call. */
  async function annotated<T>(
    annotations: Readonly<Record<string, string>>,
    call: () => Promise<T>,
    path = '/api/v1/namespaces/team/pods/web-1',
  ): Promise<T> {
    const put = async (wanted: object) => {
      const object = await node.api.request('GET', path);
      await node.api.request('PUT', path, {
        ...object,
        metadata: { ...object.metadata, annotations: wanted },
      });
    };
    const entries = Object.entries(annotations);
    await put(Object.fromEntries(entries.map(([name, value]) => [`cni.projectcalico.org/${name}`, value])));
    return call().finally(() => put({}));
  }

  it.each([
    ['ipv4pools', '10.0.0.0/8', /failed to parse '10\.0\.0\.0\/8' as JSON.*ipv4pools of pod team\/web-1/],
    ['ipv4pools', '"default-ipv4-ippool"', /must be a list of texts/],
    ['ipv4pools', '[1]', /must be a list of texts/],
    ['ipv4pools', '["No_Pool"]', /error parsing pool "No_Pool"/],
    ['ipv4pools', '["nosuch"]', /error parsing pool "nosuch": no IPPool has this name/],
    ['ipv4pools', '["10.1.0.0/16"]', /the given pool \(10\.1\.0\.0\/16\) does not exist, or is not enabled/],
    ['ipv4pools', '["fd00:9::/112"]', /isn't a IPv4 address.*ipv4pools of pod team\/web-1/],
    ['ipv4pools', '["default-ipv6-ippool"]', /"default-ipv6-ippool" isn't a IPv4 address/],
    ['ipv6pools', '["192.168.0.0/16"]', /isn't a IPv6 address/],
    ['ipFamilies', 'IPv4', /failed to parse 'IPv4' as JSON/],
    ['ipFamilies', '["IPv5"]', /error parsing ipFamilies: \["IPv5"\]/],
    ['ipFamilies', '[]', /error parsing ipFamilies: \[\]/],
    ['ipAddrs', '192.168.4.4', /failed to parse '192\.168\.4\.4' as JSON/],
    ['ipAddrs', '[]', /annotation "cni\.projectcalico\.org\/ipAddrs" specified but empty/],
    ['ipAddrs', '["192.168.4"]', /invalid IP format: 192\.168\.4/],
    ['ipAddrs', '["192.168.4.4","192.168.4.5"]', /cannot have more than one IPv4 address/],
    ['ipAddrs', '["10.9.9.9"]', /The provided IP address is not in a configured pool\n.*10\.9\.9\.9/],
    ['ipAddrsNoIpam', '["172.31.5.5"]', /requested feature is not enabled: ip_addrs_no_ipam/],
    ['floatingIPs', '["198.51.100.7"]', /requested feature is not enabled: floating_ips/],
    [
      'hwAddr',
      'aa:bb:cc',
      /failed to parse MAC address aa:bb:cc provided via cni\.projectcalico\.org\/hwAddr/,
    ],
    ['hwAddr', '01:00:5e:00:00:01', /01:00:5e:00:00:01.*address of a group/],
    ['hwAddr', '00:11:22:33:44:55:66:77', /8 octets/],
    ['allowedSourcePrefixes', '8.8.8.8/32', /failed to parse '8\.8\.8\.8\/32' as JSON/],
    ['allowedSourcePrefixes', '["8.8.8.8"]', /failed to parse '8\.8\.8\.8' as a CIDR/],
  ])('annotation %s = %s', async (name, value, message) => {
    const { json } = await annotated({ [name]: value }, () => refused());
    expect(json.code).toBe(7);
    expect(`${json.msg} ${json.details}`).toMatch(message);
  });

  const FLOATING = { feature_control: { floating_ips: true } };
  const NO_IPAM = { feature_control: { ip_addrs_no_ipam: true } };
  const HOST_LOCAL = { ipam: { type: 'host-local', subnet: '10.5.0.0/24' } };

  it.each([
    ['floatingIPs', '198.51.100.7', FLOATING, /failed to parse '198\.51\.100\.7' as JSON/],
    ['floatingIPs', '["somewhere"]', FLOATING, /invalid IP format: somewhere/],
    [
      'floatingIPs',
      '["2001:db8::7"]',
      FLOATING,
      /2001:db8::7 cannot lead to the pod: it has no IPv6 address/,
    ],
    ['ipAddrsNoIpam', '["172.31.5"]', NO_IPAM, /invalid IP format: 172\.31\.5/],
    ['ipAddrs', '["192.168.4.4"]', HOST_LOCAL, /ipAddrs is not compatible with configured IPAM: host-local/],
  ])('annotation %s = %s with the configuration %j', async (name, value, conf, message) => {
    const { json } = await annotated({ [name]: value }, () => refused(conf));
    expect(json.code).toBe(7);
    expect(json.msg).toMatch(message);
  });

  it('an address that is taken: the message names the pod that has it', async () => {
    const { json } = await annotated({ ipAddrs: '["192.168.3.3"]' }, () => refused());
    expect(json).toMatchObject({
      code: 102,
      msg: expect.stringMatching(
        /192\.168\.3\.3.*Address already assigned.*\(pod team\/holder, node node1\)/,
      ),
    });
  });

  it('both ways to ask for an address at once', async () => {
    const both = { ipAddrs: '["192.168.4.4"]', ipAddrsNoIpam: '["192.168.4.4"]' };
    const { json } = await annotated(both, () => refused(NO_IPAM));
    expect(json).toMatchObject({
      code: 7,
      msg: "can't have both annotations: 'ipAddrs' and 'ipAddrsNoIpam' in use at the same time (pod team/web-1)",
    });
  });

  it('an annotation of the namespace: the message says whose it is', async () => {
    const { json } = await annotated({ ipv4pools: 'all' }, () => refused(), '/api/v1/namespaces/team');
    expect(json).toMatchObject({
      code: 7,
      msg: expect.stringContaining('annotation cni.projectcalico.org/ipv4pools of namespace team'),
    });
  });

  it('a pod that is not there', async () => {
    const { json } = await refused({}, { metadata: { ...pod.metadata, name: 'web-2' } });
    expect(json).toMatchObject({
      code: 103,
      msg: `error getting pod team/web-2 from ${node.api.url}: pods "web-2" not found`,
    });
  });

  it('a namespace that is not there', async () => {
    const { json } = await refused({}, { metadata: { ...pod.metadata, namespace: 'nowhere' } });
    expect(json).toMatchObject({
      code: 103,
      msg: `error getting namespace nowhere from ${node.api.url}: namespaces "nowhere" not found`,
    });
  });

  it('a pod that was deleted and created anew meanwhile', async () => {
    const uid = '11111111-2222-4333-8444-555555555555';
    const { json } = await refused({}, { metadata: { ...pod.metadata, uid } });
    expect(json).toMatchObject({
      code: 11,
      msg: `pod team/web-1 is not the one this sandbox is for: its UID is ${pod.metadata.uid}, K8S_POD_UID is ${uid}`,
    });
  });

  it('a sandbox that is gone', async () => {
    const { netns, call } = node.makeSandbox(pod);
    netns.delete();
    const { json } = await expectRefusal(node, running, call);
    expect(json).toMatchObject({ code: 8 });
  });
});
