/** Calls that are right, at a time or in a place that is not: the right CNI code, and nothing changed. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeCluster, writePool } from '../../support/cluster.ts';
import { whyNoNetns } from '../../support/netns.ts';
import { refused as refusedAt } from '../../support/refusals.ts';
import { type CniTestCall, type SimulatedNode, startNode, succeeded } from '../../support/simulated-node.ts';

const why = whyNoNetns();

describe.skipIf(why !== undefined)(`bad situations${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
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

  const refused = (command: string, call: Partial<CniTestCall>) =>
    refusedAt(node, command, { containerId: 'abcd', netns: pod, ...call });

  it('ADD while etcd cannot be reached: an error within its deadline, with the endpoint', async () => {
    const answer = await refused('ADD', { conf: { etcd_endpoints: 'http://127.0.0.1:1' } });
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
    expect(answer.elapsedMs).toBeLessThan(45_000);
  });

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
    const { json } = await refused(command, { conf: { cniVersion } });
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
