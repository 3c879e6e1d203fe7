/**
 * Twenty weaknesses of Calico's own CNI plugin (v3.30), each brought about by what causes it there. A title says what ours
 * does; the comment in the test says what happens with Calico.
 */

import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { tryLockFile } from '../../src/network/native.ts';
import { writeCluster } from '../support/cluster.ts';
import { runExecutable } from '../support/executable.ts';
import { json as answerJson, TOKEN, useFakeApi } from '../support/fake-kubernetes-api.ts';
import { freePort } from '../support/free-port.ts';
import { moveTo, type TestNetns, whyNoNetns } from '../support/netns.ts';
import { listening } from '../support/peer.ts';
import { startCall } from '../support/running-call.ts';
import {
  type Answer,
  type CniTestCall,
  dumpCalico,
  leftovers,
  type SimulatedNode,
  startNode,
  succeeded,
  wholeState,
} from '../support/simulated-node.ts';

const why = whyNoNetns();
const HOST_IF_NAME = 'cali9aa35139ea0';
const ENDPOINTS = '/calico/resources/v3/projectcalico.org/workloadendpoints/';

type More = Partial<CniTestCall>;

/** What the DEL of a container says as its ADD did. */
function identityOf({ args, ifName }: More): More {
  return { ...(args !== undefined && { args }), ...(ifName !== undefined && { ifName }) };
}

