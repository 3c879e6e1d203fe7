/** Whatever is wrong with a call: the right CNI code, a message a person can act on, exit code 1, nothing changed. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeCluster, writePool } from '../support/cluster.ts';
import { whyNoNetns } from '../support/netns.ts';
import {
  type CniTestCall,
  type SimulatedNode,
  startNode,
  succeeded,
  wholeState,
} from '../support/simulated-node.ts';

const why = whyNoNetns();

describe.skipIf(why !== undefined)(`bad input${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let node: SimulatedNode;
  let pod: string;

  beforeAll(async () => {
    node = await startNode();
    pod = node.makePod().path;
  });
  afterAll(async () => {
    await node.stop();
  });
  beforeEach(async () => {
    await node.etcd.wipe();
    await writeCluster(node.etcd);
  });

  async function refused(command: string, call: Partial<CniTestCall>) {
    const before = await wholeState(node);
    const answer = await node.cni(command, { containerId: 'abcd', netns: pod, ...call });
    expect(await wholeState(node)).toEqual(before);
    expect(answer.exitCode).toBe(1);
    expect(answer.json.cniVersion).toMatch(/^\d\.\d\.\d$/);
    expect(answer.stderr).not.toMatch(/\n\s+at /);
    return answer;
  }

  const conf = (changes: object) => ({ conf: changes });
  const podOf = (changes: object) => ({
    args: 'K8S_POD_NAME=web;K8S_POD_NAMESPACE=default',
    ...conf({ policy: { type: 'k8s' }, ...changes }),
  });
  const ipam = (changes: object) => conf({ ipam: { type: 'calico-ipam', ...changes } });

  const calls: readonly (readonly [string, Partial<CniTestCall>, number, RegExp])[] = [
    ['no stdin', { stdin: '' }, 6, /error unmarshall network config/],
    ['stdin that is not JSON', { stdin: 'name: net1' }, 6, /error unmarshall network config/],
    ['stdin that is JSON, but no object', { stdin: '[1]' }, 6, /must be a JSON object, found/],
    [
      'half of a JSON document',
      { stdin: '{"name":"net1","etcd_endpo' },
      6,
      /error unmarshall network config/,
    ],
    ['no name', conf({ name: undefined }), 7, /missing network name/],
    ['an empty name', conf({ name: '' }), 7, /missing network name/],
    ['a name with a slash', conf({ name: 'a/b' }), 7, /invalid characters found in network name/],
    ['a name Calico cannot store', conf({ name: 'Net_1' }), 7, /Profiles\[0\] = 'Net_1'/],
    ['a number for a text', conf({ nodename: 5 }), 7, /nodename must be a string, found 5|nodename.*5/],
    ['a text for a number', conf({ mtu: '1500' }), 7, /mtu must be .*number.*"1500"/],
    [
      'a boolean for the text assign_ipv4',
      ipam({ assign_ipv4: false }),
      7,
      /ipam\.assign_ipv4 must be a string, found boolean false/,
    ],
    ['a list for an object', conf({ ipam: [] }), 7, /ipam must be an object/],
    ['an MTU nobody can use', conf({ mtu: -5 }), 7, /mtu .*-5/],
    ['an unknown policy type', conf({ policy: { type: 'maybe' } }), 7, /policy\.type .*"maybe"/],
    ['an unknown device type', conf({ device_type: 'macvlan' }), 7, /unknown device_type "macvlan"/],
    ['a waiting time below zero', conf({ policy_setup_timeout_seconds: -1 }), 7, /-1/],
    ['an unknown dataplane', conf({ dataplane_options: { type: 'vpp' } }), 7, /invalid dataplane type: vpp/],
    ['an unknown CNI version', conf({ cniVersion: '9.9.9' }), 1, /incompatible CNI versions/],
    ['a CNI version that is none', conf({ cniVersion: 'new' }), 1, /incompatible CNI versions/],
    ['a container ID with a slash', { containerId: '../x' }, 4, /invalid characters in containerID/],
    ['a container ID Calico cannot store', { containerId: 'Abc_1' }, 4, /ContainerID = 'Abc_1'/],
    ['a container ID in upper case', { containerId: 'ABC' }, 4, /Name = 'node1-cni-ABC-eth0'/],
    ['an endless container ID', { containerId: 'a'.repeat(300) }, 4, /characters, at most 253/],
    [
      'no container ID',
      { env: { CNI_CONTAINERID: '' } },
      4,
      /required env variables \[CNI_CONTAINERID\] missing/,
    ],
    ['an interface name with a slash', { ifName: 'eth/0' }, 4, /interface name contains/],
    ['an interface name that is too long', { ifName: 'interface-name-16' }, 4, /interface name is too long/],
    ['an interface name Calico cannot store', { ifName: 'Eth_0' }, 4, /Endpoint = 'Eth_0'/],
    ['CNI_ARGS that are no pairs', { args: 'FOO' }, 4, /ARGS: invalid pair "FOO"/],
    ['an IP in CNI_ARGS that is none', { args: 'IP=1.2.3' }, 4, /1\.2\.3/],
    ['no namespace', { netns: undefined }, 4, /required env variables \[CNI_NETNS\] missing/],
    [
      'a namespace that does not exist',
      { netns: '/run/netns/none' },
      8,
      /failed to Statfs "\/run\/netns\/none": no such file/,
    ],
    ['a namespace that is a file', { netns: '/etc/hostname' }, 8, /unknown FS magic on "\/etc\/hostname"/],
    ["the host's own namespace", { netns: '/proc/self/ns/net' }, 8, /should not be the same/],
    [
      'the Kubernetes datastore',
      conf({ datastore_type: 'kubernetes' }),
      2,
      /datastore_type "kubernetes" is not supported/,
    ],
    ['an unknown datastore', conf({ datastore_type: 'consul' }), 7, /datastore_type .*"consul"/],
    ['no endpoints', conf({ etcd_endpoints: undefined }), 7, /no etcd endpoints specified/],
    [
      'an endpoint that is no URL',
      conf({ etcd_endpoints: 'ftp://x' }),
      7,
      /invalid etcd endpoint "ftp:\/\/x"/,
    ],
    [
      'a certificate without its key',
      conf({ etcd_cert_file: '/x' }),
      7,
      /etcd_cert_file is set but etcd_key_file is not/,
    ],
    [
      'a CA file that is not there',
      conf({ etcd_endpoints: 'https://127.0.0.1:2379', etcd_ca_cert_file: '/none.pem' }),
      7,
      /cannot read etcd_ca_cert_file \/none\.pem/,
    ],
    [
      'a nodename file that is not there',
      conf({ nodename_file_optional: false, nodename_file: '/none' }),
      11,
      /stat \/none: no such file or directory: check that the calico\/node container is running/,
    ],
    ['a node nobody knows', conf({ nodename: 'stranger' }), 103, /resource does not exist: Node\(stranger\)/],
    ['no IPAM plugin', conf({ ipam: undefined }), 7, /no plugin name provided/],
    [
      'an unknown IPAM plugin',
      conf({ ipam: { type: 'nosuch-ipam' } }),
      106,
      /failed to find plugin "nosuch-ipam" in path \[/,
    ],
    [
      'an IPAM plugin outside CNI_PATH',
      conf({ ipam: { type: '../../bin/sh' } }),
      7,
      /invalid plugin name: \.\.\/\.\.\/bin\/sh/,
    ],
    ['a pool nobody knows', ipam({ ipv4_pools: ['nosuch'] }), 7, /error parsing pool "nosuch"/],
    [
      'a pool CIDR nobody knows',
      ipam({ ipv4_pools: ['10.1.0.0/16'] }),
      7,
      /the given pool \(10\.1\.0\.0\/16\) does not exist, or is not enabled/,
    ],
    ['a pool of the other family', ipam({ ipv4_pools: ['fd00::/64'] }), 7, /isn't a IPv4 address/],
    ['IPv6 without an IPv6 pool', ipam({ assign_ipv6: 'true' }), 102, /cannot find a qualified ippool/],
    ['an address outside every pool', { args: 'IP=10.1.2.3' }, 7, /not in a configured pool/],
    [
      'a pod whose name no pod can have',
      { args: 'K8S_POD_NAME=We/b;K8S_POD_NAMESPACE=default' },
      4,
      /Pod = 'We\/b'/,
    ],
    ['a pod, and no way to the Kubernetes API', podOf({}), 7, /no configuration has been provided/],
    [
      'a pod, and a kubeconfig that is not there',
      podOf({ kubernetes: { kubeconfig: '/nowhere/kubeconfig' } }),
      7,
      /cannot read kubeconfig \/nowhere\/kubeconfig/,
    ],
    [
      'a pod, and an API server that is not there',
      podOf({ kubernetes: { k8s_api_root: 'https://127.0.0.1:1' } }),
      11,
      /127\.0\.0\.1:1.*default|default.*127\.0\.0\.1:1/s,
    ],
    [
      'a gRPC dataplane at no address',
      conf({ dataplane_options: { type: 'grpc', socket: 'http://x y' } }),
      7,
      /socket/,
    ],
    [
      'a prefix of interface names that is too long',
      { args: 'K8S_POD_NAME=web;K8S_POD_NAMESPACE=default', env: { FELIX_INTERFACEPREFIX: 'much-too-long' } },
      7,
      /InterfaceName/,
    ],
  ];

  it.each(calls)('ADD with %s', async (_name, call, code, message) => {
    const { json } = await refused('ADD', call);
    expect(`${json.code} ${json.msg} ${json.details ?? ''}`).toMatch(new RegExp(`^${code} `));
    expect(`${json.msg} ${json.details ?? ''}`).toMatch(message);
  });

  it('ADD while etcd cannot be reached: an error within its deadline, with the endpoint', async () => {
    const answer = await refused('ADD', conf({ etcd_endpoints: 'http://127.0.0.1:1' }));
    expect(answer.json).toMatchObject({
      code: 11,
      msg: expect.stringContaining('cannot reach etcd at http://127.0.0.1:1'),
    });
    expect(answer.elapsedMs).toBeLessThan(15_000);
  });

  it('ADD while etcd does not answer: an error within its deadline', async () => {
    node.etcd.pause();
    const answer = await node
      .cni('ADD', { containerId: 'abcd', netns: pod })
      .finally(() => node.etcd.resume());
    expect(answer.exitCode).toBe(1);
    expect(answer.json).toMatchObject({
      code: 11,
      msg: expect.stringMatching(/cannot reach etcd at http:\/\/127\.0\.0\.1:2379/),
    });
    expect(answer.elapsedMs).toBeLessThan(31_000);
  }, 60_000);

  it('ADD without any pool', async () => {
    await node.etcd.remove('/calico/resources/v3/projectcalico.org/ippools/');
    expect((await refused('ADD', {})).json).toMatchObject({
      code: 102,
      msg: 'cannot find a qualified ippool',
    });
  });

  it('ADD in a cluster that was never set up', async () => {
    await node.etcd.wipe();
    expect((await refused('ADD', {})).json).toMatchObject({
      code: 103,
      msg: expect.stringContaining('error getting ClusterInformation'),
    });
  });

  it('ADD while Calico is not ready', async () => {
    await writeCluster(node.etcd, { datastoreReady: false });
    expect((await refused('ADD', {})).json).toMatchObject({
      code: 11,
      msg: 'Calico is currently not ready to process requests',
    });
  });

  it('ADD to a pool without a free address', async () => {
    await node.etcd.wipe();
    await writeCluster(node.etcd, { pools: {} });
    await writePool(node.etcd, 'tiny', '10.9.0.0/30', { blockSize: 30 });
    for (const containerId of ['a1', 'a2', 'a3', 'a4'])
      succeeded(await node.cni('ADD', { containerId, netns: node.makePod().path }));
    const { json } = await refused('ADD', {});
    expect(json).toMatchObject({
      code: 102,
      msg: expect.stringContaining('No IPs available in pools: [10.9.0.0/30]'),
    });
    for (const containerId of ['a1', 'a2', 'a3', 'a4']) succeeded(await node.cni('DEL', { containerId }));
  });

  it('ADD of an address that is taken: the message names who has it', async () => {
    succeeded(
      await node.cni('ADD', { containerId: 'first', netns: node.makePod().path, args: 'IP=192.168.0.5' }),
    );
    const { json } = await refused('ADD', { args: 'IP=192.168.0.5' });
    expect(json.code).toBe(102);
    expect(json.msg + json.details).toContain('k8s-pod-network.first');
    succeeded(await node.cni('DEL', { containerId: 'first' }));
  });

  it('ADD to a sandbox in which the name is taken by something else', async () => {
    const busy = node.makePod();
    busy.sh('ip link add eth0 type veth peer name other');
    const { json } = await refused('ADD', { netns: busy.path });
    expect(json).toMatchObject({
      code: 101,
      msg: expect.stringContaining(`interface eth0 already exists in ${busy.path}`),
    });
    expect(busy.sh('ip -o link')).toContain('eth0');
  });

  it('ADD of a second interface of a container', async () => {
    const twice = node.makePod();
    succeeded(await node.cni('ADD', { containerId: 'twice', netns: twice.path }));
    const { json } = await refused('ADD', { containerId: 'twice', netns: twice.path, ifName: 'eth1' });
    expect(json).toMatchObject({
      code: 7,
      msg: expect.stringContaining('container twice already has interface eth0'),
    });
    succeeded(await node.cni('DEL', { containerId: 'twice', netns: twice.path }));
  });

  it.each([
    ['CHECK', '0.3.1', /config version does not allow CHECK/],
    ['STATUS', '1.0.0', /config version does not allow STATUS/],
    ['GC', '1.0.0', /config version does not allow GC/],
  ])('%s of version %s, which comes later', async (command, cniVersion, message) => {
    const { json } = await refused(command, conf({ cniVersion }));
    expect(json).toMatchObject({ code: 1, msg: expect.stringMatching(message) });
  });

  it('a command there is not', async () => {
    expect((await refused('UPDATE', {})).json).toMatchObject({ code: 4, msg: 'unknown CNI_COMMAND: UPDATE' });
  });

  it('a DEL takes the link away even when etcd is away, and asks to be tried again', async () => {
    const sandbox = node.makePod();
    succeeded(await node.cni('ADD', { containerId: 'later', netns: sandbox.path }));
    const answer = await node.cni('DEL', {
      containerId: 'later',
      netns: sandbox.path,
      conf: { etcd_endpoints: 'http://127.0.0.1:1' },
    });
    expect(answer.json).toMatchObject({ code: 11 });
    expect(sandbox.sh('ip -o link')).not.toContain('eth0');
    succeeded(await node.cni('DEL', { containerId: 'later', netns: sandbox.path }));
  });

  it('a DEL takes the link away even when the node name is not to be found', async () => {
    const sandbox = node.makePod();
    succeeded(await node.cni('ADD', { containerId: 'nameless', netns: sandbox.path }));
    const conf = { nodename_file_optional: false, nodename_file: '/none' };
    const answer = await node.cni('DEL', { containerId: 'nameless', netns: sandbox.path, conf });
    expect(answer.json).toMatchObject({ code: 11, msg: expect.stringContaining('stat /none') });
    expect(sandbox.sh('ip -o link')).not.toContain('eth0');
    succeeded(await node.cni('DEL', { containerId: 'nameless', netns: sandbox.path }));
  });
});
