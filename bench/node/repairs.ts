/** How long a host stays damaged. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { LabHost } from '../../test/support/agent-lab.ts';

export interface RepairResult {
  readonly what: string;
  /** Nothing is damaged; the host has become another, and the agent follows. */
  readonly isChange: boolean;
  readonly ms: readonly number[];
}

const TIMES = 4;
/** Somebody who undoes its repairs more often than twice a second is given way to. */
const REST_MS = 700;
const LIMIT_MS = 15_000;

interface Damage {
  readonly what: string;
  readonly damage: string;
  /** Prints when it is repaired what `before`, or else itself, has printed before. */
  readonly shows: string;
  readonly before?: string;
  /** Undoes what the agent was to follow. */
  readonly restore?: string;
}

const ROUTES = 'ip route show proto 202 | wc -l';
const TUNNEL_ROUTES = 'ip route show dev vxlan.calico | grep -c "mtu 1450"';

const DAMAGES: readonly Damage[] = [
  {
    what: 'one route is deleted',
    damage: 'ip route del 10.64.1.0/26',
    shows: 'ip route show 10.64.1.0/26 | wc -l',
  },
  { what: 'all routes are deleted', damage: 'ip route flush proto 202', shows: ROUTES },
  {
    what: 'all neighbours are deleted',
    damage: 'ip neigh flush dev vxlan.calico nud permanent',
    shows: 'ip neigh show dev vxlan.calico nud permanent | wc -l',
  },
  {
    what: 'the FDB is flushed',
    damage: 'bridge fdb flush dev vxlan.calico self permanent',
    shows: 'bridge fdb show dev vxlan.calico | wc -l',
  },
  {
    what: 'the tunnel device is deleted',
    damage: 'ip link del vxlan.calico',
    shows: `${ROUTES}; bridge fdb show dev vxlan.calico | wc -l`,
  },
  { what: 'the tunnel device is set down', damage: 'ip link set vxlan.calico down', shows: ROUTES },
  {
    what: 'the tunnel address is deleted',
    damage: 'ip -4 addr flush dev vxlan.calico',
    shows: `${ROUTES}; ip -4 -o addr show dev vxlan.calico | wc -l`,
  },
  {
    what: 'the table of nftables is deleted',
    damage: 'nft delete table ip calico-node',
    shows: 'nft list tables | grep -c calico-node',
  },
  {
    what: 'the MTU of eth0 becomes 1400',
    damage: 'ip link set eth0 mtu 1400',
    shows: 'ip route show dev vxlan.calico | grep -c "mtu 1350"',
    before: TUNNEL_ROUTES,
    restore: 'ip link set eth0 mtu 1500',
  },
  {
    what: 'eth0 has another address',
    damage: moveAddress('10.50.0.11', '10.50.0.21'),
    shows: `ip -d link show vxlan.calico | grep -c "local 10.50.0.21"; ${ROUTES}`,
    before: `ip -d link show vxlan.calico | grep -c "local 10.50.0.11"; ${ROUTES}`,
    restore: moveAddress('10.50.0.21', '10.50.0.11'),
  },
];

function moveAddress(from: string, to: string): string {
  return `ip addr del ${from}/16 dev eth0; ip addr add ${to}/16 dev eth0; ip route add default via 10.50.0.1`;
}

/** On a host whose agent has nothing to do. Throws when something stays damaged for 15 s. */
export async function measureRepairs(host: LabHost): Promise<readonly RepairResult[]> {
  const results: RepairResult[] = [];
  for (const damage of DAMAGES) {
    const ms: number[] = [];
    for (let times = 0; times < TIMES; times++) ms.push(await measureRepair(host, damage));
    results.push({ what: damage.what, isChange: damage.restore !== undefined, ms });
  }
  return results;
}

/** Milliseconds until the host shows that it is repaired; a look takes some, too. */
async function measureRepair(
  host: LabHost,
  { what, damage, shows, before, restore }: Damage,
): Promise<number> {
  await sleep(REST_MS);
  const whole = host.sh(`{ ${before ?? shows}; } || true`);
  host.sh(damage);
  const ms = await until(host, what, shows, whole);
  if (restore !== undefined) {
    host.sh(restore);
    await until(host, what, before ?? shows, whole);
  }
  return ms;
}

async function until(host: LabHost, what: string, shows: string, wanted: string): Promise<number> {
  for (const startedMs = performance.now(); ; await sleep(1)) {
    const found = host.sh(`{ ${shows}; } || true`);
    const elapsedMs = performance.now() - startedMs;
    if (found === wanted) return elapsedMs;
    if (elapsedMs > LIMIT_MS)
      throw new Error(
        `${found}, not ${wanted}, ${LIMIT_MS} ms after ${what}:\n${host.agent?.log().split('\n').slice(-12).join('\n')}`,
      );
  }
}
