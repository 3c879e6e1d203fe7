/** GC, on a real kernel and a real etcd: what is left of lost containers goes, and nothing else. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeCluster } from '../support/cluster.ts';
import { cnitool } from '../support/cnitool.ts';
import { datastoreViolations } from '../support/datastore-violations.ts';
import { type TestNetns, whyNoNetns } from '../support/netns.ts';
import {
  type CniTestCall,
  dumpCalico,
  NETWORK,
  type SimulatedNode,
  startNode,
  succeeded,
  wholeState,
} from '../support/simulated-node.ts';

const why = whyNoNetns();
const KEYS = ['cni.dev/valid-attachments', 'cni.dev/attachments'];
/** Before any clock that a test may run by. */
const LONG_AGO = '2020-01-01';

interface Pod {
  readonly id: string;
  readonly netns: TestNetns;
  readonly address: string;
}

describe.skipIf(why !== undefined)(`GC${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let node: SimulatedNode;

  beforeAll(async () => {
    node = await startNode();
  });
  afterAll(async () => {
    await node.stop();
  });
  beforeEach(async () => {
    await node.etcd.wipe();
    await writeCluster(node.etcd, { nodes: ['node1', 'node2'] });
  });
  afterEach(() => {
    for (const name of hostLinks()) node.host.sh(`ip link del ${name}`);
  });

  const hostLinks = () =>
    node.host
      .sh('ip -br link show type veth')
      .split('\n')
      .flatMap((line) => /^(cali[^@ ]*)/.exec(line)?.[1] ?? []);

  async function add(id: string, more: Partial<CniTestCall> = {}): Promise<Pod> {
    const netns = node.makePod();
    const conf = { cniVersion: '1.1.0', ...more.conf };
    const call = { containerId: id, netns: netns.path, ...more, conf };
    const { json } = succeeded(await node.cni('ADD', call));
    return { id, netns, address: json.ips[0].address.replace(/\/.*/, '') };
  }

  /** A few at a time. */
  async function addAll(ids: readonly string[], more: Partial<CniTestCall> = {}): Promise<readonly Pod[]> {
    const pods: Pod[] = [];
    for (let i = 0; i < ids.length; i += 4)
      pods.push(...(await Promise.all(ids.slice(i, i + 4).map((id) => add(id, more)))));
    return pods;
  }

  const gcCall = (live: readonly string[], conf: object = {}, key = KEYS[0] ?? ''): CniTestCall => ({
    containerId: '',
    conf: {
      cniVersion: '1.1.0',
      [key]: live.map((containerID) => ({ containerID, ifname: 'eth0' })),
      ...conf,
    },
  });
  const gc = (live: readonly string[], conf: object = {}, key?: string) =>
    node.cni('GC', gcCall(live, conf, key));

  const keysOf = async (what: string) =>
    [...(await dumpCalico(node)).keys()].filter((key) => key.includes(what));
  const reaches = (pod: Pod) => pod.netns.sh('ping -c 1 -W 2 192.0.2.1').includes('1 received');
  const names = (count: number, prefix: string) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);

  async function violations(live: readonly Pod[]): Promise<readonly string[]> {
    const byId = new Map(live.map(({ id, address }) => [id, [address]]));
    return datastoreViolations(await dumpCalico(node), { network: NETWORK, live: byId });
  }

  it('collects exactly the 20 of 50 that lost their DEL, beside another network and another node', async () => {
    node.host.sh('ip address replace 192.0.2.1/32 dev lo');
    const pods = await addAll(names(50, 'pod'));
    const others = [
      ...(await addAll(names(3, 'other'), { conf: { name: 'other-net' } })),
      ...(await addAll(names(3, 'alike'), { conf: { name: `${NETWORK}-2` } })),
      ...(await addAll(names(3, 'remote'), { conf: { nodename: 'node2' } })),
    ];
    const [dead, live] = [pods.slice(0, 20), pods.slice(20)];
    for (const { netns } of dead.slice(0, 10)) netns.delete();
    // Of these a crash left even less: no endpoint, no handle, no address.
    const lost = await dumpCalico(node);
    await node.etcd.remove(keyOf(lost, 'workloadendpoints', 'pod1-'));
    await node.etcd.remove(keyOf(lost, 'workloadendpoints', 'pod11-'));
    await node.etcd.remove(keyOf(lost, '/handle/', 'pod12'));
    const foreign = (text: string) => /other|alike|remote/.test(text);
    const before = [...(await dumpCalico(node))].filter(([key]) => foreign(key));

    const answer = succeeded(await gc(live.map(({ id }) => id)));

    expect(answer.stdout).toBe('');
    const collected = [...answer.stderr.matchAll(/containers="([^"]*)"/g)].flatMap(([, ids]) =>
      ids?.split(','),
    );
    expect(collected.sort()).toEqual(dead.map(({ id }) => id).sort());
    expect(hostLinks().sort()).toEqual([...live, ...others].map(({ id }) => `cali${id}`).sort());
    expect([...live, ...others].filter((pod) => !reaches(pod))).toEqual([]);
    expect(dead.slice(10).filter(({ netns }) => netns.sh('ip -o link').includes('eth0'))).toEqual([]);
    expect([...(await dumpCalico(node))].filter(([key]) => foreign(key))).toEqual(before);
    expect(await ownersOfAddresses()).toEqual(
      new Map([...live, ...others].map(({ id, address }) => [address, id])),
    );
    expect((await keysOf('/handle/')).map(idOfHandle).sort()).toEqual(
      [...live, ...others].map(({ id }) => id).sort(),
    );
    expect((await keysOf('workloadendpoints')).length).toBe(live.length + others.length);
    const again = succeeded(await gc(live.map(({ id }) => id)));
    expect(again.stderr).not.toContain('containers=');
    // What was collected can be given away.
    const next = await addAll(names(20, 'next'));
    expect(next.every(reaches)).toBe(true);
  });

  const idOfHandle = (key: string) => key.slice(key.lastIndexOf('.') + 1);

  function keyOf(dump: ReadonlyMap<string, string>, ...parts: readonly string[]): string {
    const key = [...dump.keys()].find((name) => parts.every((part) => name.includes(part)));
    return key ?? expect.unreachable(`no key with ${parts.join(' and ')}`);
  }

  /** Address text → container ID, over all blocks. */
  async function ownersOfAddresses(): Promise<ReadonlyMap<string, string>> {
    const owners = new Map<string, string>();
    for (const [key, value] of await dumpCalico(node)) {
      if (!key.includes('/block/') || !key.includes('/assignment/')) continue;
      const { cidr, allocations, attributes } = JSON.parse(value);
      const [a, b, c, d] = cidr.replace(/\/.*/, '').split('.').map(Number);
      for (const [ordinal, index] of allocations.entries()) {
        if (index !== null)
          owners.set(`${a}.${b}.${c}.${d + ordinal}`, idOfHandle(attributes[index].handle_id));
      }
    }
    return owners;
  }

  it.each(KEYS)('reads the list under %s', async (key) => {
    const [a, b] = await addAll(['aaaa', 'bbbb']);
    succeeded(await gc(['bbbb'], {}, key));
    expect(a?.netns.sh('ip -o link')).not.toContain('eth0');
    expect(await violations(b === undefined ? [] : [b])).toEqual([]);
  });

  it.each(['calico', 'calico-ipam'] as const)(
    '%s does nothing without a list, or with one that is none',
    async (program) => {
      await add('aaaa');
      const before = await wholeState(node);
      for (const list of [
        {},
        { [KEYS[0] ?? '']: null },
        { [KEYS[0] ?? '']: {} },
        { [KEYS[0] ?? '']: [{}] },
      ]) {
        const answer = await node.cni('GC', {
          program,
          containerId: '',
          conf: { cniVersion: '1.1.0', ...list },
        });
        expect(answer.json).toMatchObject({
          code: 7,
          msg: expect.stringContaining('cni.dev/valid-attachments'),
        });
      }
      expect(await wholeState(node)).toEqual(before);
    },
  );

  it('takes everything when nothing lives', async () => {
    await addAll(['aaaa', 'bbbb'], { conf: { ipam: { type: 'calico-ipam' } } });
    succeeded(await gc([]));
    expect(await violations([])).toEqual([]);
    expect(hostLinks()).toEqual([]);
  });

  it('keeps networks apart whose names only dots tell from container IDs', async () => {
    const program = 'calico-ipam';
    const a = await add('b.c', { program, conf: { name: 'a', type: 'bridge' } });
    const ab = await add('d', { conf: { name: 'a.b' } });
    const both = new Map([
      [a.address, 'c'],
      [ab.address, 'd'],
    ]);
    succeeded(await gc(['d'], { name: 'a.b' }));
    succeeded(await gc(['b.c'], { name: 'a' }));
    succeeded(await node.cni('GC', { program, ...gcCall(['b.c'], { name: 'a' }) }));
    succeeded(await node.cni('GC', { program, ...gcCall(['d'], { name: 'a.b' }) }));
    expect(await ownersOfAddresses()).toEqual(both);
    succeeded(await node.cni('GC', { program, ...gcCall([], { name: 'a' }) }));
    expect(await ownersOfAddresses()).toEqual(new Map([[ab.address, 'd']]));
    succeeded(await gc([], { name: 'a.b' }));
    expect(await ownersOfAddresses()).toEqual(new Map());
    expect(hostLinks()).toEqual([]);
  });

  it('leaves the interface that the pod’s new sandbox has', async () => {
    const args = 'K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-1';
    const old = await add('old', { args });
    const dump = await dumpCalico(node);
    const current = await add('new', { args });
    expect((await ownersOfAddresses()).get(old.address)).toBe('old');
    node.host.sh('ip address replace 192.0.2.1/32 dev lo');
    succeeded(await gc(['new']));
    expect((await ownersOfAddresses()).has(old.address)).toBe(false);
    expect(reaches(current)).toBe(true);
    expect(await keysOf('workloadendpoints')).toEqual([keyOf(dump, 'workloadendpoints', 'web--1')]);
  });

  it('as calico-ipam alone collects addresses, and nothing of the main plugin', async () => {
    const [a, b] = await addAll(['aaaa', 'bbbb']);
    const endpoints = await keysOf('workloadendpoints');
    succeeded(await node.cni('GC', { ...gcCall(['bbbb']), program: 'calico-ipam' }));
    expect(await ownersOfAddresses()).toEqual(new Map([[b?.address, 'bbbb']]));
    expect(await keysOf('workloadendpoints')).toEqual(endpoints);
    expect(a?.netns.sh('ip -o link')).toContain('eth0');
  });

  it('spares what is younger than gc_grace_seconds, while ADDs go on', async () => {
    await addAll(['old1', 'old2']);
    for (const [key, value] of await dumpCalico(node))
      if (/block|workloadendpoints/.test(key))
        await node.etcd.put(key, value.replaceAll(/20\d\d-\d\d-\d\d(?=[T ])/g, LONG_AGO));
    const adding = addAll(names(12, 'new'));
    for (let round = 0; round < 3; round++) succeeded(await gc([], { gc_grace_seconds: 300 }));
    const added = await adding;
    succeeded(await gc([], { gc_grace_seconds: 300 }));
    expect(await violations(added)).toEqual([]);
    expect(hostLinks().sort()).toEqual(added.map(({ id }) => `cali${id}`).sort());
    expect((await gc([], { gc_grace_seconds: -1 })).json).toMatchObject({ code: 7 });
    expect(await violations(added)).toEqual([]);
  });

  it('killed at any moment, leaves what the next one collects', async () => {
    const outcomes: string[] = [];
    for (const afterMs of [30, 50, 70, 90, 130, 250]) {
      const pods = await addAll(names(3, `k${afterMs}x`));
      const live = pods.slice(0, 1);
      const answer = await node.cni('GC', { ...gcCall(live.map(({ id }) => id)), timeoutMs: afterMs });
      outcomes.push(`${afterMs} ms: ${answer.exitCode === undefined ? 'killed' : 'done'}`);
      succeeded(await gc(live.map(({ id }) => id)));
      expect(await violations(live)).toEqual([]);
      expect(hostLinks()).toEqual(live.map(({ id }) => `cali${id}`));
      succeeded(await gc([]));
    }
    process.stdout.write(`GC killed: ${outcomes.join(', ')}\n`);
    expect(outcomes.join()).toContain('killed');
  });

  it('goes on after what it cannot collect, and names all of that', async () => {
    const [a, b, c, d] = await addAll(['aaaa', 'bbbb', 'cccc', 'dddd']);
    await node.etcd.put(`/calico/ipam/v2/handle/${NETWORK}.bbbb`, 'nonsense');
    await node.etcd.put(`/calico/ipam/v2/handle/${NETWORK}.cccc`, '[]');
    const answer = await gc(['dddd']);
    expect(answer.json).toMatchObject({
      code: 107,
      msg: expect.stringMatching(/^garbage was left behind: .*handle/),
      details: expect.stringContaining('the next GC tries again'),
    });
    for (const id of ['bbbb', 'cccc']) expect(answer.json.msg).toContain(`/${NETWORK}.${id}`);
    expect([...(await ownersOfAddresses()).values()].sort()).toEqual(['bbbb', 'cccc', 'dddd']);
    expect(a?.netns.sh('ip -o link')).not.toContain('eth0');
    await node.etcd.remove(`/calico/ipam/v2/handle/${NETWORK}.bbbb`);
    await node.etcd.remove(`/calico/ipam/v2/handle/${NETWORK}.cccc`);
    succeeded(await gc(['dddd']));
    expect(await violations(d === undefined ? [] : [d])).toEqual([]);
    expect([b, c].map((pod) => pod?.netns.sh('ip -o link').includes('eth0'))).toEqual([false, false]);
  });

  it('says so when the datastore is away, and changes nothing', async () => {
    await add('aaaa');
    const before = await wholeState(node);
    expect((await gc([], { etcd_endpoints: 'http://127.0.0.1:1' })).json).toMatchObject({ code: 11 });
    await writeCluster(node.etcd, { datastoreReady: false });
    expect((await gc([])).json).toMatchObject({
      code: 11,
      msg: 'Calico is currently not ready to process requests',
    });
    await writeCluster(node.etcd, { nodes: ['node1', 'node2'] });
    expect(await wholeState(node)).toEqual(before);
  });

  describe('with another IPAM plugin', () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'gc-'));
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    it('collects endpoint and interface, and lets host-local be, which has no GC', async () => {
      const ipam = {
        type: 'host-local',
        ranges: [[{ subnet: '10.44.0.0/24' }]],
        dataDir: join(folder, 'host-local'),
      };
      // This host-local has not heard of 1.1.0.
      const [a, b] = await addAll(['aaaa', 'bbbb'], { conf: { cniVersion: '1.0.0', ipam } });
      succeeded(await gc(['bbbb'], { ipam }));
      expect(a?.netns.sh('ip -o link')).not.toContain('eth0');
      expect(b?.netns.sh('ip -o link')).toContain('eth0');
      expect(await keysOf('workloadendpoints')).toEqual([expect.stringContaining('bbbb')]);
    });

    it('passes the list on to one that has a GC, and its error back', async () => {
      const seen = join(folder, 'seen');
      writeFileSync(
        join(folder, 'strict-ipam'),
        `#!/bin/sh\n{ echo "$CNI_COMMAND"; cat; } > ${seen}\nprintf '{"code": 120, "msg": "still here"}'\nexit 1\n`,
        { mode: 0o755 },
      );
      const call = gcCall(['bbbb'], { ipam: { type: 'strict-ipam' } });
      const answer = await node.cni('GC', { ...call, env: { CNI_PATH: folder } });
      expect(answer.json).toMatchObject({ code: 107, msg: 'garbage was left behind: still here' });
      const sent = node.host.sh(`cat ${seen}`);
      expect(sent).toMatch(/^GC\n/);
      expect(sent).toContain('"containerID":"bbbb"');
    });

    it('collects all else when the plugin is not to be found', async () => {
      const pod = await add('aaaa');
      const answer = await gc([], { ipam: { type: 'none-such' } });
      expect(answer.json).toMatchObject({ code: 107, msg: expect.stringContaining('none-such') });
      expect(pod.netns.sh('ip -o link')).not.toContain('eth0');
      expect(await keysOf('workloadendpoints')).toEqual([]);
      expect([...(await ownersOfAddresses()).values()]).toEqual(['aaaa']);
    });

    /** Writes a conflist; cnitool itself has no list of attachments to pass on. */
    function cnitoolGc(name: string, plugin: object): ReturnType<typeof cnitool> {
      const conflist = {
        name,
        cniVersion: '1.1.0',
        plugins: [{ ...node.conf({ cniVersion: undefined, name: undefined }), ...plugin }],
      };
      writeFileSync(join(folder, `${name}.conflist`), JSON.stringify(conflist));
      return cnitool('gc', {
        confFolder: folder,
        network: name,
        netnsPath: node.host.path,
        host: node.host.name,
      });
    }

    it('through cnitool, which has no list, refuses and says which key is missing', async () => {
      const pod = await add('aaaa', { conf: { name: 'unlisted' } });
      const answer = await cnitoolGc('unlisted', {});
      expect(answer.exitCode).toBe(1);
      expect(answer.stderr).toContain('required cni.dev/valid-attachments missing');
      expect(pod.netns.sh('ip -o link')).toContain('eth0');
    });

    it('through cnitool collects what is not in the list of the conflist', async () => {
      const [a, b] = await addAll(['aaaa', 'bbbb'], { conf: { name: 'listed' } });
      const live = { 'cni.dev/valid-attachments': [{ containerID: 'bbbb', ifname: 'eth0' }] };
      const answer = await cnitoolGc('listed', live);
      expect(answer.exitCode, answer.stdout + answer.stderr).toBe(0);
      expect(await ownersOfAddresses()).toEqual(new Map([[b?.address, 'bbbb']]));
      expect(a?.netns.sh('ip -o link')).not.toContain('eth0');
    });
  });
});
