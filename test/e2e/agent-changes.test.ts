/** Agents on three hosts while addresses are borrowed, and blocks, nodes and pools go away. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type AgentLab, type LabHost, type LabPod, makeAgentLab, PATIENCE } from '../support/agent-lab.ts';
import { writePool } from '../support/cluster.ts';
import { labDifferences } from '../support/lab-differences.ts';
import { whyNoNetns } from '../support/netns.ts';
import { answers } from '../support/ping.ts';
import { startPing } from '../support/ping-stream.ts';
import { changeMode, POOL_MODES } from '../support/pool-modes.ts';
import { mtuOf, tryEach } from '../support/reachability.ts';

const why = whyNoNetns();
const { vxlan, vxlanCrossSubnet } = POOL_MODES;
const BLOCKS = '/calico/ipam/v2/assignment/';
const RESOURCES = '/calico/resources/v3/projectcalico.org';

describe.skipIf(why !== undefined)(`agents${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  describe('of a cluster with fewer blocks than hosts', () => {
    /** Two blocks of four addresses each: one for the tunnel of each host, and five for pods. */
    const POOLS = {
      ipv4: { name: 'narrow', cidr: '10.77.0.0/29', spec: { blockSize: 30 } },
      ipv6: { name: 'narrow-v6', cidr: 'fd00:77::/125', spec: { blockSize: 126 } },
    } as const;
    const stack = new AsyncDisposableStack();
    let lab: AgentLab;
    let pods: readonly LabPod[];

    beforeAll(async () => {
      lab = stack.use(await makeAgentLab({ env: { IP6: 'autodetect' } }));
      for (const { name, cidr, spec } of Object.values(POOLS))
        await writePool(lab.etcd, name, cidr, { ...spec, ...vxlan.spec });
      await lab.startAgents();
      const both = { ipam: { type: 'calico-ipam', assign_ipv4: 'true', assign_ipv6: 'true' } };
      pods = await Promise.all([1, 1, 2, 3, 3].map((number) => lab.host(number).makePod({ conf: both })));
    });
    afterAll(() => stack.disposeAsync());

    it('every address is in use, and each host has some that it has borrowed, or lent', async () => {
      const blocks = [...(await lab.etcd.list(BLOCKS)).values()].map((text) => JSON.parse(text));
      expect(blocks.map(({ cidr }) => cidr)).toEqual([
        '10.77.0.0/30',
        '10.77.0.4/30',
        'fd00:77::/126',
        'fd00:77::4/126',
      ]);
      expect(blocks.flatMap(({ unallocated }) => unallocated)).toEqual([]);
    });

    it.each([vxlan, vxlanCrossSubnet, vxlan])('all pods reach each other: $name', async (mode) => {
      for (const family of ['ipv4', 'ipv6'] as const) {
        await changeMode(lab, POOLS[family], mode, pods);
        for (const { from, to, isAnswered } of await tryEach(pods, family))
          expect
            .soft(isAnswered, `${from.host.name} ${from[family]} to ${to.host.name} ${to[family]}`)
            .toBe(true);
        for (const { netns } of lab.hosts)
          for (const pod of pods) expect.soft(await answers(netns, pod[family])).toBe(true);
      }
      expect(await labDifferences(lab)).toEqual([]);
    });
  });

  describe('of a cluster that changes', () => {
    const LASTING = { name: 'lasting', cidr: '10.77.0.0/16' };
    const PASSING = { name: 'passing', cidr: '10.78.0.0/16', spec: { blockSize: 29 } };
    const stack = new AsyncDisposableStack();
    let lab: AgentLab;
    let lasting: readonly [LabPod, LabPod, LabPod];

    beforeAll(async () => {
      lab = stack.use(await makeAgentLab({ env: { IP: 'autodetect' } }));
      await writePool(lab.etcd, LASTING.name, LASTING.cidr, vxlanCrossSubnet.spec);
      await lab.startAgents();
      const on = (number: number) => podOn(lab.host(number), LASTING.name);
      lasting = await Promise.all([on(1), on(2), on(3)]);
      await changeMode(lab, LASTING, vxlanCrossSubnet, lasting);
      await changeMode(lab, PASSING, vxlanCrossSubnet, []);
    });
    afterAll(() => stack.disposeAsync());

    it('reach an address that was asked for in another node’s block, until it is given back', async () => {
      const owner = await podOn(lab.host(2), PASSING.name);
      const wanted = owner.ipv4.replace(/\d+$/, (last) => String(Number(last) + 1));
      const borrower = await lab.host(3).makePod({ args: `IP=${wanted}` });
      expect(borrower.ipv4).toBe(wanted);
      await vi.waitUntil(
        () => [1, 2].every((number) => hasRoute(lab.host(number), `${wanted} via`)),
        PATIENCE,
      );
      for (const from of [...lab.hosts, ...lasting, owner])
        expect(await answers(from.netns, wanted)).toBe(true);
      expect(await labDifferences(lab)).toEqual([]);

      await borrower.remove();
      await vi.waitUntil(() => !lab.hosts.some((host) => hasRoute(host, wanted)), PATIENCE);
      await owner.remove();
      expect(await labDifferences(lab)).toEqual([]);
    });

    it('forget a block that is released', async () => {
      const pod = await podOn(lab.host(2), PASSING.name);
      const [key = ''] = await blockKeysOf(lab, PASSING);
      const cidr = key.replace(/.*\//, '').replace('-', '/');
      await vi.waitUntil(() => lab.hosts.every((host) => hasRoute(host, cidr)), PATIENCE);
      expect(hasRoute(lab.host(2), `blackhole ${cidr}`)).toBe(true);
      await pod.remove();
      await lab.etcd.remove(key);
      await lab.etcd.remove(`/calico/ipam/v2/host/node2/ipv4/block/${key.replace(/.*\//, '')}`);
      await vi.waitUntil(() => !lab.hosts.some((host) => hasRoute(host, cidr)), PATIENCE);
      expect(await labDifferences(lab)).toEqual([]);
    });

    it('forget a node that is removed, and know it again when it comes back', async () => {
      const [first, second, third] = lasting;
      const others = startPing(first.netns, second.ipv4, 10);
      await third.host.agent?.kill();
      await lab.etcd.remove(`${RESOURCES}/nodes/node3`);
      const traces = (host: LabHost) =>
        host.sh(
          `ip route get ${third.ipv4}; bridge fdb show dev vxlan.calico; ip neigh show dev vxlan.calico`,
        );
      await vi.waitUntil(() => !/dev vxlan|10\.60\.0\.13/.test(traces(lab.host(1))), PATIENCE);
      await vi.waitUntil(() => !/dev vxlan|10\.60\.0\.13/.test(traces(lab.host(2))), PATIENCE);
      expect(await answers(first.netns, third.ipv4)).toBe(false);
      await logged(lab.host(1), /blocks of nodes that have no Node: node3\. They are not routed/);

      await third.host.startAgent().ready;
      await vi.waitUntil(() => answers(first.netns, third.ipv4), PATIENCE);
      await vi.waitUntil(() => answers(third.netns, second.ipv4), PATIENCE);
      expect((await others.stop()).lost).toEqual([]);
      expect(await labDifferences(lab)).toEqual([]);
    });

    it('forget a pool that is removed, though its blocks are there, and know it again', async () => {
      const pods = await Promise.all(lab.hosts.map((host) => podOn(host, PASSING.name)));
      await changeMode(lab, PASSING, vxlanCrossSubnet, pods);
      expect(await allAnswered(pods)).toBe(true);
      const [first, , third] = lasting;
      const others = startPing(first.netns, third.ipv4, 10);
      await lab.etcd.remove(`${RESOURCES}/ippools/${PASSING.name}`);
      const traces = (host: LabHost) => host.sh('ip route show proto 202; nft list ruleset');
      for (const host of lab.hosts) await vi.waitUntil(() => !traces(host).includes('10.78.'), PATIENCE);
      await logged(lab.host(1), /10\.78\.\S+ are in no pool that has routes/);
      expect(await labDifferences(lab)).toEqual([]);

      await changeMode(lab, PASSING, vxlanCrossSubnet, pods);
      expect(await allAnswered(pods)).toBe(true);
      await others.answers(5);
      expect((await others.stop()).lost).toEqual([]);
      expect(await labDifferences(lab)).toEqual([]);
    });

    it('follow the MTU of the network between the hosts', async () => {
      const [, , third] = lasting;
      const { sh, folder } = third.host;
      const mtus = () =>
        sh('cat /sys/class/net/vxlan.calico/mtu; ip route show proto 202').match(/\b1[34]50\b/g);
      sh('ip link set eth0 mtu 1400');
      await vi.waitUntil(() => mtus()?.every((mtu) => mtu === '1350'), PATIENCE);
      // It is written when the kernel has been changed.
      await vi.waitUntil(() => readFileSync(join(folder, 'mtu'), 'utf8') === '1350', PATIENCE);
      const pod = await podOn(third.host, LASTING.name);
      expect(mtuOf(pod)).toBe(1350);
      await pod.remove();
      sh('ip link set eth0 mtu 1500');
      await vi.waitUntil(() => mtus()?.every((mtu) => mtu === '1450'), PATIENCE);
      expect(await labDifferences(lab)).toEqual([]);
    });

    it('follow a host to its new address', async () => {
      const [first, second, third] = lasting;
      // Its connections to etcd hang from now on: the agent makes others.
      second.host.sh(`
        ip address del ${second.host.ipv4}/24 dev eth0
        ip address add 10.50.0.22/24 dev eth0
        ip route add default via 10.50.0.1
      `);
      const isKnown = () => hasRoute(lab.host(1), 'via 10.50.0.22 dev eth0');
      await vi.waitUntil(isKnown, PATIENCE);
      expect(await labDifferences(lab)).toEqual([]);
      for (const from of [first, third]) expect(await answers(from.netns, second.ipv4)).toBe(true);
    });
  });
});

function podOn(host: LabHost, pool: string): Promise<LabPod> {
  return host.makePod({ conf: { ipam: { type: 'calico-ipam', ipv4_pools: [pool] } } });
}

function hasRoute(host: LabHost, text: string): boolean {
  return host.sh('ip route').includes(text);
}

async function logged({ agent }: LabHost, pattern: RegExp): Promise<void> {
  await vi.waitUntil(() => pattern.test(agent?.log() ?? ''), PATIENCE);
}

async function blockKeysOf(lab: AgentLab, { cidr }: { readonly cidr: string }): Promise<readonly string[]> {
  const start = cidr.replace(/0\.0\/.*/, '');
  return Array.from((await lab.etcd.list(`${BLOCKS}ipv4/block/${start}`)).keys());
}

async function allAnswered(pods: readonly LabPod[]): Promise<boolean> {
  return (await tryEach(pods, 'ipv4')).every(({ isAnswered }) => isAnswered);
}
