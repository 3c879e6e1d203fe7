import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { POD_PATIENCE_MS } from '../../../src/node/reconcile/lost-pod-routes.ts';
import { realClock } from '../../support/clock.ts';
import { type TestNetns, whyNoNetns } from '../../support/netns.ts';
import { findTool } from '../../support/tools.ts';
import { endpointRecord, poolRecord, READY } from '../../unit/node/records.ts';
import {
  type Fabric,
  HOSTS,
  ipv6Of,
  makeFabric,
  RECORDS,
  startAgent,
  type TestAgent,
  until,
} from './fabric.ts';

const POOLS = [
  poolRecord('v4', '10.77.0.0/16', { vxlanMode: 'CrossSubnet', natOutgoing: true }),
  poolRecord('v6', 'fd00:77::/48', { vxlanMode: 'Always', natOutgoing: true }),
];
const withoutNft = findTool('nft') === undefined;

describe.skipIf(whyNoNetns() !== undefined)('a host that is kept equal', () => {
  let fabric: Fabric;
  let host: TestNetns;
  let agent: TestAgent;

  beforeAll(() => {
    fabric = makeFabric();
    host = fabric.hosts.node1;
  });
  afterAll(() => fabric[Symbol.dispose]());
  beforeEach(async () => {
    agent = startAgent(host, 'node1', RECORDS);
    await agent.tell(POOLS);
    await agent.quiet();
  });
  afterEach(() => agent[Symbol.dispose]());

  /**
   * The agent lives in this process and stands still while a shell runs, so what is told is when its last step was taken.
   * It looks at everything only once a minute, so what it does here it does because the kernel has told it to.
   */
  async function repairAfter(what: string, damage: string): Promise<void> {
    const calm = agent.rounds.length;
    host.sh(damage);
    const damagedMs = performance.now();
    const repairs = () => agent.rounds.slice(calm).filter(({ steps, nat }) => steps.length + nat.length > 0);
    await until('a repair', () => repairs().length > 0);
    await agent.quiet();
    const tookMs = (repairs().at(-1)?.endedMs ?? Number.NaN) - damagedMs;
    process.stdout.write(`repaired ${tookMs.toFixed(1)} ms after ${what}\n`);
    expect(new Set(repairs().map(({ cause }) => cause))).toEqual(new Set(['kernel']));
  }

  it('gets no step from an agent that is started again', async () => {
    agent[Symbol.dispose]();
    const before = picture(host);
    agent = startAgent(host, 'node1', RECORDS);

    const { steps, nat, failures } = await agent.tell(POOLS);

    expect({ steps, nat, failures }).toEqual({ steps: [], nat: [], failures: [] });
    expect(picture(host)).toBe(before);
  });

  it.each([
    ['a route through the tunnel is deleted', 'ip route del 10.77.161.192/28'],
    ['a route on the subnet is deleted', 'ip route del 10.77.101.80/28'],
    ['an IPv6 route is deleted', 'ip -6 route del fd00:77:0:2::/122'],
    ['the blackhole is deleted', 'ip route del blackhole 10.77.180.112/28'],
    ['the IPv6 blackhole is deleted', 'ip -6 route del blackhole fd00:77:0:1::/122 dev lo'],
    ['a route is changed', 'ip route change 10.77.101.80/28 via 10.50.0.1 dev eth0 proto 202'],
    ['all routes of ours are flushed', 'ip route flush proto 202; ip -6 route flush proto 202'],
    ['a neighbour is deleted', 'ip neigh del 10.77.161.192 dev vxlan.calico'],
    [
      'a neighbour becomes another',
      'ip neigh replace 10.77.161.192 lladdr 02:00:00:00:00:09 dev vxlan.calico nud permanent',
    ],
    ['all neighbours are flushed', 'ip neigh flush dev vxlan.calico nud permanent'],
    ['IPv6 neighbours are flushed', 'ip -6 neigh flush dev vxlan-v6.calico nud permanent'],
    [
      'the FDB is flushed',
      'for m in $(bridge fdb show dev vxlan.calico | cut -d" " -f1); do bridge fdb del $m dev vxlan.calico self; done',
    ],
    [
      'an unknown entry is in the FDB',
      'bridge fdb add 02:00:00:00:00:07 dev vxlan.calico dst 10.50.0.99 self permanent',
    ],
    ['the tunnel address is deleted', 'ip address del 10.77.180.112/32 dev vxlan.calico'],
    ['another address is on the tunnel', 'ip address add 10.77.9.9/32 dev vxlan.calico'],
    ['the tunnel is set down', 'ip link set vxlan.calico down'],
    ['the IPv6 tunnel is set down', 'ip link set vxlan-v6.calico down'],
    ['the tunnel has another MTU', 'ip link set vxlan.calico mtu 1300'],
    ['the tunnel has another MAC', 'ip link set vxlan.calico address 02:00:00:00:00:08'],
    ['the tunnel is deleted', 'ip link del vxlan.calico'],
    ['both tunnels are deleted', 'ip link del vxlan.calico; ip link del vxlan-v6.calico'],
    ['forwarding is switched off', 'echo 0 > /proc/sys/net/ipv4/ip_forward'],
    ['a stray route of ours is there', 'ip route add 10.77.1.0/24 via 10.50.0.12 dev eth0 proto 202'],
    ['a stray route leads to the tunnel', 'ip route add 10.99.0.0/24 dev vxlan.calico'],
    [
      'the uplink goes down and up',
      'ip link set eth0 down; ip link set eth0 up; ip route add default via 10.50.0.1; ip -6 address replace 2001:db8:50::11/64 dev eth0 nodad; ip -6 route replace default via 2001:db8:50::1',
    ],
  ])('is repaired at once when %s', async (what, damage) => {
    const before = picture(host);

    await repairAfter(what, damage);

    expect(picture(host)).toBe(before);
    expect(agent.rounds.flatMap(({ failures }) => failures)).toEqual([]);
  });

  it.skipIf(withoutNft).each([
    ['our table is deleted', 'nft delete table ip calico-node'],
    ['all of nftables is flushed', 'nft flush ruleset'],
    ['a rule is added to ours', 'nft add rule ip calico-node postrouting accept'],
    ['an element is deleted', 'nft delete element ip calico-node masqueraded { 10.77.0.0/16 }'],
    ['our chain is emptied', 'nft flush chain ip6 calico-node postrouting'],
  ])('is repaired at once when %s', async (what, damage) => {
    const before = tables(host);

    await repairAfter(what, damage);

    expect(tables(host)).toBe(before);
  });

  it.each([
    ['IPv4', '', HOSTS.node1.pod],
    ['IPv6', '-6', ipv6Of('node1').pod],
  ])(
    'makes the %s route to a pod again, but leaves the CNI plugin time for its own',
    async (_, family, address) => {
      const pod = endpointRecord('node1', 'a', 'cali1', [HOSTS.node1.pod, ipv6Of('node1').pod]);
      await agent.tell([...POOLS, pod]);
      await agent.quiet();
      const routeTo = () => host.sh(`ip ${family} route show ${address}`);
      const before = routeTo();

      host.sh(`ip ${family} route del ${address}; sleep 0.1; ip ${family} route add ${before}`);
      await realClock.sleep(500);
      expect(routeTo()).toBe(before);

      host.sh(`ip ${family} route del ${address}`);
      const lostMs = performance.now();
      await until('the route to the pod', () => routeTo() !== '');
      // It is as the plugin makes it.
      expect(routeTo()).toBe(before);
      const { cause, endedMs = 0 } = agent.rounds.findLast(({ steps }) => steps.length > 0) ?? {};
      expect(cause).toBe('pods');
      expect(endedMs - lostMs).toBeGreaterThan(POD_PATIENCE_MS);
      const calm = agent.rounds.length;
      await realClock.sleep(400);
      expect(agent.rounds.length).toBe(calm);

      await agent.tell(POOLS);
    },
  );

  it('makes the route to a pod again that was lost before it knew the cluster', async () => {
    const { pod: address } = HOSTS.node1;
    agent[Symbol.dispose]();
    host.sh(`ip route del ${address}`);
    agent = startAgent(host, 'node1', undefined);
    agent.lookAgain();
    await until('a look', () => agent.rounds.length > 0);
    await agent.quiet();
    expect(agent.rounds.filter(({ desired, failures }) => desired ?? failures[0])).toEqual([]);

    await agent.tell([...RECORDS, ...POOLS, endpointRecord('node1', 'a', 'cali1', [address])]);

    await until('the route to the pod', () => host.sh(`ip route show ${address}`) !== '');
  });

  it('makes the route to a pod again that was lost while nothing was to be changed', async () => {
    const { pod: address } = HOSTS.node1;
    await agent.tell([...POOLS, endpointRecord('node1', 'a', 'cali1', [address])]);
    await agent.tell([{ ...READY, text: undefined }]);
    await agent.quiet();
    const calm = agent.rounds.length;
    host.sh(`ip route del ${address}`);
    const looks = () => agent.rounds.slice(calm).filter(({ cause }) => cause === 'pods');
    await until('the second look, at which it is lost', () => looks().length > 1);
    expect(host.sh(`ip route show ${address}`)).toBe('');

    const { steps } = await agent.tell([READY]);

    expect(steps.map((step) => step.do)).toEqual(['replace-route']);
    expect(host.sh(`ip route show ${address}`)).not.toBe('');
    await agent.tell(POOLS);
  });

  it('tries what the kernel refuses less and less often', async () => {
    const address = ipv6Of('node1').pod;
    await agent.tell([...POOLS, endpointRecord('node1', 'c', 'cali1', [address])]);
    await agent.quiet();
    const calm = agent.rounds.length;

    host.sh('echo 1 > /proc/sys/net/ipv6/conf/cali1/disable_ipv6');
    agent.lookAgain();
    const retries = () => agent.rounds.slice(calm).filter(({ cause }) => cause === 'retry');
    await until('five more attempts', () => retries().length >= 5);

    const tries = retries().slice(0, 5);
    expect(tries.filter(({ failures }) => failures.length === 0)).toEqual([]);
    // 100, 200, 400 and 800 ms are the least.
    expect((tries[4]?.endedMs ?? 0) - (tries[0]?.endedMs ?? 0)).toBeGreaterThan(1_400);
    host.sh('echo 0 > /proc/sys/net/ipv6/conf/cali1/disable_ipv6');
    await until('the route again', () => host.sh(`ip -6 route show ${address}`).includes('cali1'));
    host.sh('ip -6 address replace fe80::ecee:eeff:feee:eeee/64 dev cali1 nodad');
    await agent.tell(POOLS);
  });

  it('makes no route to a pod whose interface has gone with it', async () => {
    const pod = endpointRecord('node1', 'b', 'cali2', ['10.77.180.114', 'fd00:77:0:1::2']);
    host.sh(`
      ip link add cali2 type veth peer name other2
      ip link set cali2 up; ip link set other2 up
      ip route add 10.77.180.114 dev cali2; ip -6 route add fd00:77:0:1::2 dev cali2
    `);
    await agent.tell([...POOLS, pod]);
    await agent.quiet();
    const calm = agent.rounds.length;

    host.sh('ip link del cali2');
    await until('a look', () => agent.rounds.length > calm);
    await realClock.sleep(3 * POD_PATIENCE_MS);

    const since = agent.rounds.slice(calm);
    expect(since.flatMap(({ steps, failures }) => [...steps, ...failures])).toEqual([]);
    const causes = since.map(({ cause }) => cause);
    // It looks for the route only if it stood still for so long that it does not know of the interface yet.
    if (causes[0] === 'kernel') expect(causes).not.toContain('pods');
    await agent.tell(POOLS);
  });

  it('follows the MTU of the uplink, with devices and routes', async () => {
    host.sh('ip link set eth0 mtu 1400');
    await until('mtu 1350 of the tunnel and its routes', () => {
      const route = host.sh('ip route show 10.77.161.192/28');
      return host.sh('ip link show vxlan.calico').includes('mtu 1350') && route.endsWith('mtu 1350');
    });
    host.sh('ip link set eth0 mtu 1500');
    await until('mtu 1450', () => host.sh('ip link show vxlan.calico').includes('mtu 1450'));
  });

  it('keeps what others have made: routes, links, tables, neighbours', async () => {
    host.sh(FOREIGN);
    await agent.quiet();
    const before = foreign(host);

    host.sh('ip link del vxlan.calico; ip route flush proto 202');
    await until('the tunnel again', () => host.sh('ip -o link').includes('vxlan.calico'));
    await agent.tell([poolRecord('v4', '10.77.0.0/16', { vxlanMode: 'Never', natOutgoing: false })]);
    await agent.tell(POOLS);
    await agent.quiet();

    expect(foreign(host)).toBe(before);
    host.sh(NO_FOREIGN);
  });

  it('leaves a foreign route where ours should be, and says so', async () => {
    agent[Symbol.dispose]();
    host.sh('ip route replace 10.77.101.80/28 via 10.50.0.1 proto bird');
    agent = startAgent(host, 'node1', RECORDS);

    const { findings } = await agent.tell(POOLS);

    expect(findings).toMatchObject([{ kind: 'foreign-route', subject: '10.77.101.80/28' }]);
    expect(host.sh('ip route show 10.77.101.80/28')).toContain('proto bird');
    host.sh('ip route del 10.77.101.80/28');
    await until('our route', () => host.sh('ip route show 10.77.101.80/28').includes('proto 202'));
  });

  it('rests while nothing happens, and answers a stubborn enemy about once a second', async () => {
    const calm = agent.rounds.length;
    await realClock.sleep(300);
    expect(agent.rounds.length).toBe(calm);
    const repairs = () => agent.rounds.slice(calm).filter(({ steps }) => steps.length > 0);
    await until('22 repairs', () => {
      host.sh('ip route del 10.77.101.80/28 2>/dev/null || true');
      return repairs().length >= 22;
    });
    const times = repairs().map(({ endedMs }) => endedMs);
    const rests = times
      .map((atMs, n) => ({ ofMs: atMs - (times[n - 1] ?? 0), twentyTookMs: atMs - (times[n - 20] ?? 0) }))
      .filter(({ twentyTookMs }, n) => n >= 20 && twentyTookMs < 10_000);
    for (const { ofMs } of rests) expect(ofMs).toBeGreaterThan(900);
  });
});

