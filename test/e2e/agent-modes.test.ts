/** Agents on three hosts, and every mode that a pool can have: who reaches whom, and how packets travel. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type AgentLab, type LabHost, type LabPod, makeAgentLab, PATIENCE } from '../support/agent-lab.ts';
import { formatPacket } from '../support/captured-packet.ts';
import { writePool } from '../support/cluster.ts';
import { labDifferences } from '../support/lab-differences.ts';
import { type TestNetns, whyNoNetns } from '../support/netns.ts';
import { answers } from '../support/ping.ts';
import { startPing } from '../support/ping-stream.ts';
import {
  changeMode,
  overheadOf,
  POOL_MODES,
  type PodFamily,
  type PoolMode,
  packetOnWire,
  wayBetween,
} from '../support/pool-modes.ts';
import { mtuOf, sourceSeen, tryEach } from '../support/reachability.ts';
import { routerAddresses } from '../support/two-subnets.ts';

const why = whyNoNetns();
const { vxlan, vxlanCrossSubnet, unencapsulated, ipip } = POOL_MODES;
const CHANGES = [vxlan, vxlanCrossSubnet, unencapsulated, vxlan];
/** IPv6 comes second: with both, all pods get the smaller packets of IPv6. */
const FAMILIES = [
  { family: 'ipv4', pool: { name: 'pods', cidr: '10.77.0.0/16' }, largest: 1450 },
  { family: 'ipv6', pool: { name: 'pods-v6', cidr: 'fd00:77::/48' }, largest: 1430 },
] as const;
/** Its pods are seen with their own address everywhere. */
const QUIET = { name: 'quiet', cidr: '10.78.0.0/16' };
const TUNNELLED = { name: 'tunnelled', cidr: '10.79.0.0/16' };

