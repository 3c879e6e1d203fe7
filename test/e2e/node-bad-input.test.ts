/** The whole agent and everything that can be wrong around it: each thing is named once, passed over, and the rest works. */

import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type AgentLab, type LabHost, type LabPod, makeAgentLab, PATIENCE } from '../support/agent-lab.ts';
import { writePool } from '../support/cluster.ts';
import { executable } from '../support/executable.ts';
import { whyNoNetns } from '../support/netns.ts';
import { requireTool } from '../support/tools.ts';

const why = whyNoNetns();
const RESOURCES = '/calico/resources/v3/projectcalico.org';
const BLOCKS = '/calico/ipam/v2/assignment/ipv4/block';
const MISSING_IPIP = !existsSync('/sys/module/ipip');

/** A second VXLAN node behind the same router, with a block of its own. */
const nodeText = (name: string, spec: object) =>
  JSON.stringify({ kind: 'Node', apiVersion: 'projectcalico.org/v3', metadata: { name }, spec });
const blockText = (cidr: string, node: string, size = 64) =>
  JSON.stringify({
    ...{ cidr, affinity: `host:${node}`, allocations: Array(size).fill(null), attributes: [] },
    ...{ unallocated: [], sequenceNumber: 1, deleted: false },
  });
const ghost = (address: string, tunnel: string, more: object = {}) => ({
  bgp: { ipv4Address: address },
  ipv4VXLANTunnelAddr: tunnel,
  ...more,
});

/** What is written below the prefixes that the agent watches, and a word of what it says of it. */
const RECORDS: readonly (readonly [key: string, text: string, said: string | undefined])[] = [
  [`${RESOURCES}/nodes/torn`, '{"kind":"Node","spec":{"bgp"', 'nodes/torn'],
  [`${RESOURCES}/nodes/array`, '[]', 'nodes/array'],
  [
    `${RESOURCES}/nodes/no-address`,
    nodeText('no-address', { bgp: { ipv4Address: 'eth0' } }),
    'nodes/no-address',
  ],
  [`${RESOURCES}/nodes/big`, `"${'x'.repeat(1_000_000)}"`, 'nodes/big'],
  [
    `${RESOURCES}/nodes/big-address`,
    nodeText('big-address', { bgp: { ipv4Address: '1'.repeat(1_000_000) } }),
    'nodes/big-address',
  ],
  [`${RESOURCES}/nodes/twin-1`, nodeText('twin-1', ghost('10.50.0.66/24', '10.77.250.0')), 'twin-1'],
  [`${RESOURCES}/nodes/twin-2`, nodeText('twin-2', ghost('10.50.0.66/24', '10.77.250.64')), undefined],
  [
    `${RESOURCES}/nodes/mac-1`,
    nodeText('mac-1', ghost('10.50.0.67/24', '10.77.251.0', { vxlanTunnelMACAddr: '66:00:00:00:00:01' })),
    'mac-1',
  ],
  [
    `${RESOURCES}/nodes/mac-2`,
    nodeText('mac-2', ghost('10.50.0.68/24', '10.77.251.64', { vxlanTunnelMACAddr: '66:00:00:00:00:01' })),
    undefined,
  ],
  [`${RESOURCES}/nodes/maskless`, nodeText('maskless', ghost('10.50.0.69', '10.77.252.0')), 'maskless'],
  [
    `${RESOURCES}/nodes/broadcast`,
    nodeText('broadcast', ghost('10.50.0.255/24', '10.77.253.0')),
    '10.77.253.0/26',
  ],
  [`${BLOCKS}/10.77.253.0-26`, blockText('10.77.253.0/26', 'broadcast'), undefined],
  [`${BLOCKS}/10.77.240.0-26`, 'null', '10.77.240.0-26'],
  [`${BLOCKS}/10.77.241.0-26`, blockText('10.77.241.0/33', 'node2'), '10.77.241.0-26'],
  [`${BLOCKS}/10.77.242.0-26`, blockText('10.77.242.0/26', 'node2', 50_000), '10.77.242.0-26'],
  [`${BLOCKS}/10.77.243.0-26`, blockText('10.77.243.0/26', 'nobody'), 'nobody'],
  [`${BLOCKS}/10.111.0.0-26`, blockText('10.111.0.0/26', 'node2'), '10.111.0.0/26'],
  [`${BLOCKS}/`, '{}', undefined],
  [`${BLOCKS}/not-a-cidr`, '{}', undefined],
  [`${BLOCKS}/10.77.0.0-99`, '{}', undefined],
  [`${RESOURCES}/nodes/`, '{}', undefined],
  [`${RESOURCES}/nodes/a/b/c`, 'x', undefined],
  [`${RESOURCES}/workloadendpoints/`, 'x', undefined],
  [`${RESOURCES}/workloadendpoints/default/x`, 'x', undefined],
  [`${RESOURCES}/workloadendpoints/default/node1-k8s-pod-eth0`, 'x', 'node1-k8s-pod-eth0'],
  [`${RESOURCES}/ippools/torn`, '{', 'ippools/torn'],
  [`${RESOURCES}/ippools/no-cidr`, JSON.stringify({ spec: { cidr: 'all' } }), 'ippools/no-cidr'],
  [`${RESOURCES}/felixconfigurations/node.node1`, '"x"', 'felixconfigurations/node.node1'],
  [
    `${RESOURCES}/felixconfigurations/default`,
    JSON.stringify({
      spec: { vxlanMTU: -1, vxlanPort: 0, natPortRange: '9:1', mtuIfacePattern: '(((', ipipMTU: 20 },
    }),
    'vxlanMTU',
  ],
  [`${RESOURCES}/bgpconfigurations/default`, '7', 'bgpconfigurations/default'],
];

