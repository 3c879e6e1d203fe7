/** What the service of systemd forbids, the agent never does: its system calls, held against the filter of the unit. */

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type AgentLab, makeAgentLab } from '../support/agent-lab.ts';
import { writePool } from '../support/cluster.ts';
import { executable } from '../support/executable.ts';
import { whyNoNetns } from '../support/netns.ts';
import { findTool, REPOSITORY, requireTool } from '../support/tools.ts';

const why =
  whyNoNetns() ??
  ['strace', 'systemd-analyze'].map((tool) => (findTool(tool) ? undefined : `needs ${tool}`)).find(Boolean);

/** V8 asks for protection keys, and does without where it gets none. */
const REFUSED = ['pkey_alloc'];

describe.skipIf(why !== undefined)(
  `calico-node.service${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    let lab: AgentLab;
    beforeAll(async () => {
      lab = await makeAgentLab({ subnets: [50, 60] });
      await writePool(lab.etcd, 'vx', '10.77.0.0/16', { vxlanMode: 'Always' });
      await lab.host(2).startAgent().ready;
    });
    afterAll(() => lab[Symbol.asyncDispose]());

    it('allows every system call of an agent that begins, makes everything, and ends', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'service-'));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      const trace = join(folder, 'trace');
      const host = lab.host(1);
      const argv = ['netns', 'exec', host.netns.name, 'strace', '-f', '-qq', '-o', trace];
      const child = spawn(requireTool('ip'), [...argv, executable('calico'), 'node'], {
        env: {
          ...{ PATH: process.env.PATH, NODENAME: host.name, ETCD_ENDPOINTS: lab.etcd.endpoint },
          ...{ CALICO_NODENAME_FILE: join(folder, 'nodename'), CALICO_NODE_SOCKET: join(folder, 'socket') },
        },
        stdio: 'ignore',
      });
      onTestFinished(() => void child.kill('SIGKILL'));
      const ended = new Promise((resolve) => child.once('exit', resolve));
      const isMade = () => host.sh('ip route').includes('dev vxlan.calico proto 202');
      await vi.waitUntil(isMade, { timeout: 30_000, interval: 200 });
      const [agent = ''] = execFileSync('pgrep', ['-P', String(child.pid)], { encoding: 'utf8' }).split('\n');
      process.kill(Number(agent), 'SIGTERM');
      await ended;

      const made = new Set(
        readFileSync(trace, 'utf8')
          .matchAll(/^\d+ +(?:<\.\.\. )?(\w+)[( ]/gm)
          .map(([, name = '']) => name),
      );
      expect(made.size).toBeGreaterThan(30);
      const allowed = allowedCalls();
      expect([...made].filter((name) => !allowed.has(name) && !REFUSED.includes(name))).toEqual([]);
    });

    /** Sets of calls are made of calls and of other sets. */
    function allowedCalls(): ReadonlySet<string> {
      const unit = readFileSync(join(REPOSITORY, 'cni-conf/calico-node.service'), 'utf8');
      const [, filter = ''] = /^SystemCallFilter=(.*)$/m.exec(unit) ?? [];
      const members = (set: string): readonly string[] =>
        execFileSync('systemd-analyze', ['syscall-filter', set], { encoding: 'utf8' })
          .split('\n')
          .slice(1)
          .map((line) => line.trim())
          .filter((line) => line !== '' && !line.startsWith('#'))
          .flatMap((line) => (line.startsWith('@') ? members(line) : [line]));
      return new Set(filter.split(' ').flatMap((set) => (set.startsWith('@') ? members(set) : [set])));
    }
  },
);
