/** The hosts of `test/support/two-subnets.ts`, each with a pod, and agents without a datastore. */

import type { RecordChange } from '../../../src/node/apply-changes.ts';
import { applyChanges } from '../../../src/node/apply-changes.ts';
import { unknownCluster } from '../../../src/node/cluster.ts';
import { desiredHost } from '../../../src/node/desired/desire.ts';
import { keepEqual, type Round } from '../../../src/node/kernel/keep-equal.ts';
import { type LastRound, noticePauseMs } from '../../../src/node/kernel/round-times.ts';
import { realClock } from '../../support/clock.ts';
import { makeNetns, moveTo, type TestNetns } from '../../support/netns.ts';
import { makeHost, makeRouter, NO_DUPLICATES } from '../../support/two-subnets.ts';
import { blockRecord, nodeRecord, READY } from '../../unit/node/records.ts';

export const HOSTS = {
  node1: {
    subnet: 50,
    ip: '10.50.0.11',
    ip6: '2001:db8:50::11',
    block: '10.77.180.112/28',
    pod: '10.77.180.113',
  },
  node2: {
    subnet: 50,
    ip: '10.50.0.12',
    ip6: '2001:db8:50::12',
    block: '10.77.101.80/28',
    pod: '10.77.101.81',
  },
  node3: {
    subnet: 60,
    ip: '10.60.0.13',
    ip6: '2001:db8:60::13',
    block: '10.77.161.192/28',
    pod: '10.77.161.193',
  },
} as const;
export type HostName = keyof typeof HOSTS;
export const HOST_NAMES: readonly HostName[] = ['node1', 'node2', 'node3'];

/** The IPv6 block of a host, its first address, which is the tunnel's, and its second, which is the pod's. */
export function ipv6Of(name: HostName) {
  const base = `fd00:77:0:${HOST_NAMES.indexOf(name) + 1}::`;
  return { block: `${base}/122`, tunnel: base, pod: `${base}1` };
}

export function tunnelOf(name: HostName): string {
  return HOSTS[name].block.replace('/28', '');
}

/** Nodes and blocks of the three, both families. */
export const RECORDS: readonly RecordChange[] = [
  READY,
  ...HOST_NAMES.map((name) =>
    nodeRecord(
      name,
      `${HOSTS[name].ip}/24`,
      { ipv4VXLANTunnelAddr: tunnelOf(name), ipv6VXLANTunnelAddr: ipv6Of(name).tunnel },
      { ipv6Address: `${HOSTS[name].ip6}/64` },
    ),
  ),
  ...HOST_NAMES.flatMap((name) => [
    blockRecord(HOSTS[name].block, `host:${name}`, { 0: name, 1: name }),
    blockRecord(ipv6Of(name).block, `host:${name}`, { 0: name, 1: name }),
  ]),
];

export interface Fabric extends Disposable {
  readonly router: TestNetns;
  readonly hosts: Readonly<Record<HostName, TestNetns>>;
  readonly pods: Readonly<Record<HostName, TestNetns>>;
}

/** The kernel takes its time, even where it need not ask whether anybody else has them. */
export const UNTIL_ADDRESSES_COUNT = 'while [ -n "$(ip -6 -o address show tentative)" ]; do sleep 0.02; done';

/** The calling thread is in node1 until the fabric is disposed of. */
export function makeFabric(): Fabric {
  const stack = new DisposableStack();
  try {
    const router = stack.use(makeRouter());
    const make = (name: HostName) => makeHostAndPod(stack, router, name);
    const made = { node1: make('node1'), node2: make('node2'), node3: make('node3') };
    stack.use(moveTo(made.node1.host));
    const hosts = { node1: made.node1.host, node2: made.node2.host, node3: made.node3.host };
    const pods = { node1: made.node1.pod, node2: made.node2.pod, node3: made.node3.pod };
    return { router, hosts, pods, [Symbol.dispose]: () => stack.dispose() };
  } catch (error) {
    stack.dispose();
    throw error;
  }
}

