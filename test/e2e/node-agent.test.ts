/** Three hosts, an etcd and our executable alone: agents make the pods of different hosts reach each other. */

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { writeCluster, writePool } from '../support/cluster.ts';
import { type Etcd, startEtcd } from '../support/etcd.ts';
import { EXECUTABLE_FOLDER, executable, runExecutable } from '../support/executable.ts';
import { makeNetns, type TestNetns, whyNoNetns } from '../support/netns.ts';

const why = whyNoNetns();
const ROUTER = ['10.50.0.1', '10.60.0.1'] as const;
const HOSTS = [
  { name: 'node1', address: '10.50.0.11', router: ROUTER[0] },
  { name: 'node2', address: '10.50.0.12', router: ROUTER[0] },
  { name: 'node3', address: '10.60.0.13', router: ROUTER[1] },
] as const;

interface Pod {
  readonly netns: TestNetns;
  readonly address: string;
}

describe.skipIf(why !== undefined)(`calico node${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let folder: string;
  let router: TestNetns;
  let etcd: Etcd;
  const hosts: TestNetns[] = [];
  const agents: { kill(signal: NodeJS.Signals): void; readonly log: () => string }[] = [];
  const pods: Pod[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'agents-'));
    router = makeNetns('router');
    router.sh('ip link set lo up; echo 1 > /proc/sys/net/ipv4/ip_forward; ip link add br50 type bridge');
    router.sh(`ip link set br50 up; ip address add ${ROUTER[0]}/24 dev br50`);
    for (const [index, { address, router: gateway }] of HOSTS.entries()) {
      const host = makeNetns('host');
      hosts.push(host);
      const port = `to-${index}`;
      router.sh(`ip link add ${port} type veth peer name eth0 netns ${host.name}; ip link set ${port} up`);
      router.sh(
        gateway === ROUTER[0]
          ? `ip link set ${port} master br50`
          : `ip address add ${gateway}/24 dev ${port}`,
      );
      host.sh(
        `ip link set lo up; ip address add ${address}/24 dev eth0; ip link set eth0 up; ip route add default via ${gateway}`,
      );
    }
    etcd = await startEtcd({ netns: router.name, address: ROUTER[0] });
    await writeCluster(etcd, { nodes: [], pools: {} });
    await writePool(etcd, 'vxlan', '10.77.0.0/16', { vxlanMode: 'CrossSubnet' });
    for (const [index, { name }] of HOSTS.entries()) agents.push(startAgent(hosts[index] as TestNetns, name));
    for (const [index, { name }] of HOSTS.entries())
      pods.push(await makePod(hosts[index] as TestNetns, name));
  }, 60_000);

  afterAll(async () => {
    for (const agent of agents) agent.kill('SIGKILL');
    await etcd.stop();
    for (const netns of [...pods.map((pod) => pod.netns), ...hosts, router]) netns.delete();
    rmSync(folder, { recursive: true });
  });

  function startAgent(host: TestNetns, name: string) {
    const child = spawn('ip', ['netns', 'exec', host.name, executable('calico'), 'node'], {
      env: {
        PATH: process.env.PATH,
        NODENAME: name,
        ETCD_ENDPOINTS: etcd.endpoint,
        CALICO_NODENAME_FILE: join(folder, name),
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const lines: string[] = [];
    child.stderr.on('data', (text) => lines.push(String(text)));
    return { kill: (signal: NodeJS.Signals) => void child.kill(signal), log: () => lines.join('') };
  }

  /** As soon as the agent has registered its host: an ADD needs the Node. */
  async function makePod(host: TestNetns, name: string): Promise<Pod> {
    const netns = makeNetns('pod');
    const call = {
      cniVersion: '1.0.0',
      ...{
        name: 'net',
        type: 'calico',
        datastore_type: 'etcdv3',
        etcd_endpoints: etcd.endpoint,
        nodename: name,
      },
      ...{ nodename_file: join(folder, name), mtu: 1430, ipam: { type: 'calico-ipam' } },
    };
    const env = {
      ...{ CNI_COMMAND: 'ADD', CNI_CONTAINERID: `pod-of-${name}`, CNI_NETNS: netns.path, CNI_IFNAME: 'eth0' },
      CNI_PATH: EXECUTABLE_FOLDER,
    };
    const answer = await vi.waitUntil(
      async () => {
        const finished = await runExecutable('calico', {
          netns: host.name,
          env,
          stdin: JSON.stringify(call),
        });
        return finished.exitCode === 0 ? JSON.parse(finished.stdout) : undefined;
      },
      { timeout: 20_000, interval: 200 },
    );
    return { netns, address: answer.ips[0].address.split('/')[0] };
  }

  const reaches = (from: Pod, to: string, size = 56) => {
    try {
      from.netns.sh(`ping -c 1 -W 1 -M do -s ${size} ${to}`);
      return true;
    } catch {
      return false;
    }
  };

  it('lets every pod reach every other, with packets of full size, directly or through the tunnel', async () => {
    const pairs = pods.flatMap((from) => pods.filter((to) => to !== from).map((to) => ({ from, to })));
    for (const { from, to } of pairs) {
      await vi.waitUntil(() => reaches(from, to.address), { timeout: 10_000, interval: 100 });
      expect(reaches(from, to.address, 1430 - 28)).toBe(true);
    }
    const routes = hosts[0]?.sh('ip route');
    expect(routes).toMatch(/via 10\.50\.0\.12 dev eth0 .*onlink/);
    expect(routes).toMatch(/via 10\.77\.\S+ dev vxlan\.calico .*onlink/);
    expect(routes).toContain('blackhole 10.77.');
  });

  it('loses no packet when an agent is killed and another takes its place', async () => {
    const [first, , third] = pods as readonly Pod[];
    agents[0]?.kill('SIGKILL');
    expect(reaches(first as Pod, (third as Pod).address)).toBe(true);
    const before = hosts[0]?.sh('ip route; ip neigh show dev vxlan.calico; bridge fdb show dev vxlan.calico');
    agents[0] = startAgent(hosts[0] as TestNetns, 'node1');
    await vi.waitUntil(() => agents[0]?.log().includes('agent: ready'), { timeout: 45_000 });
    expect(agents[0]?.log()).not.toContain('host: changed');
    expect(hosts[0]?.sh('ip route; ip neigh show dev vxlan.calico; bridge fdb show dev vxlan.calico')).toBe(
      before,
    );
    expect(reaches(first as Pod, (third as Pod).address)).toBe(true);
  }, 60_000);

  it('puts back what somebody takes away', async () => {
    hosts[0]?.sh('ip link del vxlan.calico');
    const [first, , third] = pods as readonly Pod[];
    await vi.waitUntil(() => reaches(first as Pod, (third as Pod).address), { timeout: 5_000, interval: 50 });
  });
});