const FOREIGN = `
  ip route add 10.99.1.0/24 via 10.50.0.12 proto bird metric 32
  ip route add 10.99.2.0/24 via 10.50.0.12 proto static
  ip route add blackhole 10.99.3.0/24 proto bird
  ip route add 10.99.4.0/24 via 10.50.0.12 proto 202 table 77
  ip route add 10.99.5.0/24 nexthop via 10.50.0.12 nexthop via 10.50.0.1
  ip rule add from 10.99.0.0/16 table 77
  ip link add vxlan9 type vxlan id 9 dev eth0 dstport 4790
  ip link set vxlan9 up
  bridge fdb add 02:00:00:00:00:05 dev vxlan9 dst 10.50.0.77 self permanent
  ip neigh add 10.50.0.78 lladdr 02:00:00:00:00:06 dev eth0 nud permanent
`;
const NO_FOREIGN = `
  ip link del vxlan9
  ip rule del from 10.99.0.0/16 table 77
  for n in 1 2 3 5; do ip route del 10.99.$n.0/24; done
  ip route flush table 77
  ip neigh del 10.50.0.78 dev eth0
`;

function foreign(host: TestNetns): string {
  return host.sh(`
    ip route show table all | grep 10.99
    ip rule
    ip -d link show vxlan9
    bridge fdb show dev vxlan9
    ip neigh show 10.50.0.78
  `);
}

/** All that is ours, as iproute2 sees it; without the numbers that a new device gets. */
function picture(host: TestNetns): string {
  return host.sh(`
    cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding
    ip route show | sort
    ip -6 route show | grep -v 'fe80\\|ff00' | sed 's/ pref medium//' | sort
    for dev in vxlan.calico vxlan-v6.calico; do
      ip -d link show $dev | sed 's/^[0-9]*: //' || true
      ip -4 -o address show dev $dev | sed 's/^[0-9]*: //' || true
      ip -6 -o address show dev $dev scope global | sed 's/^[0-9]*: //' || true
      ip neigh show dev $dev nud permanent | grep -v '^ff\\|33:33' | sort || true
      bridge fdb show dev $dev | sort || true
    done 2>/dev/null
  `);
}

function tables(host: TestNetns): string {
  return host.sh('nft list table ip calico-node; nft list table ip6 calico-node');
}
