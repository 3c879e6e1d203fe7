/** What others have on the host stays as it is; what a Felix that has ended left there is used on. */

import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createLog } from '../../../src/base/log.ts';
import { systemRandom } from '../../../src/base/system-random.ts';
import { applyChanges } from '../../../src/node/apply-changes.ts';
import { unknownCluster } from '../../../src/node/cluster.ts';
import { keepHost } from '../../../src/node/host-consumer.ts';
import { findOtherAgents } from '../../../src/node/kernel/surroundings.ts';
import { realClock } from '../../support/clock.ts';
import { makeNetns, moveTo, type TestNetns, whyNoNetns } from '../../support/netns.ts';
import { startPing } from '../../support/ping-stream.ts';
import { findTool, requireTool } from '../../support/tools.ts';
import { blockRecord, poolRecord } from '../../unit/node/records.ts';
import {
  type Fabric,
  HOSTS,
  makeFabric,
  RECORDS,
  startAgent,
  UNTIL_ADDRESSES_COUNT,
  until,
} from './fabric.ts';

const why = whyNoNetns();
const withoutNft = findTool('nft') === undefined;
const POOL = poolRecord('v4', '10.77.0.0/16', { vxlanMode: 'CrossSubnet', natOutgoing: true });
/** In its place: no tunnel, and no block in it. */
const OTHER_POOL = poolRecord('v4', '192.168.99.0/24', { vxlanMode: 'Never' });

/** As other programs have it: routing daemons, an administrator, another overlay, a firewall. */
const FOREIGN = `
  ip route add 172.20.0.0/16 via 10.50.0.1 proto static
  ip route add 10.77.99.0/24 via 10.50.0.12 proto static
  ip route add 172.21.0.0/16 via 10.50.0.1 proto bird metric 32
  ip route add blackhole 10.76.1.0/26 proto bird metric 32
  ip route add 172.22.0.0/16 via 10.50.0.1 proto zebra
  ip route add 10.78.1.0/24 via 10.50.0.12 proto 80
  ip route add 10.77.161.192/28 via 10.50.0.1 table 100 proto 202
  ip route add unreachable 172.23.0.0/16
  ip -6 route add 2001:db8:99::/64 via 2001:db8:50::1 proto static
  ip rule add from 172.20.0.0/16 lookup 100 priority 1000
  ip link add flannel.1 type vxlan id 1 local 10.50.0.11 dev eth0 dstport 8472 nolearning
  ip link set flannel.1 up
  ip neigh add 10.244.1.0 lladdr 66:00:00:00:00:01 dev flannel.1 nud permanent
  bridge fdb append 66:00:00:00:00:01 dev flannel.1 dst 10.50.0.12 self permanent
  ip link add br-other type bridge
  ip address add 172.30.0.1/16 dev br-other
  ip link add calico0 type veth peer name calico1
  ip neigh add 10.50.0.77 lladdr 02:00:00:00:00:77 dev eth0 nud permanent
`;
const FOREIGN_TABLES = `
  nft add table inet firewall
  nft 'add chain inet firewall input { type filter hook input priority 0; policy accept; }'
  nft 'add rule inet firewall input tcp dport 22 accept'
  nft add table ip calico
  nft 'add chain ip calico cali-PREROUTING'
  nft add table ip6 calico-nodes
`;
const PICTURE = `
  ip -d -o link | sed 's/ numtxqueues.*//'; ip -o address; ip rule
  ip route show table all; ip -6 route show table all; ip neigh show nud permanent
  for dev in flannel.1 eth0; do bridge fdb show dev $dev; done
  ${withoutNft ? 'true' : "nft list tables | grep -v 'calico-node$'; nft list table inet firewall; nft list table ip calico"}
`;

/** All but what the agent keeps: its device, and the routes of its number in the main table. */
function foreignPicture(host: TestNetns): string {
  const isOurs = (line: string) =>
    /vxlan\.calico/.test(line) || (/proto 202/.test(line) && !/table 100/.test(line));
  return linesOf(host.sh(PICTURE))
    .filter((line) => !isOurs(line))
    .join('\n');
}

function linesOf(text: string): readonly string[] {
  return text.split('\n').map((line) => line.trimEnd());
}

