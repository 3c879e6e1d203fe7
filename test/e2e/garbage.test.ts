/** What containers and nodes leave behind when nobody cleans up, and `calico node` that gives back this and nothing else. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type AgentLab, type LabHost, type LabPod, makeAgentLab } from '../support/agent-lab.ts';
import { writePool } from '../support/cluster.ts';
import { whyNoNetns } from '../support/netns.ts';

const why = whyNoNetns();
const LATER = { timeout: 30_000, interval: 100 };
const RESOURCES = '/calico/resources/v3/projectcalico.org';
const HOSTS = '/calico/ipam/v2/host';

describe.skipIf(why !== undefined)(`garbage${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let lab: AgentLab;
  let cache: string;
  const pods: Record<'live' | 'leaked' | 'remembered' | 'halfDead' | 'remote', LabPod> = Object.create(null);

  beforeAll(async () => {
    cache = mkdtempSync(join(tmpdir(), 'cni-cache-'));
    mkdirSync(join(cache, 'results'));
    const env = { GARBAGE_COLLECTION_GRACE_PERIOD: '2s', GARBAGE_COLLECTION_CNI_CACHE: cache };
    lab = await makeAgentLab({ subnets: [50, 60], env });
    // Two blocks of eight: who needs more than its own borrows from the other.
    await writePool(lab.etcd, 'pods', '10.77.0.0/28', { blockSize: 29, vxlanMode: 'CrossSubnet' });
    await lab.startAgents();
    for (const name of ['live', 'leaked', 'remembered', 'halfDead'] as const)
      pods[name] = await host(0).makePod();
    pods.remote = await host(1).makePod();
    remember(pods.live);
    pods.leaked.netns.delete();
    // The runtime knows it, and its sandbox is gone all the same.
    remember(pods.remembered);
    pods.remembered.netns.delete();
    // The runtime has its sandbox, and somebody has removed its interface.
    remember(pods.halfDead);
    pods.halfDead.sh('ip link del eth0');
  });

  afterAll(async () => {
    await lab[Symbol.asyncDispose]();
    rmSync(cache, { recursive: true });
  });

  const host = (index: number) => lab.hosts[index] as LabHost;
  const logs = () => lab.hosts.map(({ agent }) => agent?.log() ?? '').join('');

  /** As libcni keeps it from the ADD to the DEL. */
  function remember({ netns: { name, path } }: LabPod): void {
    const kept = { kind: 'cniCacheV1', containerId: name, ifName: 'eth0', networkName: 'net', netns: path };
    writeFileSync(join(cache, 'results', `net-${name}-eth0`), JSON.stringify(kept));
  }

  async function startAgain(mode: string): Promise<void> {
    await Promise.all(lab.hosts.map(({ agent }) => agent?.kill('SIGTERM')));
    await Promise.all(lab.hosts.map((one) => one.startAgent({ GARBAGE_COLLECTION: mode }).ready));
  }

  const keys = async (prefix: string) => [...(await lab.etcd.list(prefix)).keys()];
  const blocks = async () =>
    [...(await lab.etcd.list('/calico/ipam/v2/assignment/')).values()].map((value) => JSON.parse(value));
  const inUse = async () =>
    (await blocks()).flatMap(({ attributes }) => attributes ?? []).map(({ handle_id: handle }) => handle);
  /** The three records of a pod that are there: its address, its handle, its endpoint. */
  const recordsOf = async ({ netns: { name } }: LabPod) => {
    const all = [
      ...(await keys('/calico/ipam/v2/handle/')),
      ...(await keys(`${RESOURCES}/workloadendpoints/`)),
    ];
    return [
      ...(await inUse()).filter((handle) => handle === `net.${name}`),
      ...all.filter((key) => key.endsWith(`.${name}`) || key.includes(name.replaceAll('-', '--'))),
    ].length;
  };
  const numberOfRecords = async () =>
    Object.fromEntries(
      await Promise.all(Object.entries(pods).map(async ([name, pod]) => [name, await recordsOf(pod)])),
    );

  it('is told, and stays, in a dry run', async () => {
    await startAgain('dry-run');
    await vi.waitUntil(() => logs().match(/garbage: would collect container/g)?.length === 2, LATER);
    const before = await lab.etcd.list('/');
    const revision = await lab.etcd.revision();
    await sleep(2_500);
    expect(await lab.etcd.revision()).toBe(revision);
    expect(await lab.etcd.list('/')).toEqual(before);
    expect(await numberOfRecords()).toEqual({ live: 3, leaked: 3, remembered: 3, halfDead: 3, remote: 3 });
    expect(logs().match(/garbage: would collect container/g)).toHaveLength(2);
    for (const { netns } of [pods.leaked, pods.remembered])
      expect(logs()).toContain(
        `would collect container container="${netns.name}" handle="net.${netns.name}"`,
      );
    for (const { netns } of [pods.live, pods.remote]) expect(logs()).not.toContain(netns.name);
    expect(logs()).toMatch(/left alone .*why="the runtime has its sandbox/);
  });

  it('of this node’s containers goes, and what lives or is another node’s stays', async () => {
    await startAgain('on');
    await vi.waitUntil(() => logs().match(/garbage: collected container/g)?.length === 2, LATER);
    await sleep(1_500);
    expect(await numberOfRecords()).toEqual({ live: 3, leaked: 0, remembered: 0, halfDead: 3, remote: 3 });
    pods.live.sh(`ping -c 1 -W 2 ${pods.remote.ipv4}`);
  });

  it('of a removed node goes, but for what others have borrowed', async () => {
    const [, away] = lab.hosts as readonly LabHost[];
    const own = (await blocks()).find(({ affinity }) => affinity === 'host:node2');
    // The tunnel, two pods and five more fill a block; the next two are borrowed.
    const more = [];
    for (let i = 0; i < 7; i++) more.push(await host(0).makePod());
    const borrowed = own.cidr.includes('.0/') ? /\.[0-7]$/ : /\.(?:[89]|1[0-5])$/;
    const guests = more.filter(({ ipv4 }) => borrowed.test(ipv4));
    expect(guests.length).toBeGreaterThan(0);
    await lab.etcd.put(`${HOSTS}/node2`, '{}');
    await lab.etcd.put(`${HOSTS}/node9/ipv4/block/10.77.99.0-29`, '{"state":"pending","deleted":false}');
    await away?.agent?.kill('SIGTERM');
    await lab.etcd.remove(`${RESOURCES}/nodes/node2`);
    // Its pod has an endpoint still, and may run: its address stays, and the block with it.
    await vi.waitUntil(() => logs().includes('garbage: left addresses of a removed node alone'), LATER);
    expect(await recordsOf(pods.remote)).toBe(3);
    expect(await keys(`${HOSTS}/node2/`)).toHaveLength(1);
    expect(await inUse()).not.toContain('vxlan-tunnel-addr-node2');
    for (const key of await keys(`${RESOURCES}/workloadendpoints/default/node2`)) await lab.etcd.remove(key);
    await vi.waitUntil(
      async () => (await keys(`${HOSTS}/node`)).every((key) => key.includes('/node1/')),
      LATER,
    );
    const left = (await blocks()).find(({ cidr }) => cidr === own.cidr);
    expect(left.affinity).toBeNull();
    expect(left.attributes.map(({ handle_id: handle }: { handle_id: string }) => handle).sort()).toEqual(
      guests.map(({ netns }) => `net.${netns.name}`).sort(),
    );
    expect(await recordsOf(pods.remote)).toBe(0);
    for (const guest of guests) guest.sh(`ping -c 1 -W 2 ${pods.live.ipv4}`);
  });
});