describe.skipIf(why !== undefined)(`calico node${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let lab: AgentLab;
  let pods: readonly LabPod[];

  beforeAll(async () => {
    lab = await makeAgentLab({ subnets: [50, 50] });
    await writePool(lab.etcd, 'vx', '10.77.0.0/16', { vxlanMode: 'CrossSubnet' });
    await lab.startAgents();
    pods = [await lab.host(1).makePod(), await lab.host(2).makePod()];
    await vi.waitUntil(arePodsConnected, PATIENCE);
  });
  afterAll(() => lab[Symbol.asyncDispose]());

  function arePodsConnected(): boolean {
    const [first, second] = pods;
    try {
      first?.sh(`ping -c 1 -W 1 ${second?.ipv4}`);
      second?.sh(`ping -c 1 -W 1 ${first?.ipv4}`);
      return true;
    } catch {
      return false;
    }
  }

  const logOf = (host: LabHost) => host.agent?.log() ?? '';
  const problems = (host: LabHost) =>
    logOf(host)
      .split('\n')
      .filter((line) => /\[(?:WARNING|ERROR)\]/.test(line));
  const untilSaid = (host: LabHost, text: string) =>
    vi.waitUntil(() => problems(host).some((line) => line.includes(text)), PATIENCE);

  it('names everything that is wrong with the records, once, and routes all the rest', async () => {
    for (const [key, text] of RECORDS) await lab.etcd.put(key, text);
    await writePool(lab.etcd, 'wide', '10.64.0.0/11', { disabled: true });
    await writePool(lab.etcd, 'same-1', '10.99.0.0/16', { disabled: true });
    await writePool(lab.etcd, 'same-2', '10.99.0.0/16', { disabled: true });
    await writePool(lab.etcd, 'ipip', '10.98.0.0/16', { disabled: true, ipipMode: 'Always' });
    const host = lab.host(1);
    const said = RECORDS.flatMap(([, , word]) => word ?? []);
    said.push('pool vx', 'pool same-2', ...(MISSING_IPIP ? ['no module ipip'] : []));
    for (const word of ['vxlanPort', 'natPortRange', 'mtuIfacePattern', 'ipipMTU'])
      said.push(`: ${word} cannot`);
    for (const word of said) await untilSaid(host, word);

    expect(arePodsConnected()).toBe(true);
    const [added, cidr] = [`${BLOCKS}/10.77.200.0-26`, '10.77.200.0/26'];
    await lab.etcd.put(added, blockText(cidr, 'node2'));
    await vi.waitUntil(() => host.sh('ip route').includes(`${cidr} via 10.50.0.12 dev eth0`), PATIENCE);
    expect(host.sh('ip -d -o link show vxlan.calico')).toContain('dstport 4789');
    // What cannot be done is tried again, and is told no more.
    await sleep(2_000);
    const lines = problems(host).map((line) => line.replace(/^\S+ \S+ /, ''));
    expect(lines.filter((line, index) => lines.indexOf(line) !== index)).toEqual([]);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(1_000);
    expect(logOf(host).match(/host: changed/g)?.length).toBeLessThan(60);

    const isName = (key: string) => !key.endsWith('/');
    for (const wrong of RECORDS.map(([key]) => key).filter(isName)) await lab.etcd.remove(wrong);
    for (const pool of ['wide', 'same-1', 'same-2', 'ipip'])
      await lab.etcd.remove(`${RESOURCES}/ippools/${pool}`);
    const neighbours = () => host.sh('ip neigh show dev vxlan.calico');
    await vi.waitUntil(() => !neighbours().includes('66:00:00:00:00:01'), PATIENCE);
    expect(arePodsConnected()).toBe(true);
  });

  it('goes on after its settings of the environment are wrong, and names them', async () => {
    const host = lab.host(2);
    await host.agent?.kill('SIGTERM');
    const wrong = { FELIX_VXLANMTU: 'big', FELIX_VXLANVNI: '99999999', FELIX_IPFORWARDING: 'perhaps' };
    await host.startAgent(wrong).ready;
    for (const name of ['vxlanMTU', 'vxlanVNI', 'ipForwarding']) await untilSaid(host, `${name} cannot be`);
    expect(arePodsConnected()).toBe(true);
  });

  it.each([
    [{ IP: 'eth0' }, 'invalid IP "eth0"'],
    [{ IP_AUTODETECTION_METHOD: 'guess' }, 'invalid IP_AUTODETECTION_METHOD "guess"'],
    [{ IP_AUTODETECTION_METHOD: 'kubernetes-internal-ip', IP: 'autodetect' }, 'none is configured'],
    [{ DATASTORE_TYPE: 'kubernetes' }, 'kubernetes'],
    [{ CALICO_IPV4POOL_CIDR: '10.0.0.0' }, 'CALICO_IPV4POOL_CIDR'],
  ])('ends with %j, naming what is wrong', async (env, named) => {
    const { exitCode, stderr } = await runAgent(lab.host(2), env);
    expect(stderr).toContain(named);
    expect(exitCode).toBe(1);
  });

  it('ends without the right to change the network, and says which', async () => {
    const bounded = ['setpriv', '--bounding-set', '-net_admin', '--inh-caps', '-net_admin'];
    const { exitCode, stderr } = await runAgent(lab.host(2), {}, bounded);
    expect(stderr).toContain('CAP_NET_ADMIN');
    expect(exitCode).toBe(1);
    expect(arePodsConnected()).toBe(true);
  });

  it('works with the rights that the service of systemd has, and no other', async () => {
    const host = lab.host(2);
    await host.agent?.kill('SIGTERM');
    const unit = readFileSync(join(import.meta.dirname, '../../cni-conf/calico-node.service'), 'utf8');
    const [, rights = ''] = /^CapabilityBoundingSet=(.*)$/m.exec(unit) ?? [];
    const set = [
      '-all',
      ...rights.split(' ').map((name) => `+${name.replace('CAP_', '').toLowerCase()}`),
    ].join(',');
    host.sh('ip link del vxlan.calico; ip route flush proto 202');
    const agent = spawnAgent(host, {}, [
      'setpriv',
      '--no-new-privs',
      '--bounding-set',
      set,
      '--inh-caps',
      '-all',
    ]);
    await vi.waitUntil(arePodsConnected, PATIENCE);
    expect(agent.log()).not.toContain('a step failed');
    agent.child.kill('SIGTERM');
    await agent.ended;
    await host.startAgent().ready;
  });

  describe('beside Felix', () => {
    it('touches nothing until Felix has ended, and then takes over', async () => {
      const host = lab.host(2);
      await host.agent?.kill('SIGTERM');
      host.sh('ip route flush proto 202');
      const felix = await startOther(host, 'calico-felix');
      const agent = host.startAgent();
      await untilSaid(host, 'Felix runs on this host');
      await sleep(300);
      expect(host.sh('ip route show proto 202')).toBe('');
      expect(agent.log()).not.toContain('registration');
      felix.kill('SIGKILL');
      await agent.ready;
      await vi.waitUntil(arePodsConnected, PATIENCE);
    });

    it('stops repairing as soon as it sees that Felix undoes it, and says so', async () => {
      const host = lab.host(2);
      const felix = await startOther(host, 'calico-felix');
      const isSeen = () => logOf(host).includes('finding="foreign-agent"');
      for (let times = 0; times < 20 && !isSeen(); times++) {
        host.sh('ip route flush proto 202');
        await vi.waitUntil(() => isSeen() || host.sh('ip route show proto 202') !== '', PATIENCE);
      }
      expect(isSeen()).toBe(true);
      host.sh('ip route flush proto 202');
      await sleep(300);
      expect(host.sh('ip route show proto 202')).toBe('');
      felix.kill('SIGKILL');
      await vi.waitUntil(arePodsConnected, PATIENCE);
    });
  });

  async function startOther(host: LabHost, name: string): Promise<ChildProcess> {
    const folder = join(host.folder, `${name}-${performance.now()}`);
    mkdirSync(folder);
    copyFileSync('/bin/sleep', join(folder, name));
    const child = spawn(requireTool('ip'), ['netns', 'exec', host.netns.name, join(folder, name), '60']);
    onTestFinished(() => void child.kill('SIGKILL'));
    const isBegun = () => readFileSync(`/proc/${child.pid}/cmdline`, 'utf8').startsWith(folder);
    await vi.waitUntil(isBegun, PATIENCE);
    return child;
  }

  function spawnAgent(host: LabHost, env: Readonly<Record<string, string>>, under: readonly string[] = []) {
    const argv = ['netns', 'exec', host.netns.name, ...under, executable('calico'), 'node'];
    const given = {
      ...{ PATH: process.env.PATH, NODENAME: host.name, ETCD_ENDPOINTS: lab.etcd.endpoint },
      ...{
        CALICO_NODENAME_FILE: join(host.folder, 'nodename'),
        CALICO_NODE_SOCKET: join(host.folder, 'socket'),
      },
      ...env,
    };
    const child = spawn(requireTool('ip'), argv, { env: given, stdio: ['ignore', 'ignore', 'pipe'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    let log = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    return { child, log: () => log, ended };
  }

  /** Until it ends by itself; the usual agent of the host is stopped before, and started after. */
  async function runAgent(host: LabHost, env: Readonly<Record<string, string>>, under?: readonly string[]) {
    await host.agent?.kill('SIGTERM');
    const agent = spawnAgent(host, env, under);
    const timer = setTimeout(() => agent.child.kill('SIGKILL'), PATIENCE.timeout);
    const exitCode = await agent.ended;
    clearTimeout(timer);
    return { exitCode, stderr: agent.log() };
  }
});