describe.skipIf(why !== undefined)(`beside others${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let fabric: Fabric;
  let host: TestNetns;

  beforeAll(() => {
    fabric = makeFabric();
    host = fabric.hosts.node1;
    host.sh(FOREIGN + UNTIL_ADDRESSES_COUNT);
    if (!withoutNft) host.sh(FOREIGN_TABLES);
  });
  afterAll(() => fabric[Symbol.dispose]());

  it('the agent touches nothing that is not its own, in all that it does', async () => {
    const before = foreignPicture(host);
    using agent = startAgent(host, 'node1', RECORDS);
    const tell = async (records: typeof RECORDS) => {
      expect(await agent.tell(records)).toMatchObject({ failures: [] });
      await agent.quiet();
      expect(foreignPicture(host)).toBe(before);
    };
    await tell([POOL]);
    expect(host.sh('ip route')).toContain('10.77.161.192/28 via 10.77.161.192 dev vxlan.calico proto 202');
    await tell([poolRecord('v4', '10.77.0.0/16', { vxlanMode: 'Always' })]);
    await tell([{ key: blockRecord(HOSTS.node3.block, 'host:node3').key, text: undefined }]);
    await tell(RECORDS);
    host.sh('ip link del vxlan.calico');
    await tell([POOL]);
    await tell([OTHER_POOL]);
    expect(host.sh('ip route show proto 202; ip -o link')).not.toMatch(/10\.77|vxlan\.calico/);
  });

  it('a route of somebody else where ours belongs stays, and is told', async () => {
    host.sh('ip route add 10.77.101.80/28 via 10.50.0.1 proto static');
    onTestFinished(() => void host.sh('ip route del 10.77.101.80/28'));
    using agent = startAgent(host, 'node1', RECORDS);
    const { findings } = await agent.tell([POOL]);
    expect(findings).toContainEqual(
      expect.objectContaining({ kind: 'foreign-route', severity: 'error', subject: '10.77.101.80/28' }),
    );
    await agent.quiet();
    expect(host.sh('ip route show 10.77.101.80/28').trimEnd()).toBe(
      '10.77.101.80/28 via 10.50.0.1 dev eth0 proto static',
    );
  });

  it('an interface of somebody else with the name of ours stays, and is told', async () => {
    using agent = startAgent(host, 'node1', RECORDS);
    await agent.tell([OTHER_POOL]);
    await agent.quiet();
    await agent.afterShell('ip link add vxlan.calico type bridge');
    onTestFinished(() => void host.sh('ip link del vxlan.calico'));
    const { findings, failures } = await agent.tell([POOL]);
    expect(failures).toEqual([]);
    expect(findings).toContainEqual(
      expect.objectContaining({ kind: 'foreign-link', subject: 'vxlan.calico' }),
    );
    expect(host.sh('ip -d -o link show vxlan.calico')).toContain('bridge');
  });
});

/** As Felix leaves it for a pool of mode Always: its protocol numbers, its metric for the pod. */
const OF_FELIX = `
  ip link add vxlan.calico type vxlan id 4096 local 10.50.0.11 dev eth0 dstport 4789 nolearning
  ip link set vxlan.calico address 66:f9:37:c3:7e:94 mtu 1450
  ip address add 10.77.180.112/32 dev vxlan.calico
  ip link set vxlan.calico up
  ip neigh add 10.77.101.80 lladdr 66:2d:bf:44:a6:8b dev vxlan.calico nud permanent
  ip neigh add 10.77.161.192 lladdr 66:a4:6f:e0:c4:da dev vxlan.calico nud permanent
  bridge fdb add 66:2d:bf:44:a6:8b dev vxlan.calico dst 10.50.0.12 self permanent
  bridge fdb add 66:a4:6f:e0:c4:da dev vxlan.calico dst 10.60.0.13 self permanent
  ip route add 10.77.101.80/28 via 10.77.101.80 dev vxlan.calico proto boot onlink mtu 1450
  ip route add 10.77.161.192/28 via 10.77.161.192 dev vxlan.calico proto boot onlink mtu 1450
  ip route add 10.77.7.0/28 via 10.77.7.0 dev vxlan.calico proto boot onlink mtu 1450
  ip route add blackhole 10.77.180.112/28 proto 80
  ip route del 10.77.180.113/32
  ip route add 10.77.180.113/32 dev cali1 proto boot scope link metric 1024
`;

describe.skipIf(why !== undefined)('on a host that was Felix’s', () => {
  it('the device and its entries are used on, routes are replaced in place, and no packet is lost', async () => {
    using fabric = makeFabric();
    const host = fabric.hosts.node1;
    host.sh(OF_FELIX);
    using peer = startAgent(fabric.hosts.node3, 'node3', RECORDS);
    const always = poolRecord('v4', '10.77.0.0/16', { vxlanMode: 'Always', natOutgoing: true });
    await peer.tell([always]);
    await peer.quiet();
    const indexBefore = host.sh('cat /sys/class/net/vxlan.calico/ifindex');
    const stream = startPing(fabric.pods.node1, HOSTS.node3.pod, 10);
    await until('answers', () => stream.answered() > 5);
    using agent = startAgent(host, 'node1', RECORDS);

    const { steps, failures } = await agent.tell([always]);

    expect(failures).toEqual([]);
    expect(steps.map((step) => step.do).filter((what) => what !== 'write-sysctl')).toEqual([
      ...['replace-route', 'replace-route', 'replace-route', 'delete-route'],
    ]);
    await agent.quiet();
    expect(host.sh('cat /sys/class/net/vxlan.calico/ifindex')).toBe(indexBefore);
    expect(linesOf(host.sh('ip route | grep 10.77'))).toEqual([
      '10.77.101.80/28 via 10.77.101.80 dev vxlan.calico proto 202 onlink mtu 1450',
      '10.77.161.192/28 via 10.77.161.192 dev vxlan.calico proto 202 onlink mtu 1450',
      'blackhole 10.77.180.112/28 proto 202',
      '10.77.180.113 dev cali1 scope link metric 1024',
    ]);
    const answered = stream.answered();
    await until('more answers', () => stream.answered() > answered + 5);
    expect((await stream.stop()).lost).toEqual([]);
  });
});

describe.skipIf(why !== undefined)('beside BIRD', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bird-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** What the agent logs in its first round. */
  async function firstRound(host: TestNetns, programClusterRoutes = 'EnabledIPIPOnly'): Promise<string> {
    using _here = moveTo(host);
    const lines: string[] = [];
    const log = createLog({
      ...{ level: 'info', pid: 1, nowNs: realClock.nowNs, context: {} },
      write: (line) => void lines.push(line),
    });
    const ports = { clock: realClock, random: systemRandom, log, mtuFile: join(folder, 'mtu') };
    using consumer = keepHost(ports);
    const pool = poolRecord('v4', '10.77.0.0/16', { vxlanMode: 'Never' });
    const state = applyChanges(unknownCluster('node1', { programClusterRoutes }), [...RECORDS, pool]);
    consumer.onCluster(state, { changes: [], revision: '1', cause: 'picture' });
    await consumer.ready;
    return lines.join('');
  }

  it('its routes stay while it runs, also where both shall make them, and give way to ours when it has gone', async () => {
    using fabric = makeFabric();
    const host = fabric.hosts.node1;
    host.sh(`ip route add 10.77.101.80/28 via 10.50.0.12 dev eth0 proto bird onlink
      ip route add blackhole 10.77.180.112/28 proto bird`);
    const program = join(folder, 'bird');
    copyFileSync('/bin/sleep', program);
    const bird = spawn(requireTool('ip'), ['netns', 'exec', host.name, program, '60']);
    onTestFinished(() => void bird.kill('SIGKILL'));
    await until('BIRD runs', () => findOtherAgents().isBirdRunning);

    const log = await firstRound(host);

    expect(log).not.toContain('foreign-route');
    expect(log).not.toContain('host: a step failed');
    expect(host.sh('ip route show proto 202')).toBe('');
    expect(host.sh('ip route show proto bird')).toContain('10.77.101.80/28 via 10.50.0.12 dev eth0 onlink');

    const told = await firstRound(host, 'Enabled');
    expect(told).toContain('BIRD runs on this host, and both it and this agent make');
    expect(told.match(/finding="foreign-route"/g)).toHaveLength(2);
    expect(host.sh('ip route show proto 202')).toBe('');

    bird.kill('SIGKILL');
    await until('BIRD has gone', () => !findOtherAgents().isBirdRunning);
    await firstRound(host);
    expect(host.sh('ip route show proto bird')).toBe('');
    expect(host.sh('ip route show proto 202')).toContain('10.77.101.80/28 via 10.50.0.12 dev eth0');
  });
});

describe.skipIf(why !== undefined)('findOtherAgents()', () => {
  const folder = mkdtempSync(join(tmpdir(), 'others-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** A process of that name in the namespace. */
  async function startIn(netns: TestNetns, name: string): Promise<void> {
    const program = join(folder, netns.name, name);
    mkdirSync(dirname(program));
    copyFileSync('/bin/sleep', program);
    const child: ChildProcess = spawn(requireTool('ip'), ['netns', 'exec', netns.name, program, '60']);
    onTestFinished(() => void child.kill('SIGKILL'));
    // What it is called is the name of the file: until then it is still `ip`.
    const commandLine = () => readFileSync(`/proc/${child.pid}/cmdline`, 'utf8');
    await until('it runs', () => commandLine().startsWith(program));
  }

  it.each([
    ['calico-felix', { isFelixRunning: true, isBirdRunning: false }],
    ['bird', { isFelixRunning: false, isBirdRunning: true }],
  ])('sees %s in its own network, and not one in another', async (name, expected) => {
    using here = makeNetns('here');
    using there = makeNetns('there');
    using _inside = moveTo(here);
    await startIn(there, name);
    expect(findOtherAgents()).toEqual({ isFelixRunning: false, isBirdRunning: false });
    await startIn(here, name);
    expect(findOtherAgents()).toEqual(expected);
  });
});
