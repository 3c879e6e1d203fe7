/**
 * What pods notice when agents or the datastore fail: nothing. Pods on three hosts ping each other, directly and through
 * the tunnel, without a break, while agents are killed and etcd stops, moves and comes back as it was. Afterwards every
 * kernel is as a second implementation says that it must be.
 */

import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AgentLab, type LabPod, makeAgentLab } from '../support/agent-lab.ts';
import { writePool } from '../support/cluster.ts';
import { type Etcd, startEtcd } from '../support/etcd.ts';
import { hostDifferences, settledDifferences } from '../support/host-differences.ts';
import { whyNoNetns } from '../support/netns.ts';
import { startPing } from '../support/ping-stream.ts';
import { blockRecord, nodeRecord } from '../unit/node/records.ts';

const INTERVAL_MS = 20;
/** How long etcd is away; `OUTAGE_SECONDS=60` for a whole minute. */
const OUTAGE_MS = Number(process.env.OUTAGE_SECONDS ?? 15) * 1000;
const OTHER_PORT = 2389;

const why = whyNoNetns();

describe.skipIf(why !== undefined)(`an outage${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  const stack = new AsyncDisposableStack();
  let lab: AgentLab;
  let pods: readonly LabPod[];
  /** The etcd that agents can reach. */
  let etcd: Etcd;
  let changes = 0;

  beforeAll(async () => {
    const endpoints = [2379, OTHER_PORT].map((port) => `http://10.50.0.1:${port}`);
    lab = stack.use(await makeAgentLab({ env: { ETCD_ENDPOINTS: endpoints.join(',') } }));
    ({ etcd } = lab);
    await writePool(etcd, 'vxlan', '10.77.0.0/16', { vxlanMode: 'CrossSubnet' });
    await lab.startAgents();
    pods = await Promise.all(lab.hosts.map((host) => host.makePod()));
    await change();
    expect(await differences()).toEqual([]);
  });
  afterAll(() => stack.disposeAsync());

  /** One node more with a block, another block of node3, and what the last change added is gone. */
  async function change(): Promise<void> {
    const recordsOf = (n: number) => [
      nodeRecord(`late${n}`, `10.50.0.${100 + n}/24`, { ipv4VXLANTunnelAddr: `10.77.240.${n}` }),
      blockRecord(`10.77.${200 + n}.0/26`, `host:late${n}`, { 0: `late${n}`, 5: 'node2' }),
      blockRecord(`10.77.${200 + n}.64/26`, 'host:node3'),
    ];
    for (const { key } of recordsOf(changes)) await etcd.remove(key);
    changes += 1;
    for (const { key, text = '' } of recordsOf(changes)) await etcd.put(key, text);
  }

  function differences(limitMs = 30_000): Promise<readonly string[]> {
    return settledDifferences(async () => {
      const records = await etcd.list('/calico/');
      return lab.hosts.flatMap((host) => hostDifferences(records, host.name, host));
    }, limitMs);
  }

  /** Pings all the while; expects that nothing is lost, and every kernel as it must be. */
  async function unnoticed(what: string, happens: () => Promise<void>): Promise<void> {
    const [first, second, third] = pods as [LabPod, LabPod, LabPod];
    const ways = [
      ['directly', first, second],
      ['through the tunnel', first, third],
      ['from the other subnet', third, second],
    ] as const;
    const streams = ways.map(([, from, to]) => startPing(from.netns, to.ipv4, INTERVAL_MS));
    await Promise.all(streams.map((stream) => stream.answers(1)));
    const startedMs = performance.now();
    await happens();
    const left = await differences();
    const elapsedMs = performance.now() - startedMs;
    const reports = await Promise.all(streams.map((stream) => stream.stop()));
    const longestMs = Math.max(...reports.map(({ longestGapMs }) => longestGapMs));
    const answered = reports.reduce((sum, report) => sum + report.answered, 0);
    process.stdout.write(
      `${what}: ${(elapsedMs / 1000).toFixed(1)} s, ${answered} of ${answered + reports.flatMap(({ lost }) => lost).length} pings answered, longest gap ${longestMs.toFixed(0)} ms\n`,
    );
    expect(left).toEqual([]);
    for (const [index, { lost, answered: count }] of reports.entries()) {
      expect({ way: ways[index]?.[0], lost }).toEqual({ way: ways[index]?.[0], lost: [] });
      expect(count).toBeGreaterThan(elapsedMs / INTERVAL_MS / 2);
    }
  }

  const logs = () => lab.hosts.map(({ agent }) => agent?.log() ?? '');

  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'of every agent in turn (%s): changes meanwhile are made up for',
    async (signal) => {
      await unnoticed(`agents ended by ${signal}`, async () => {
        for (const host of lab.hosts) {
          await host.agent?.kill(signal);
          if (host === lab.hosts[0]) await change();
          await host.startAgent().ready;
          // The others, which were told of the change, are to have done it before their end.
          if (host === lab.hosts[0]) expect(await differences()).toEqual([]);
        }
      });
      const [, ...unchanged] = logs();
      for (const log of unchanged) expect(log).not.toContain('host: changed');
    },
    120_000,
  );

  it('of etcd: changes right after it arrive', async () => {
    await unnoticed(`etcd away for ${OUTAGE_MS / 1000} s`, async () => {
      await etcd.crash();
      await sleep(OUTAGE_MS);
      await etcd.restart();
      await change();
    });
    for (const log of logs()) expect(log).toContain('changes are not heard of; what is known stays');
  }, 150_000);

  it('of the line to etcd, which is restarted, changed and compacted meanwhile: everything is read again', async () => {
    const before = logs().map(readings);
    await unnoticed('etcd compacted behind the back of the agents', async () => {
      lab.router.sh(CUT);
      // Else the kernel would deliver what the watches were told before.
      await etcd.restart();
      await change();
      await etcd.compact();
      lab.router.sh('nft delete table inet cut');
    });
    expect(readSince(before)).toEqual([true, true, true]);
  }, 150_000);

  it('of a member of etcd whose place another one takes, and which is then restored from a backup', async () => {
    const other = await startEtcd({ netns: lab.router.name, address: '10.50.0.1', port: OTHER_PORT });
    stack.defer(() => other.stop());
    const backup = join(lab.etcd.directory, 'backup');
    await unnoticed('etcd moved', async () => {
      await Promise.all([other.crash(), lab.etcd.crash()]);
      copy(join(lab.etcd.directory, 'data'), backup);
      copy(backup, join(other.directory, 'data'));
      await other.restart();
      etcd = other;
      for (let times = 0; times < 5; times++) await change();
    });
    const before = logs().map(readings);
    await unnoticed('etcd restored from a backup', async () => {
      await other.crash();
      copy(backup, join(other.directory, 'data'));
      await other.restart();
    });
    expect(readSince(before)).toEqual([true, true, true]);
    await unnoticed('a change after that', change);
  }, 150_000);

  it('of an etcd that is restored from a backup and has gone past its revisions when agents come back', async () => {
    const backup = join(etcd.directory, 'later backup');
    await etcd.crash();
    copy(join(etcd.directory, 'data'), backup);
    await etcd.restart();
    await change();
    expect(await differences()).toEqual([]);
    const before = logs().map(readings);
    await unnoticed('etcd restored from a backup, and written to', async () => {
      lab.router.sh(CUT);
      await etcd.crash();
      copy(backup, join(etcd.directory, 'data'));
      await etcd.restart();
      for (let times = 0; times < 4; times++) await change();
      lab.router.sh('nft delete table inet cut');
    });
    expect(readSince(before)).toEqual([true, true, true]);
  }, 150_000);

  const readSince = (before: readonly number[]) =>
    logs().map((log, index) => readings(log) > (before[index] ?? 0));
  function copy(from: string, to: string): void {
    rmSync(to, { recursive: true, force: true });
    cpSync(from, to, { recursive: true });
  }
  function readings(log: string): number {
    return log.split('datastore: everything is read').length - 1;
  }
});

/** Whoever sends to etcd, or gets from it, waits. */
const CUT = `
  nft add table inet cut
  nft 'add chain inet cut input { type filter hook input priority 0; }'
  nft 'add rule inet cut input tcp dport { 2379, 2389 } drop'
  nft 'add chain inet cut output { type filter hook output priority 0; }'
  nft 'add rule inet cut output tcp sport { 2379, 2389 } drop'
`;
