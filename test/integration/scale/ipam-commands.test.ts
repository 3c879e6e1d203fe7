/** `calico ipam show` and `check` on 10,000 blocks and 200,000 addresses in etcd: how long, and how much memory. */

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crowdRecords } from '../../support/crowd.ts';
import { type Etcd, startEtcd } from '../../support/etcd.ts';
import { executable } from '../../support/executable.ts';

const CROWD = { blocks: 10_000, podsPerBlock: 20 };
const MAX_MEGABYTES = 200;
/** On a machine that does nothing else, show takes one second and check five; here others work as well. */
const MAX_SECONDS = 90;
const SAMPLE_MS = 20;

interface Measured {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | null;
  readonly seconds: number;
  readonly megabytes: number;
}

describe('10,000 blocks and 200,000 addresses', { timeout: 120_000 }, () => {
  let etcd: Etcd;

  beforeAll(async () => {
    etcd = await startEtcd();
    await etcd.putAll(crowdRecords(CROWD));
  }, 600_000);
  afterAll(() => etcd.stop());

  async function measure(...args: readonly string[]): Promise<Measured> {
    const startedMs = performance.now();
    const child = spawn(executable('calico'), ['ipam', ...args], { env: { ETCD_ENDPOINTS: etcd.endpoint } });
    let kilobytes = 0;
    const sampling = setInterval(() => {
      kilobytes = Math.max(kilobytes, peakOf(child.pid));
    }, SAMPLE_MS);
    const exitCode = new Promise<number | null>((resolve) => child.once('close', resolve));
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    const finished = {
      stdout,
      stderr,
      exitCode: await exitCode,
      seconds: (performance.now() - startedMs) / 1000,
      megabytes: kilobytes / 1024,
    };
    clearInterval(sampling);
    // biome-ignore lint/suspicious/noConsole: the figures are part of the result
    console.log(
      `ipam ${args.join(' ')}: ${finished.seconds.toFixed(1)} s, ${finished.megabytes.toFixed(0)} MB at most`,
    );
    return finished;
  }

  it.each([[['show']], [['show', '--show-blocks']]])('are counted by %j', async (args) => {
    const { stdout, exitCode, seconds, megabytes } = await measure(...args);
    expect(exitCode).toBe(0);
    expect(stdout).toContain('| IP Pool  | 10.0.0.0/8 ');
    expect(stdout).toContain(' 2e+05 (1%) |');
    expect(stdout.match(/Block/g)?.length ?? 0).toBe(args.length === 1 ? 0 : CROWD.blocks);
    expect(seconds).toBeLessThan(MAX_SECONDS);
    expect(megabytes).toBeLessThan(MAX_MEGABYTES);
  });

  it('are checked, with progress', async () => {
    const { stdout, stderr, exitCode, seconds, megabytes } = await measure('check');
    expect(stdout).toBe(
      'nothing found in 1 pool, 2500 nodes, 200000 endpoints, 200000 handles, 10000 affinities, 10000 blocks\n',
    );
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^read 1 pool.* endpoints …$/m);
    expect(seconds).toBeLessThan(MAX_SECONDS);
    expect(megabytes).toBeLessThan(MAX_MEGABYTES);
  });
});

/** Kilobytes; 0 once the process is gone. */
function peakOf(pid: number | undefined): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