function makeHostAndPod(stack: DisposableStack, router: TestNetns, name: HostName) {
  const { subnet, pod: address } = HOSTS[name];
  const { netns: host } = makeHost(router, HOST_NAMES.indexOf(name) + 1, subnet);
  stack.use(host);
  const pod = stack.use(makeNetns('pod'));
  pod.sh(NO_DUPLICATES);
  host.sh(`
    echo 1 > /proc/sys/net/ipv4/ip_forward
    echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
    ip link add cali1 type veth peer name eth0 netns ${pod.name}
    ip link set cali1 address ee:ee:ee:ee:ee:ee up
    ip route add ${address}/32 dev cali1 scope link
    ip -6 route add ${ipv6Of(name).pod}/128 dev cali1
    ip -6 address add fe80::ecee:eeff:feee:eeee/64 dev cali1 nodad
    ${UNTIL_ADDRESSES_COUNT}
  `);
  pod.sh(`
    ip link set lo up
    ip link set eth0 mtu 1430 up
    ip address add ${address}/32 dev eth0
    ip address add ${ipv6Of(name).pod}/128 dev eth0 nodad
    ip route add 169.254.1.1 dev eth0 scope link
    ip route add default via 169.254.1.1
    ip neighbour add 169.254.1.1 dev eth0 lladdr ee:ee:ee:ee:ee:ee nud permanent
    ip -6 neighbour add fe80::ecee:eeff:feee:eeee dev eth0 lladdr ee:ee:ee:ee:ee:ee nud permanent
    ip -6 route add default via fe80::ecee:eeff:feee:eeee dev eth0
  `);
  return { host, pod };
}

/** A host of its own, in which the calling thread then is, on a switch that leads nowhere: with these addresses on eth0. */
export function makeLoneHost(stack: DisposableStack, ...addresses: readonly string[]): TestNetns {
  const host = stack.use(makeNetns('host'));
  stack.use(moveTo(host));
  host.sh(`
    ip link set lo up
    ip link add eth0 type veth peer name switch
    ip link set switch up
    ip link set eth0 up
    ${addresses.map((address) => `ip address add ${address} dev eth0 nodad`).join('\n')}
  `);
  return host;
}

export interface TimedRound extends Round {
  readonly endedMs: number;
}

const AT_REST: LastRound = { endedMs: 0, elapsedMs: 0 };
/** So often nothing must have happened, with time for whatever waits to be told in between. */
const QUIET = { times: 10, apartMs: 10 };

/**
 * Resolves when no round has come for a while. After a long round an agent rests before it acts upon a notice: that is not
 * quiet yet. Nor is it when time has passed in which this process stood still.
 */
export async function untilQuiet(rounds: readonly TimedRound[]): Promise<void> {
  const isResting = (nowMs: number) =>
    noticePauseMs(nowMs, rounds.at(-1) ?? AT_REST, []) > noticePauseMs(nowMs, AT_REST, []);
  let seen = rounds.length;
  for (let quiet = 0; quiet < QUIET.times; quiet++) {
    await realClock.sleep(QUIET.apartMs);
    if (rounds.length !== seen || isResting(performance.now())) quiet = 0;
    seen = rounds.length;
  }
}

export interface TestAgent extends Disposable {
  readonly rounds: readonly TimedRound[];
  /** Other records in place of those before; resolves with the round that follows. */
  tell(records: readonly RecordChange[]): Promise<Round>;
  /** Everything is read again. */
  lookAgain(): void;
  /** See {@link untilQuiet}. */
  quiet(): Promise<void>;
  /** Runs shell lines on the host; resolves when the agent has seen what they did, and is quiet. */
  afterShell(lines: string): Promise<void>;
}

/**
 * Keeps the host equal to what the records say, without a datastore. `undefined`: what they say is not known before it is
 * told.
 */
export function startAgent(
  host: TestNetns,
  nodeName: string,
  records: readonly RecordChange[] | undefined,
): TestAgent {
  using _here = moveTo(host);
  let state = records && applyChanges(unknownCluster(nodeName), records);
  const memo = {};
  const rounds: TimedRound[] = [];
  let waiting: ((round: Round) => void) | undefined;
  const keeper = keepEqual({
    desire: (facts) => state && desiredHost(state, facts, memo),
    clock: realClock,
    random: Math.random,
    onRound: (round) => {
      rounds.push({ ...round, endedMs: performance.now() });
      if (round.cause !== 'wish') return;
      waiting?.(round);
      waiting = undefined;
    },
  });
  return {
    rounds,
    tell: (changes) => {
      state = applyChanges(state ?? unknownCluster(nodeName), changes);
      const { promise, resolve } = Promise.withResolvers<Round>();
      waiting = resolve;
      keeper.wishChanged();
      return promise;
    },
    lookAgain: () => keeper.lookAgain(),
    quiet: () => untilQuiet(rounds),
    afterShell: async (lines) => {
      const before = rounds.length;
      host.sh(lines);
      await until('a round that sees it', () => rounds.length > before);
      await untilQuiet(rounds);
    },
    [Symbol.dispose]: () => keeper.close(),
  };
}

const LIMIT_MS = 20_000;

/** Waits until the check holds. Throws with `what` after 20 s, long before an agent looks at everything by itself. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  for (const startedMs = performance.now(); !holds(); await realClock.sleep(5)) {
    if (performance.now() - startedMs > LIMIT_MS) throw new Error(`not within ${LIMIT_MS} ms: ${what}`);
  }
}
