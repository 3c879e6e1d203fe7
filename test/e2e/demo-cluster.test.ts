/** `make demo-cluster`, without make. */

import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, vi } from 'vitest';
import { whyNoNetns } from '../support/netns.ts';
import { REPOSITORY, toolPath } from '../support/tools.ts';

const why = whyNoNetns();
const ARGV = [
  join(REPOSITORY, 'build/isolated.sh'),
  '--or-fail',
  process.execPath,
  '--disable-warning=ExperimentalWarning',
  join(REPOSITORY, 'demo/cluster.ts'),
] as const;

describe.skipIf(why !== undefined)(
  `the demo of a cluster${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    it('shows every mode, and that all is as it must be', async () => {
      const demo = startDemo();
      const shown = await text(demo.stdout);
      expect(shown).toMatch(/^All of it worked\.$/m);
      for (const title of [
        'VXLAN everywhere',
        'VXLAN only between subnets',
        'No encapsulation',
        'IPIP',
        'IPv6',
        'natOutgoing',
      ])
        expect(shown).toMatch(new RegExp(`^\\d+\\. ${title}`, 'm'));
      expect(demo.exitCode ?? (await endOf(demo))).toBe(0);
      await untilGone();
    }, 120_000);

    it('leaves nothing when it is interrupted', async () => {
      const demo = startDemo();
      await vi.waitUntil(() => agents().length === 3, { timeout: 60_000, interval: 50 });
      demo.kill('SIGINT');
      expect(await endOf(demo)).toBe(130);
      await untilGone();
    }, 120_000);
  },
);

function startDemo() {
  const [program, ...args] = ARGV;
  return spawn(program, args, { env: { PATH: toolPath() }, stdio: ['ignore', 'pipe', 'inherit'] });
}

function endOf(child: ReturnType<typeof startDemo>): Promise<number | null> {
  return new Promise((resolve) => child.once('close', resolve));
}

/** They die one after another, of the end of their process namespace. */
async function untilGone(): Promise<void> {
  await vi.waitUntil(() => agents().length === 0, { timeout: 10_000, interval: 20 });
}

/** Command lines of all agents that run. */
function agents(): readonly string[] {
  const ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return ids.map(commandLine).filter((line) => /calico\0node\0$/.test(line));
}

function commandLine(id: string): string {
  try {
    return readFileSync(`/proc/${id}/cmdline`, 'utf8');
  } catch {
    // It has ended meanwhile.
    return '';
  }
}
