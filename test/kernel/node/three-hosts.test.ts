import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { realClock } from '../../support/clock.ts';
import { type TestNetns, whyNoNetns } from '../../support/netns.ts';
import { startPing } from '../../support/ping-stream.ts';
import { output, run } from '../../support/run.ts';
import { blockRecord, poolRecord } from '../../unit/node/records.ts';
import {
  type Fabric,
  HOST_NAMES,
  HOSTS,
  type HostName,
  ipv6Of,
  makeFabric,
  RECORDS,
  startAgent,
  type TestAgent,
} from './fabric.ts';

const pool4 = (mode: string) =>
  poolRecord('v4', '10.77.0.0/16', { vxlanMode: mode, ipipMode: 'Never', natOutgoing: true });
const pool6 = (mode: string) =>
  poolRecord('v6', 'fd00:77::/48', { vxlanMode: mode, ipipMode: 'Never', natOutgoing: true });

describe.skipIf(whyNoNetns() !== undefined)('three hosts', () => {
  let fabric: Fabric;
  let agents: Readonly<Record<HostName, TestAgent>>;
  const stack = new DisposableStack();

  beforeAll(async () => {
    fabric = stack.use(makeFabric());
    const start = (name: HostName) => stack.use(startAgent(fabric.hosts[name], name, RECORDS));
    agents = { node1: start('node1'), node2: start('node2'), node3: start('node3') };
    await tellAll([pool4('Always'), pool6('Always')]);
  });
  afterAll(() => stack.dispose());

  async function tellAll(records: Parameters<TestAgent['tell']>[0]): Promise<void> {
    const rounds = await Promise.all(HOST_NAMES.map((name) => agents[name].tell(records)));
    expect(rounds.flatMap(({ failures }) => failures)).toEqual([]);
    // A device that was just made has to be looked at again.
    await Promise.all(HOST_NAMES.map((name) => agents[name].quiet()));
  }

  it('reach each other through the tunnel in both families, with packets as large as fit', async () => {
    const before = packets(fabric.hosts.node1, 'vxlan.calico');
    for (const [from, to] of PAIRS) {
      expect(await pings(fabric.pods[from], HOSTS[to].pod, 1402)).toBe(3);
      expect(await pings(fabric.pods[from], ipv6Of(to).pod, 1382)).toBe(3);
    }
    expect(packets(fabric.hosts.node1, 'vxlan.calico') - before).toBeGreaterThanOrEqual(9);
    expect(packets(fabric.hosts.node1, 'vxlan-v6.calico')).toBeGreaterThanOrEqual(9);
    expect(link(fabric.hosts.node1, 'vxlan.calico')).toContain(
      'vxlan id 4096 local 10.50.0.11 dev eth0 srcport 0 0 dstport 4789 nolearning',
    );
  });

  it('give pods their own address to pods, and that of the node to all others', async () => {
    expect(await addressSeen(fabric.pods.node1, fabric.pods.node3, HOSTS.node3.pod)).toBe(HOSTS.node1.pod);
    expect(await addressSeen(fabric.pods.node1, fabric.router, '10.50.0.1')).toBe(HOSTS.node1.ip);
    expect(await addressSeen(fabric.pods.node1, fabric.hosts.node2, HOSTS.node2.ip)).toBe(HOSTS.node1.ip);
    expect(await addressSeen(fabric.pods.node1, fabric.pods.node3, ipv6Of('node3').pod)).toBe(
      ipv6Of('node1').pod,
    );
    expect(await addressSeen(fabric.pods.node1, fabric.router, '2001:db8:50::1')).toBe(HOSTS.node1.ip6);
  });

  it('give what a host sends into the tunnel the address of the tunnel', async () => {
    // As a service does whose packets were first meant for another interface.
    fabric.hosts.node1.sh('ip address add 192.0.2.7/32 dev lo');
    const seen = await addressSeen(fabric.hosts.node1, fabric.pods.node3, HOSTS.node3.pod, '192.0.2.7');
    expect(seen).toBe('10.77.180.112');
  });

  it('reach addresses borrowed from another host', async () => {
    // The second pod of node1 has an address of node2's block.
    fabric.pods.node1.sh('ip address add 10.77.101.90/32 dev eth0');
    fabric.hosts.node1.sh('ip route add 10.77.101.90/32 dev cali1 scope link');
    await tellAll([blockRecord(HOSTS.node2.block, 'host:node2', { 0: 'node2', 1: 'node2', 10: 'node1' })]);

    expect(await pings(fabric.pods.node3, '10.77.101.90')).toBe(3);
    expect(await pings(fabric.pods.node2, '10.77.101.90')).toBe(3);
    expect(fabric.hosts.node2.sh('ip route show 10.77.101.80/28')).toMatch(
      /^blackhole 10\.77\.101\.80\/28 proto 202/,
    );
  });

  it('lose no packet while a pool changes to CrossSubnet and back, and use the tunnel only where they must', async () => {
    const addresses = [HOSTS.node2.pod, ipv6Of('node2').pod];
    const streams = addresses.map((address) => startPing(fabric.pods.node1, address, 10));
    for (const mode of ['CrossSubnet', 'Always', 'CrossSubnet']) {
      await tellAll([pool4(mode), pool6(mode)]);
      await realClock.sleep(300);
    }
    for (const stream of streams) expect((await stream.stop()).lost).toEqual([]);
    expect(fabric.hosts.node1.sh('ip route show 10.77.101.80/28')).toBe(
      '10.77.101.80/28 via 10.50.0.12 dev eth0 proto 202 onlink',
    );
    expect(fabric.hosts.node1.sh('ip route show 10.77.161.192/28')).toBe(
      '10.77.161.192/28 via 10.77.161.192 dev vxlan.calico proto 202 onlink mtu 1450',
    );
    const { block } = ipv6Of('node2');
    expect(fabric.hosts.node1.sh(`ip -6 route show ${block}`)).toContain(' via 2001:db8:50::12 dev eth0 ');
    const before = packets(fabric.hosts.node1, 'vxlan.calico');
    expect(await pings(fabric.pods.node1, HOSTS.node2.pod)).toBe(3);
    expect(packets(fabric.hosts.node1, 'vxlan.calico')).toBe(before);
  });

  it('need no encapsulation on one subnet, and say when another is behind a router', async () => {
    await tellAll([pool4('Never')]);

    expect(await pings(fabric.pods.node1, HOSTS.node2.pod, 1402)).toBe(3);
    expect(fabric.hosts.node1.sh('ip route show 10.77.161.192/28')).toBe('');
    const { findings } = agents.node1.rounds.at(-1) ?? {};
    expect(findings?.map(({ kind }) => kind)).toContain('peer-not-on-link');
    expect(fabric.hosts.node1.sh('ip -o link')).not.toContain('vxlan.calico');
    await tellAll([pool4('Always')]);
    expect(await pings(fabric.pods.node1, HOSTS.node3.pod)).toBe(3);
  });
});