describe.skipIf(why !== undefined)(`pools${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  const stack = new AsyncDisposableStack();
  let lab: AgentLab;

  beforeAll(async () => {
    lab = stack.use(await makeAgentLab({ env: { IP6: 'autodetect' } }));
    await writePool(lab.etcd, FAMILIES[0].pool.name, FAMILIES[0].pool.cidr, vxlan.spec);
    await lab.startAgents();
  });
  afterAll(() => stack.disposeAsync());

  describe.each(FAMILIES)('of $family', ({ family, pool, largest }) => {
    let pods: readonly [LabPod, LabPod, LabPod, LabPod];

    beforeAll(async () => {
      await changeMode(lab, pool, vxlan, []);
      const isMade = ({ sh }: LabHost) => sh('ip link').includes(DEVICES[family]);
      await vi.waitUntil(() => lab.hosts.every((each) => isMade(each) && podMtu(each) === largest), PATIENCE);
      const on = (number: number) => podOn(host(number), pool);
      pods = await Promise.all([on(1), on(2), on(3), on(1)]);
    });

    it.each(CHANGES)(
      'let all pods reach each other with full packets, the right way: $name',
      async (mode) => {
        await changeMode(lab, pool, mode, pods);
        expect(pods.map(mtuOf)).toEqual(pods.map(() => largest));
        await expectReach(pods, mode, family);
        expect(await labDifferences(lab)).toEqual([]);
      },
    );

    it.each(CHANGES)('let hosts reach the pods of others: $name', async (mode) => {
      await changeMode(lab, pool, mode, pods);
      const tunnelAddress = host(1).sh(`ip -o address show ${DEVICES[family]} scope global || true`);
      for (const { to, way } of pods.map((to) => ({ to, way: wayBetween(mode, host(1), to.host) }))) {
        if (to.host === host(1) || way === 'none') continue;
        const source = await sourceSeen(host(1).netns, to.netns, 'eth0', to[family]);
        if (way === 'direct') expect(source).toBe(host(1)[family]);
        else expect(tunnelAddress).toContain(` ${source}/`);
        expect(await answers(to.netns, host(1)[family])).toBe(true);
      }
    });

    it('show a pod with its own address to pods, and with its node’s to all others', async () => {
      await changeMode(lab, pool, vxlanCrossSubnet, pods);
      const [first, second, third] = pods;
      const seenAt = (netns: TestNetns, ifName: string, address: string) =>
        sourceSeen(first.netns, netns, ifName, address);
      expect(await seenAt(second.netns, 'eth0', second[family])).toBe(first[family]);
      expect(await seenAt(third.netns, 'eth0', third[family])).toBe(first[family]);
      expect(await seenAt(host(3).netns, 'eth0', host(3)[family])).toBe(host(1)[family]);
      expect(await seenAt(lab.router, 'br50', routerAddresses(50)[family])).toBe(host(1)[family]);
      expect(await answers(first.netns, routerAddresses(60)[family])).toBe(true);
    });

    it('lose no packet while their mode changes', async () => {
      await changeMode(lab, pool, vxlan, pods);
      const [first, second, third] = pods;
      const streams = [second, third].map((to) => startPing(first.netns, to[family], 5));
      for (const mode of [vxlanCrossSubnet, vxlan, vxlanCrossSubnet, vxlan]) {
        await changeMode(lab, pool, mode, pods);
        await Promise.all(streams.map((stream) => stream.answers(25)));
      }
      for (const stream of streams) {
        const { answered, lost } = await stream.stop();
        expect(lost).toEqual([]);
        expect(answered).toBeGreaterThanOrEqual(100);
      }
      await changeMode(lab, pool, vxlanCrossSubnet, pods);
      const direct = startPing(first.netns, second[family], 5);
      for (const mode of [unencapsulated, vxlanCrossSubnet]) {
        await changeMode(lab, pool, mode, pods);
        await direct.answers(25);
      }
      expect((await direct.stop()).lost).toEqual([]);
    });

    it('tell pods that were made for larger packets what fits into the tunnel', async () => {
      await changeMode(lab, pool, unencapsulated, pods);
      const [, , third] = pods;
      await vi.waitUntil(() => podMtu(host(1)) > largest, PATIENCE);
      const made = await podOn(host(1), pool);
      expect(mtuOf(made)).toBeGreaterThan(largest);
      await changeMode(lab, pool, vxlan, pods);
      expect(await answers(made.netns, third[family], mtuOf(made))).toBe(false);
      expect(made.sh(`ip route get ${third[family]}`)).toContain(` mtu ${largest}`);
      expect(await answers(made.netns, third[family], largest)).toBe(true);
      await made.remove();
    });

    it('without encapsulation: agents say who is behind a router, and which mode is needed', async () => {
      await changeMode(lab, pool, unencapsulated, pods);
      const said = (names: string) =>
        new RegExp(`no route is made to pods of ${names}:.*CrossSubnet.* subject="IPv${family.at(-1)} `);
      await vi.waitUntil(() => said('node3').test(host(1).agent?.log() ?? ''), PATIENCE);
      await vi.waitUntil(() => said('node1, node2').test(host(3).agent?.log() ?? ''), PATIENCE);
      const routes = host(3).sh(`ip -${family.at(-1)} route show proto 202`);
      expect(routes).toMatch(/^blackhole/);
      expect(routes).not.toContain('via');
      await changeMode(lab, pool, vxlan, pods);
    });
  });

  it('without natOutgoing: their pods are seen with their own address, until it is switched on', async () => {
    const change = (natOutgoing: boolean) =>
      changeMode(lab, { ...QUIET, spec: { natOutgoing } }, vxlanCrossSubnet, []);
    await change(false);
    const pod = await podOn(host(1), QUIET);
    const seen = () => sourceSeen(pod.netns, lab.router, 'br50', routerAddresses(50).ipv4);
    expect(await seen()).toBe(pod.ipv4);
    await change(true);
    await vi.waitUntil(async () => (await seen()) === host(1).ipv4, PATIENCE);
    await change(false);
    await vi.waitUntil(async () => (await seen()) === pod.ipv4, PATIENCE);
    expect(await labDifferences(lab)).toEqual([]);
  });

  it('with IPIP: it works where the kernel has it, and else is refused loudly, alone', async () => {
    await writePool(lab.etcd, TUNNELLED.name, TUNNELLED.cidr, ipip.spec);
    const isRefused = ({ agent }: LabHost) =>
      /\[ERROR\].*the kernel has no module ipip/.test(agent?.log() ?? '');
    const isMade = ({ sh }: LabHost) => sh('ip link').includes('tunl0');
    await vi.waitUntil(() => lab.hosts.every((host) => isRefused(host) || isMade(host)), PATIENCE);
    const pods = await Promise.all(lab.hosts.map((host) => podOn(host, TUNNELLED)));
    if (lab.hosts.every(isMade)) {
      await changeMode(lab, TUNNELLED, ipip, pods);
      await expectReach(pods, ipip, 'ipv4');
    } else {
      for (const { isAnswered } of await tryEach(pods, 'ipv4')) expect(isAnswered).toBe(false);
      expect(await labDifferences(lab)).toEqual([]);
    }
    const others = await Promise.all(lab.hosts.map((host) => podOn(host, FAMILIES[0].pool)));
    await changeMode(lab, FAMILIES[0].pool, vxlan, others);
    await expectReach(others, vxlan, 'ipv4');
  });

  const host = (number: number) => lab.host(number);
});

const DEVICES = { ipv4: 'vxlan.calico', ipv6: 'vxlan-v6.calico' } as const;

/** What the agent tells plugins, once its round is over. */
function podMtu({ folder }: LabHost): number {
  return Number(readFileSync(join(folder, 'mtu'), 'utf8'));
}

function podOn(
  host: LabHost,
  { name, cidr }: { readonly name: string; readonly cidr: string },
): Promise<LabPod> {
  const wanted = cidr.includes(':')
    ? { assign_ipv4: 'false', assign_ipv6: 'true', ipv6_pools: [name] }
    : { ipv4_pools: [name] };
  return host.makePod({ conf: { ipam: { type: 'calico-ipam', ...wanted } } });
}

async function expectReach(pods: readonly LabPod[], mode: PoolMode, family: PodFamily): Promise<void> {
  const reaches = await tryEach(pods, family);
  for (const { from, to, isAnswered, isLargerRefused, onWire } of reaches) {
    const way = from.host === to.host ? 'direct' : wayBetween(mode, from.host, to.host);
    const pair = `${from.host.name} ${from[family]} to ${to.host.name} ${to[family]}`;
    expect.soft(isAnswered, pair).toBe(way !== 'none');
    expect.soft(isLargerRefused, pair).toBe(true);
    expect.soft(onWire && formatPacket(onWire), pair).toBe(packetOnWire(mode, from, to, family));
    if (onWire !== undefined) expect.soft(onWire.bytes, pair).toBe(mtuOf(from) + overheadOf(way, family));
  }
}
