/** Agents on three hosts with other settings than the usual ones. */

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type AgentLab, type LabPod, makeAgentLab, PATIENCE } from '../support/agent-lab.ts';
import { formatPacket } from '../support/captured-packet.ts';
import { labDifferences } from '../support/lab-differences.ts';
import { whyNoNetns } from '../support/netns.ts';
import { answers } from '../support/ping.ts';
import { changeMode, POOL_MODES, packetOnWire } from '../support/pool-modes.ts';
import { sourceSeen, tryEach } from '../support/reachability.ts';

const why = whyNoNetns();
const { vxlan, vxlanCrossSubnet } = POOL_MODES;

describe.skipIf(why !== undefined)(`agents${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  it('need no IPv4', async () => {
    await using lab = await makeAgentLab({ env: { IP: 'none', IP6: 'autodetect' } });
    const pool = { name: 'six', cidr: 'fd00:77::/48' };
    await changeMode(lab, pool, vxlanCrossSubnet, []);
    await lab.startAgents();
    const ipam = { type: 'calico-ipam', assign_ipv4: 'false', assign_ipv6: 'true' };
    const pods = await Promise.all(lab.hosts.map((host) => host.makePod({ conf: { ipam } })));
    await changeMode(lab, pool, vxlanCrossSubnet, pods);
    for (const { from, to, isAnswered, onWire } of await tryEach(pods, 'ipv6')) {
      expect.soft(isAnswered).toBe(true);
      expect.soft(onWire && formatPacket(onWire)).toBe(packetOnWire(vxlanCrossSubnet, from, to, 'ipv6'));
    }
    expect(await labDifferences(lab)).toEqual([]);
  });

  describe('follow the FelixConfiguration at once', () => {
    const stack = new AsyncDisposableStack();
    const pool = { name: 'four', cidr: '10.77.0.0/16' };
    let lab: AgentLab;
    let pods: readonly [LabPod, LabPod, LabPod];

    beforeAll(async () => {
      lab = stack.use(await makeAgentLab());
      await changeMode(lab, pool, vxlan, []);
      await lab.startAgents();
      const on = (number: number) => lab.host(number).makePod();
      pods = await Promise.all([on(1), on(2), on(3)]);
      await changeMode(lab, pool, vxlan, pods);
    });
    afterAll(() => stack.disposeAsync());

    /** As the only settings there are. */
    function configure(spec: object): Promise<void> {
      const metadata = { name: 'default' };
      const resource = { kind: 'FelixConfiguration', apiVersion: 'projectcalico.org/v3', metadata, spec };
      const key = '/calico/resources/v3/projectcalico.org/felixconfigurations/default';
      return lab.etcd.put(key, JSON.stringify(resource));
    }

    const devices = () => lab.hosts.map(({ sh }) => sh('ip -d link'));

    it('with another network identifier, and back', async () => {
      for (const [spec, vni] of [
        [{ vxlanVNI: 5000 }, 5000],
        [{}, 4096],
      ] as const) {
        await configure(spec);
        await vi.waitUntil(() => devices().every((text) => text.includes(`vxlan id ${vni} `)), PATIENCE);
        expect(await labDifferences(lab)).toEqual([]);
        for (const { isAnswered, onWire } of await tryEach(pods, 'ipv4')) {
          expect.soft(isAnswered).toBe(true);
          expect.soft(onWire?.tunnelled?.by).toBe(`VXLAN ${vni}`);
        }
      }
    });

    it('with the hosts among those that see pods as they are', async () => {
      const [first, , third] = pods;
      const seen = () => sourceSeen(first.netns, third.host.netns, 'eth0', third.host.ipv4);
      expect(await seen()).toBe(first.host.ipv4);
      await configure({ natOutgoingExclusions: 'IPPoolsAndHostIPs' });
      await vi.waitUntil(async () => (await seen()) === first.ipv4, PATIENCE);
      expect(await labDifferences(lab)).toEqual([]);
      await configure({});
      await vi.waitUntil(async () => (await seen()) === first.host.ipv4, PATIENCE);
    });

    it('with smaller packets, which pods are told that were made before', async () => {
      await configure({ vxlanMTU: 1400 });
      await vi.waitUntil(() => devices().every((text) => text.includes(' mtu 1400 ')), PATIENCE);
      expect(await labDifferences(lab)).toEqual([]);
      const [first, , third] = pods;
      expect(await answers(first.netns, third.ipv4, 1450)).toBe(false);
      expect(await answers(first.netns, third.ipv4, 1400)).toBe(true);
    });
  });
});