describe.skipIf(why !== undefined)(`a weakness${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  const fakeApi = useFakeApi();
  let node: SimulatedNode;
  let home: Disposable;
  let folder = '';
  let networked: { readonly containerId: string; readonly pod: TestNetns; readonly more: More }[] = [];

  beforeAll(async () => {
    node = await startNode();
    home = moveTo(node.host);
    node.host.sh('ip address add 192.0.2.1/32 dev lo');
    folder = mkdtempSync(join(tmpdir(), 'weaknesses-'));
  });
  afterAll(async () => {
    home[Symbol.dispose]();
    await node.stop();
    rmSync(folder, { recursive: true });
  });
  beforeEach(async () => {
    networked = [];
    await node.etcd.wipe();
    await writeCluster(node.etcd);
  });
  afterEach(async () => {
    for (const { containerId, pod, more } of networked) await del(containerId, pod, identityOf(more));
    expect(await leftovers(node)).toEqual([]);
    expect(node.host.sh('ip -o link; ip route')).not.toContain('cali');
  });

  /** Calls ADD, and DEL at the end of the test. */
  const tryAdd = (containerId: string, pod: TestNetns = node.makePod(), more: More = {}): Promise<Answer> => {
    networked.unshift({ containerId, pod, more });
    return node.cni('ADD', { containerId, netns: pod.path, ...more });
  };
  const add = async (...args: Parameters<typeof tryAdd>) => succeeded(await tryAdd(...args));
  const del = async (containerId: string, pod?: TestNetns, more: More = {}) =>
    succeeded(await node.cni('DEL', { containerId, netns: pod?.path, ...more }));
  const handles = async () => [...(await dumpCalico(node))].filter(([key]) => key.includes('/handle/'));
  const endpoints = async () => [...(await dumpCalico(node))].filter(([key]) => key.startsWith(ENDPOINTS));
  const endpoint = async () => JSON.parse((await endpoints())[0]?.[1] ?? 'null');
  const addressOf = ({ json }: Answer): string => json.ips[0].address.replace('/32', '');
  const pings = (address: string) => node.host.sh(`ping -c 1 -W 2 ${address}`).includes('1 received');

  async function refused(containerId: string, code: number, more: More): Promise<Answer> {
    const before = await wholeState(node);
    const answer = await tryAdd(containerId, node.makePod(), more);
    expect(await wholeState(node)).toEqual(before);
    expect(answer.json).toMatchObject({ cniVersion: expect.stringMatching(/^1\.[01]\.0$/), code });
    return answer;
  }

  /** What a pod's ADD needs: a server that knows the pod, and how to get there. */
  async function podOf(annotations: object, featureControl: object = {}): Promise<More> {
    const metadata = { name: 'web-1', namespace: 'test', uid: 'u1', annotations };
    const server = await fakeApi.serve(({ url = '' }, response) =>
      url.includes('/pods/')
        ? answerJson(response, 200, { kind: 'Pod', metadata, spec: { nodeName: 'node1', containers: [] } })
        : answerJson(response, 200, { kind: 'Namespace', metadata: { name: 'test' } }),
    );
    const cluster = { server, 'certificate-authority': fakeApi.pki().ca.cert };
    const kubeconfig = fakeApi.kubeconfigWith(cluster, { token: TOKEN });
    const conf = { policy: { type: 'k8s' }, kubernetes: { kubeconfig }, feature_control: featureControl };
    return { conf, args: 'IgnoreUnknown=1;K8S_POD_NAMESPACE=test;K8S_POD_NAME=web-1' };
  }

  it('W1: a refused ADD leaves no route that would poison its address for others', async () => {
    // The endpoint is found invalid after networking: the address is released, interface and route to it stay, and
    // whoever gets the address next is told that the route "already exists".
    expect((await tryAdd('Abc_2')).exitCode).toBe(1);
    expect(node.host.sh('ip route; ip -o link')).not.toContain('cali');
    for (const id of ['next1', 'next2', 'next3']) expect(pings(addressOf(await add(id)))).toBe(true);
  });

  it.each([
    ['Abc_1', {}],
    ['a.b', {}],
    ['abc', { conf: { name: 'Net_1' } }],
    ['abc', { ifName: 'Eth0' }],
  ])('W2: names are checked before anything is done: %s, %o', async (containerId, more) => {
    // They are checked when the endpoint is written, after networking.
    const before = await wholeState(node);
    const pod = node.makePod();
    const answer = await tryAdd(containerId, pod, more);
    expect(answer.exitCode).toBe(1);
    expect(await wholeState(node)).toEqual(before);
    expect(pod.sh('ip -o link')).not.toMatch(/eth0/i);
  });

  it('W3: a pod with floating IPs gets its next sandbox', async () => {
    // The old sandbox's NATs stay in the endpoint and do not fit the new address: every further ADD fails.
    const pod = await podOf(
      { 'cni.projectcalico.org/floatingIPs': '["198.51.100.7"]' },
      { floating_ips: true },
    );
    await add('first', node.makePod(), pod);
    const internalIP = addressOf(await add('second', node.makePod(), pod));
    expect((await endpoint()).spec.ipNATs).toEqual([{ internalIP, externalIP: '198.51.100.7' }]);
    expect(pings(internalIP)).toBe(true);
  });

  it('W4: a running sandbox keeps its network when the ADD of the next one fails', async () => {
    // The old interface is deleted first of all.
    const pod = await podOf({});
    const first = addressOf(await add('first', node.makePod(), pod));
    const recorded = await endpoint();
    const occupied = node.makePod();
    occupied.sh('ip link add name eth0 type bridge');
    expect((await tryAdd('second', occupied, pod)).exitCode).toBe(1);
    expect(pings(first)).toBe(true);
    expect(await endpoint()).toEqual(recorded);
    occupied.sh('ip link del eth0');
  });

  it.each([
    ['ipAddrs', '192.168.7.7', {}],
    ['ipAddrsNoIpam', '172.31.5.5', { ip_addrs_no_ipam: true }],
  ])('W5: the host has a route to an address from %s', async (annotation, address, featureControl) => {
    // A result without routes is taken for one that needs none.
    const annotations = { [`cni.projectcalico.org/${annotation}`]: `["${address}"]` };
    await add('c1', node.makePod(), await podOf(annotations, featureControl));
    expect(node.host.sh(`ip route show ${address}`)).toContain(`dev ${HOST_IF_NAME}`);
    expect(pings(address)).toBe(true);
  });

  it('W6: limits of traffic are in the endpoint in etcd', async () => {
    // They are written with the Kubernetes datastore only.
    await add('c1', node.makePod(), await podOf({ 'qos.projectcalico.org/ingressBandwidth': '10M' }));
    expect((await endpoint()).spec.qosControls).toMatchObject({ ingressBandwidth: 10_000_000 });
  });

  it('W7: a dataplane that is none costs no address', async () => {
    // The address is assigned before the dataplane is chosen, and stays.
    await refused('c1', 7, { conf: { dataplane_options: { type: 'none-such' } } });
  });

  it('W8: a repeated ADD gives the address that the container has', async () => {
    // It takes another one, and the endpoint knows of one only.
    const pod = node.makePod();
    const first = await add('c1', pod);
    expect((await add('c1', pod)).json).toEqual(first.json);
    expect((await handles()).map(([, value]) => Object.values(JSON.parse(value).block))).toEqual([[1]]);
  });

  it.each([
    ['another interface', {}, { ifName: 'eth1' }],
    ['another namespace', { args: 'CNI_TEST_NAMESPACE=other' }, {}],
    ['no pod', { args: 'IgnoreUnknown=1;K8S_POD_NAMESPACE=test;K8S_POD_NAME=web-1' }, {}],
  ])('W9: a DEL that names %s finds what its container has', async (_what, atAdd, atDel) => {
    // The endpoint's key is made of what the DEL says: the endpoint stays for ever.
    const pod = node.makePod();
    await add('c1', pod, atAdd);
    pod.delete();
    await del('c1', undefined, atDel);
    expect(await endpoints()).toEqual([]);
    expect(await handles()).toEqual([]);
    expect(node.host.sh('ip -o link; ip route')).not.toContain('cali');
  });

  it('W10: an unknown kind of policy is refused', async () => {
    // The endpoint names a profile that nobody makes, so Felix lets nothing through.
    await refused('c1', 7, { conf: { policy: { type: 'calico' } } });
  });

  it('W11: a newline at the end of the nodename file is not part of the name', async () => {
    // It is, so the node is not found.
    const file = join(folder, 'nodename');
    writeFileSync(file, 'node1\n');
    const conf = { nodename: undefined, nodename_file: file, nodename_file_optional: false };
    await add('c1', node.makePod(), { conf });
    expect((await endpoint()).spec.node).toBe('node1');
  });

  it.each([
    ['the datastore', async () => ({ etcd_endpoints: `http://127.0.0.1:${await freePort()}` }), 11],
    ['the nodename file', async () => ({ nodename: undefined, nodename_file_optional: false }), undefined],
  ])('W12: a DEL without %s takes the network away all the same', async (_what, without, code) => {
    // It fails at once and changes nothing: pods hang in Terminating.
    const pod = node.makePod();
    await add('c1', pod);
    const answer = await node.cni('DEL', { containerId: 'c1', netns: pod.path, conf: await without() });
    expect(answer.exitCode).toBe(1);
    if (code !== undefined) expect(answer.json.code).toBe(code);
    expect(pod.sh('ip -o link')).not.toContain('eth0');
    expect(node.host.sh('ip -o link; ip route')).not.toContain('cali');
  });

  it('W13: an ADD does not wait for ever for a datastore that is away', async () => {
    // There is no deadline: it still hangs when the runtime gives up.
    const conf = { etcd_endpoints: `http://127.0.0.1:${await freePort()}` };
    const answer = await refused('c1', 11, { conf, timeoutMs: 30_000 });
    expect(answer.json.msg).toContain(conf.etcd_endpoints);
  });

  it('W14: nothing allocates an address for an ADD that was killed', async () => {
    // calico-ipam is a process of its own and goes on when its turn comes, after the DEL.
    const file = join(folder, 'ipam.lock');
    const lock = openSync(file, 'a');
    expect(tryLockFile(lock)).toBe(true);
    const conf = { ipam_lock_file: file, log_level: 'error' };
    const call = startCall(node, 'ADD', { containerId: 'c1', netns: node.makePod().path, conf });
    await sleep(500);
    call.process.kill('SIGKILL');
    await call.ended;
    closeSync(lock);
    await sleep(500);
    expect(await handles()).toEqual([]);
  });

  it('W15: CHECK, STATUS and GC do what they are for', async () => {
    // CHECK prints OK whatever is wrong; the other two are not there, and neither is version 1.1.0 of the protocol.
    const conf = { cniVersion: '1.1.0' };
    const pod = node.makePod();
    const { json } = await add('c1', pod, { conf });
    const check = (prevResult: object) =>
      node.cni('CHECK', { containerId: 'c1', netns: pod.path, conf: { ...conf, prevResult } });
    expect(succeeded(await check(json)).stdout).toBe('');
    node.host.sh('ip route del 192.168.166.128');
    expect((await check(json)).json).toMatchObject({
      cniVersion: '1.1.0',
      msg: expect.stringContaining('route'),
    });
    succeeded(await node.cni('STATUS', { containerId: '', conf }));
    succeeded(await node.cni('GC', { containerId: '', conf: { ...conf, 'cni.dev/valid-attachments': [] } }));
    expect(await handles()).toEqual([]);
  });

  it("W16: the host's own namespace is refused before anything is done", async () => {
    // It is noticed at the end, when there are two documents on stdout and two links on the host.
    const before = await wholeState(node);
    const answer = await node.cni('ADD', { containerId: 'c1', netns: node.host.path });
    expect(await wholeState(node)).toEqual(before);
    // One document: two would not have been understood.
    expect(answer.json.msg).toContain('should not be the same');
  });

  it('W17: the link-local address is made of the MAC that the pod asks for', async () => {
    // The MAC is set when the link is up already.
    const pod = node.makePod();
    await add('c1', pod, await podOf({ 'cni.projectcalico.org/hwAddr': '1c:0c:0a:c0:ff:ee' }));
    expect(pod.sh('ip -6 address show dev eth0 scope link')).toContain('fe80::1e0c:aff:fec0:ffee/64');
  });

  it('W18: a policy_setup_timeout_seconds below 0 is refused before anything is done', async () => {
    // It is noticed when the pod has been networked, and all of that stays.
    await refused('c1', 7, { conf: { policy_setup_timeout_seconds: -1 } });
  });

  it('W19: a readiness gate that is open costs no pause', async () => {
    // It is asked after five seconds for the first time.
    const gate = createServer((_request, response) => response.end());
    onTestFinished(() => void gate.close());
    const conf = { readiness_gates: [`http://127.0.0.1:${await listening(gate)}`] };
    expect((await add('c1', node.makePod(), { conf })).elapsedMs).toBeLessThan(5_000);
  });

  it('W20: every error has the version and a code that tells whose it is', async () => {
    // All are 999 and without a version.
    await refused('c1', 7, { conf: { mtu: 'much' } });
    await refused('c1', 11, { conf: { etcd_endpoints: `http://127.0.0.1:${await freePort()}` } });
    await refused('c1', 4, { env: { CNI_IFNAME: '' } });
    await refused('c1', 8, { netns: '/run/netns/none-such' });
    const unknown = await runExecutable('calico', { args: ['--none-such'] });
    expect(unknown).toMatchObject({ exitCode: 2, stdout: '' });
  });
});
