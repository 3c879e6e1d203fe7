/**
 * 1,000 containers, added and deleted while etcd is killed, stopped and started again, and the line to it is cut or falls
 * silent; some ADDs are killed, too. What a runtime does after a failure is done: DEL, until it succeeds, and ADD again.
 * Nothing hangs, nothing leaks, and no address has two owners at any time.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeCluster, writePool } from '../support/cluster.ts';
import { injectFaults } from '../support/etcd-faults.ts';
import { type Line, layLine } from '../support/line.ts';
import { moveTo, type TestNetns, whyNoNetns } from '../support/netns.ts';
import {
  type Answer,
  leftovers,
  type SimulatedNode,
  startNode,
  succeeded,
} from '../support/simulated-node.ts';

const why = whyNoNetns();
const PAIRS = 1_000;
const WORKERS = 8;
const KILLED_SHARE = 0.05;
const LONGEST_LIFE_MS = 500;
/** 30 s for the work and 10 s to take it back; the rest is for a slow machine. */
const LONGEST_CALL_MS = 55_000;
const LATER = 11;
/** So many calls end before the next fault: on a slow machine there are not more faults than on a fast one. */
const CALLS_BETWEEN_FAULTS = { least: 4, most: 16 };

describe.skipIf(why !== undefined)(
  `an etcd that fails${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    let node: SimulatedNode;
    let home: Disposable;
    beforeAll(async () => {
      node = await startNode();
      // The line has to be laid on the node.
      home = moveTo(node.host);
      await writeCluster(node.etcd, { pools: {} });
      await writePool(node.etcd, 'small', '10.9.0.0/27', { blockSize: 30 });
      await writePool(node.etcd, 'small-v6', 'fd00:9::/123', { blockSize: 126 });
    });
    afterAll(async () => {
      home[Symbol.dispose]();
      await node.stop();
    });

    it('leaks nothing, and gives no address twice', async () => {
      const line = await layLine(2379);
      const history = createHistory();
      const faults = injectFaults(node.etcd, line, () => someCalls(history));
      let pairs = 0;
      const work = async (worker: number) => {
        const caller = createCaller(node, node.makePod(), endpointsOf(worker, line), history);
        for (let turn = 0; pairs < PAIRS; turn++) {
          if (await liveOnce(caller, history, `w${worker}t${turn}`)) pairs += 1;
        }
      };
      const workers = Array.from({ length: WORKERS }, (_unused, worker) => work(worker));
      await Promise.race([Promise.all(workers), faults.failed]);
      const injected = await faults.stop();

      // biome-ignore lint/suspicious/noConsole: the figures are part of the result
      console.log(`${pairs} pairs; ${history.figures()}; ${format(injected)}`);
      expect(history.wrong).toEqual([]);
      expect(history.longestMs()).toBeLessThan(LONGEST_CALL_MS);
      expect(await leftovers(node)).toEqual([]);
      expect(node.host.sh('ip -o link | grep -v lo: || true')).toBe('');
    }, 1_500_000);

    it('that stands still for longer than any call may take fails all of them in time', async () => {
      const history = createHistory();
      const pods = Array.from({ length: 8 }, () => node.makePod());
      const callers = pods.map((pod) => createCaller(node, pod, node.etcd.endpoint, history));
      for (const [i, caller] of callers.entries())
        if (i % 2 === 0) succeeded(await caller('ADD', `stuck${i}`));

      const calls = callers.map((caller, i) => caller(i % 2 === 0 ? 'DEL' : 'ADD', `stuck${i}`));
      await sleep(Math.random() * 200);
      node.etcd.pause();
      const answers = await Promise.all(calls);
      node.etcd.resume();

      for (const { exitCode, json } of answers) if (exitCode !== 0) expect(json.code).toBe(LATER);
      for (const [i, pod] of pods.entries())
        if (answers[i]?.exitCode !== 0) expect(pod.sh('ip -o link')).not.toContain('eth0');
      expect(history.longestMs()).toBeLessThan(LONGEST_CALL_MS);
      for (const [i, caller] of callers.entries()) succeeded(await caller('DEL', `stuck${i}`));
      // biome-ignore lint/suspicious/noConsole: the figures are part of the result
      console.log(`etcd stood still: ${history.figures()}`);
      expect(await leftovers(node)).toEqual([]);
    }, 200_000);
  },
);

async function someCalls(history: History): Promise<void> {
  const { least, most } = CALLS_BETWEEN_FAULTS;
  const until = history.calls() + least + Math.random() * (most - least);
  for (const timeUp = AbortSignal.timeout(2_000); history.calls() < until && !timeUp.aborted; )
    await sleep(10);
}

/** By worker: etcd itself, the line, or both in either order. */
function endpointsOf(worker: number, line: Line): string {
  const [direct, cut] = ['http://127.0.0.1:2379', `http://127.0.0.1:${line.port}`];
  return [cut, `${cut},${direct}`, direct, `${direct},${cut}`][worker % 4] ?? direct;
}

