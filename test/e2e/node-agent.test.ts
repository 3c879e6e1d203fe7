/** Three hosts, an etcd and our executable alone: agents make the pods of different hosts reach each other. */

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type AgentLab, type LabHost, type LabPod, makeAgentLab, PATIENCE } from '../support/agent-lab.ts';
import { writePool } from '../support/cluster.ts';
import { whyNoNetns } from '../support/netns.ts';

const why = whyNoNetns();

describe.skipIf(why !== undefined)(`calico node${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let lab: AgentLab;
  let pods: readonly LabPod[];

  beforeAll(async () => {
    lab = await makeAgentLab();
    await writePool(lab.etcd, 'vxlan', '10.77.0.0/16', { vxlanMode: 'CrossSubnet' });
    await lab.startAgents();
    pods = await Promise.all(lab.hosts.map((host) => host.makePod()));
  });
  afterAll(() => lab[Symbol.asyncDispose]());

  const reaches = (from: LabPod, to: LabPod, size = 56) => {
    try {
      from.sh(`ping -c 1 -W 1 -M do -s ${size} ${to.ipv4}`);
      return true;
    } catch {
      return false;
    }
  };
  const podRoutes = (host: LabHost) =>
    host.sh('ip route; ip neigh show dev vxlan.calico; bridge fdb show dev vxlan.calico');

  it('lets every pod reach every other, with packets of full size, directly or through the tunnel', async () => {
    const pairs = pods.flatMap((from) => pods.filter((to) => to !== from).map((to) => ({ from, to })));
    for (const { from, to } of pairs) {
      await vi.waitUntil(() => reaches(from, to), PATIENCE);
      expect(reaches(from, to, 1450 - 28)).toBe(true);
    }
    const routes = lab.hosts[0]?.sh('ip route');
    expect(routes).toMatch(/via 10\.50\.0\.12 dev eth0 .*onlink/);
    expect(routes).toMatch(/via 10\.77\.\S+ dev vxlan\.calico .*onlink/);
    expect(routes).toContain('blackhole 10.77.');
  });

  it('loses no packet when an agent is killed and another takes its place', async () => {
    const [first, , third] = pods as [LabPod, LabPod, LabPod];
    await first.host.agent?.kill();
    expect(reaches(first, third)).toBe(true);
    const before = podRoutes(first.host);
    const agent = first.host.startAgent();
    await agent.ready;
    expect(agent.log()).not.toContain('host: changed');
    expect(podRoutes(first.host)).toBe(before);
    expect(reaches(first, third)).toBe(true);
  });

  it('puts back what somebody takes away', async () => {
    const [first, , third] = pods as [LabPod, LabPod, LabPod];
    first.host.sh('ip link del vxlan.calico');
    await vi.waitUntil(() => reaches(first, third), PATIENCE);
  });
});
