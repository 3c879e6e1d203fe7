/**
 * A cluster of two hosts with our agent and one with Felix, which is made of the commands that amount to what Felix does:
 * a record of its node, a device, neighbours, forwarding entries and routes, and no VXLAN from strangers.
 */

import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type AgentLab, type LabPod, makeAgentLab, PATIENCE } from '../support/agent-lab.ts';
import { writePool } from '../support/cluster.ts';
import { type TestNetns, whyNoNetns } from '../support/netns.ts';
import { answers } from '../support/ping.ts';

const why = whyNoNetns();
const RESOURCES = '/calico/resources/v3/projectcalico.org';
const BLOCKS = '/calico/ipam/v2/assignment/ipv4/block/';
const FELIX = { name: 'node2', address: '10.50.0.12', tunnel: '10.77.101.64', block: '10.77.101.64/26' };
const MTU = 1450;

/** `f` and the beginning of the name's SHA-1. */
function tunnelMac(nodeName: string): string {
  const digest = createHash('sha1').update(nodeName).digest('hex').slice(0, 10);
  return ['66', ...(digest.match(/../g) ?? [])].join(':');
}

describe.skipIf(why !== undefined)(
  `a host with Felix among hosts with our agent${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    const stack = new AsyncDisposableStack();
    let lab: AgentLab;
    let pods: readonly LabPod[];

    beforeAll(async () => {
      lab = stack.use(await makeAgentLab());
      await writePool(lab.etcd, 'four', '10.77.0.0/16', { vxlanMode: 'Always' });
      await writeFelixNode();
      await Promise.all([1, 3].map((number) => lab.host(number).startAgent().ready));
      const ofFelix = { conf: { nodename: FELIX.name, nodename_file_optional: true } };
      pods = await Promise.all([lab.host(1).makePod(), lab.host(2).makePod(ofFelix), lab.host(3).makePod()]);
    });
    afterAll(() => stack.disposeAsync());

    /** As calico/node and Calico's IPAM write it, with the tunnel's address at the block's beginning. */
    async function writeFelixNode(): Promise<void> {
      const { etcd } = lab;
      const node = {
        ...{ kind: 'Node', apiVersion: 'projectcalico.org/v3', metadata: { name: FELIX.name } },
        spec: { bgp: { ipv4Address: `${FELIX.address}/24` }, ipv4VXLANTunnelAddr: FELIX.tunnel },
        status: {},
      };
      const handle = `vxlan-tunnel-addr-${FELIX.name}`;
      const free = Array.from({ length: 63 }, (_, index) => index + 1);
      const block = {
        ...{ cidr: FELIX.block, affinity: `host:${FELIX.name}` },
        allocations: [0, ...free.map(() => null)],
        unallocated: free,
        attributes: [{ handle_id: handle, secondary: { node: FELIX.name, type: 'vxlanTunnelAddress' } }],
        ...{ sequenceNumber: 1, sequenceNumberForAllocation: { 0: 0 }, deleted: false },
      };
      const affinity = { state: 'confirmed', deleted: 'false' };
      const key = FELIX.block.replace('/', '-');
      await etcd.put(`${RESOURCES}/nodes/${FELIX.name}`, JSON.stringify(node));
      await etcd.put(`${BLOCKS}${key}`, JSON.stringify(block));
      await etcd.put(
        `/calico/ipam/v2/handle/${handle}`,
        JSON.stringify({ handleID: handle, block: { [FELIX.block]: 1 }, deleted: false }),
      );
      await etcd.put(`/calico/ipam/v2/host/${FELIX.name}/ipv4/block/${key}`, JSON.stringify(affinity));
    }

    /** What Felix reads of the others, from etcd alone. */
    async function peers() {
      const nodes = await lab.etcd.list(`${RESOURCES}/nodes/`);
      const blocks = Array.from((await lab.etcd.list(BLOCKS)).values(), (text) => JSON.parse(text));
      return Array.from(nodes.values(), (text) => JSON.parse(text))
        .filter(({ metadata }) => metadata.name !== FELIX.name)
        .map(({ metadata: { name }, spec }) => ({
          address: spec.bgp.ipv4Address.replace(/\/.*/, ''),
          tunnel: spec.ipv4VXLANTunnelAddr,
          mac: spec.vxlanTunnelMACAddr ?? tunnelMac(name),
          blocks: blocks.filter(({ affinity }) => affinity === `host:${name}`).map(({ cidr }) => cidr),
        }));
    }

    /** `direct`: addresses of hosts that are reached without the tunnel. */
    async function actAsFelix(direct: readonly string[]): Promise<void> {
      const known = await peers();
      expect(known).toHaveLength(2);
      const { sh } = lab.host(2);
      sh(`
        ip link del vxlan.calico 2>/dev/null || true
        ip link add vxlan.calico type vxlan id 4096 local ${FELIX.address} dev eth0 dstport 4789 nolearning
        ip link set vxlan.calico address ${tunnelMac(FELIX.name)} mtu ${MTU}
        ip address add ${FELIX.tunnel}/32 dev vxlan.calico
        ip link set vxlan.calico up
        ip route replace blackhole ${FELIX.block} proto 80
        echo 1 > /proc/sys/net/ipv4/ip_forward
        nft flush ruleset
        nft add table ip felix
        nft 'add chain ip felix input { type filter hook input priority 0; }'
        nft 'add rule ip felix input udp dport 4789 ip saddr != { ${known.map(({ address }) => address).join(', ')} } drop'
      `);
      for (const { address, tunnel, mac, blocks } of known) {
        const route = direct.includes(address)
          ? `via ${address} dev eth0 onlink proto 80`
          : `via ${tunnel} dev vxlan.calico onlink mtu ${MTU}`;
        sh(`
          ip neigh replace ${tunnel} lladdr ${mac} dev vxlan.calico nud permanent
          bridge fdb replace ${mac} dev vxlan.calico dst ${address} self permanent
        `);
        for (const block of blocks) sh(`ip route replace ${block} ${route}`);
      }
    }

    it.each([
      ['always', 'Always', []],
      ['across subnets only', 'CrossSubnet', ['10.50.0.11']],
    ] as const)('is reached and reaches, through tunnels %s', async (_, vxlanMode, direct) => {
      await writePool(lab.etcd, 'four', '10.77.0.0/16', { vxlanMode });
      await actAsFelix(direct);
      const device = vxlanMode === 'Always' ? 'vxlan.calico' : 'eth0';
      const routes = [[1, device] as const, [3, 'vxlan.calico'] as const];
      for (const [number, by] of routes)
        await vi.waitUntil(
          () => lab.host(number).sh(`ip route show ${FELIX.block}`).includes(`dev ${by}`),
          PATIENCE,
        );
      const [one, felix, three] = pods as readonly [LabPod, LabPod, LabPod];
      expect(felix.ipv4.startsWith('10.77.101.')).toBe(true);
      const ways: readonly (readonly [string, TestNetns, string])[] = [
        ['pod → pod with Felix', one.netns, felix.ipv4],
        ['pod with Felix → pod', felix.netns, one.ipv4],
        ['pod → pod with Felix, behind the router', three.netns, felix.ipv4],
        ['pod with Felix → pod, behind the router', felix.netns, three.ipv4],
        ['host → pod with Felix', lab.host(1).netns, felix.ipv4],
        ['host with Felix → pod', lab.host(2).netns, three.ipv4],
        ['pod → tunnel of Felix', one.netns, FELIX.tunnel],
      ];
      for (const [what, from, to] of ways) expect.soft(await answers(from, to, 1_430), what).toBe(true);
    });

    it('is cut off when its node has no tunnel any more', async () => {
      const key = `${RESOURCES}/nodes/${FELIX.name}`;
      const node = JSON.parse((await lab.etcd.get(key)) ?? '');
      await writePool(lab.etcd, 'four', '10.77.0.0/16', { vxlanMode: 'Always' });
      await lab.etcd.put(key, JSON.stringify({ ...node, spec: { bgp: node.spec.bgp } }));
      const routes = () => lab.host(3).sh(`ip route show ${FELIX.block}; ip neigh show ${FELIX.tunnel}`);
      await vi.waitUntil(() => routes().trim() === '', PATIENCE);
      await lab.etcd.put(key, JSON.stringify(node));
      await vi.waitUntil(() => routes().includes('vxlan.calico'), PATIENCE);
    });
  },
);