const PAIRS: readonly (readonly [HostName, HostName])[] = [
  ['node1', 'node2'],
  ['node1', 'node3'],
  ['node2', 'node3'],
  ['node3', 'node1'],
];

/** How many of three packets, of so many bytes of payload and not to be fragmented, were answered. */
async function pings(from: TestNetns, to: string, bytes = 56): Promise<number> {
  const argv = ['ping', '-c', '3', '-i', '0.05', '-W', '1', '-M', 'do', '-s', String(bytes), to];
  const { stdout } = await run(argv, { netns: from.name });
  return Number(/(\d+) received/.exec(stdout)?.[1] ?? 0);
}

function packets(host: TestNetns, device: string): number {
  const [{ stats64 }] = JSON.parse(host.sh(`ip -s -j link show ${device}`));
  return stats64.tx.packets;
}

function link(host: TestNetns, device: string): string {
  return host.sh(`ip -d link show ${device}`);
}

const SERVER = `
  const server = require('node:net').createServer((socket) => {
    socket.end(socket.remoteAddress.replace('::ffff:', ''));
    server.close();
  });
  server.listen(7777, '::', () => console.log('ready'));
`;
const CLIENT = `
  const [host, localAddress] = process.argv.slice(1);
  const socket = require('node:net').connect({ host, port: 7777, localAddress });
  socket.setTimeout(3000, () => socket.destroy(new Error('no answer')));
  socket.pipe(process.stdout);
`;

/** The address with which a connection arrives. */
async function addressSeen(from: TestNetns, at: TestNetns, to: string, source?: string): Promise<string> {
  const server = run([process.execPath, '-e', SERVER], { netns: at.name, timeoutMs: 10_000 });
  await untilListening(at);
  const client = [process.execPath, '-e', CLIENT, to, ...(source === undefined ? [] : [source])];
  const seen = await output(client, { netns: from.name });
  await server;
  return seen;
}

async function untilListening(at: TestNetns): Promise<void> {
  for (let tries = 0; tries < 100; tries++) {
    if (at.sh('ss -Hltn sport = 7777').includes('7777')) return;
    await realClock.sleep(30);
  }
  throw new Error('the server does not listen');
}