type Caller = (verb: 'ADD' | 'DEL', containerId: string, killAfterMs?: number) => Promise<Answer>;

function createCaller(node: SimulatedNode, pod: TestNetns, endpoints: string, history: History): Caller {
  return async (verb, containerId, killAfterMs) => {
    const answer = await node.cni(verb, {
      containerId,
      netns: pod.path,
      conf: { etcd_endpoints: endpoints, ipam: { type: 'calico-ipam', assign_ipv6: 'true' } },
      ...(killAfterMs === undefined ? {} : { timeoutMs: killAfterMs }),
    });
    history.called(verb, answer);
    return answer;
  };
}

/** One container, as a runtime treats it. Whether its ADD succeeded. */
async function liveOnce(call: Caller, history: History, containerId: string): Promise<boolean> {
  const killAfterMs = Math.random() < KILLED_SHARE ? Math.ceil(Math.random() * LONGEST_LIFE_MS) : undefined;
  const added = await call('ADD', containerId, killAfterMs);
  const isAdded = added.exitCode === 0;
  const addresses: string[] = isAdded
    ? added.json.ips.map(({ address }: { address: string }) => address)
    : [];
  history.given(containerId, addresses);
  // From here on the addresses may be free, even if this DEL fails.
  history.returned(addresses);
  while ((await call('DEL', containerId)).exitCode !== 0) await sleep(50);
  return isAdded;
}

interface History {
  called(verb: string, answer: Answer): void;
  given(containerId: string, addresses: readonly string[]): void;
  returned(addresses: readonly string[]): void;
  /** Addresses with two owners, and answers that nobody can explain. */
  readonly wrong: readonly string[];
  calls(): number;
  longestMs(): number;
  figures(): string;
}

function createHistory(): History {
  const owners = new Map<string, string>();
  const outcomes = new Map<string, number>();
  const wrong: string[] = [];
  let [calls, longestMs] = [0, 0];
  return {
    called: (verb, { exitCode, json, stdout, elapsedMs }) => {
      calls += 1;
      longestMs = Math.max(longestMs, elapsedMs);
      const outcome = exitCode === 0 ? 'done' : exitCode === undefined ? 'killed' : `code ${json?.code}`;
      outcomes.set(`${verb} ${outcome}`, (outcomes.get(`${verb} ${outcome}`) ?? 0) + 1);
      if (exitCode !== 0 && exitCode !== undefined && json?.code !== LATER) wrong.push(`${verb}: ${stdout}`);
    },
    given: (containerId, addresses) => {
      for (const address of addresses) {
        const owner = owners.get(address);
        if (owner !== undefined) wrong.push(`${address} of ${owner} was given to ${containerId}`);
        owners.set(address, containerId);
      }
    },
    returned: (addresses) => {
      for (const address of addresses) owners.delete(address);
    },
    wrong,
    calls: () => calls,
    longestMs: () => longestMs,
    figures: () => `${format(outcomes)}; longest call ${Math.round(longestMs)} ms`,
  };
}

function format(counts: ReadonlyMap<string, number>): string {
  return [...counts]
    .map(([what, count]) => `${what}: ${count}`)
    .sort()
    .join(', ');
}
