import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { whyNoNetns } from '../../support/netns.ts';
import { run } from '../../support/run.ts';
import { REPOSITORY, toolPath } from '../../support/tools.ts';

const ISOLATED = join(REPOSITORY, 'build/isolated.sh');
const why = whyNoNetns();

describe.skipIf(why !== undefined)(`isolated.sh${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'isolated-test-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const isolated = (script: string) => run([ISOLATED, 'sh', '-c', script], { env: { TMPDIR: folder } });

  it('gives the command a network with nothing but loopback, and passes its exit code on', async () => {
    const { stdout, exitCode } = await isolated('ip -brief link; exit 7');
    expect(stdout.trim().split('\n')).toEqual([expect.stringMatching(/^lo .*LOWER_UP/)]);
    expect(exitCode).toBe(7);
  });

  it('runs nothing on the machine itself when told to fail instead', async () => {
    writeFileSync(join(folder, 'unshare'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    const env = { PATH: `${folder}:${toolPath()}` };
    const { exitCode, stderr } = await run([ISOLATED, '--or-fail', 'touch', join(folder, 'file')], { env });
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining('needs root') });
    expect(readdirSync(folder)).not.toContain('file');
  });

  it('hides the state of the machine and the namespaces made inside', async () => {
    const { stdout } = await isolated(
      'ip netns add inside; touch /var/lib/cni/file; ls /run/netns /var/lib/cni',
    );
    expect(stdout).toContain('inside');
    expect(existsSync('/run/netns/inside')).toBe(false);
    expect(existsSync('/var/lib/cni/file')).toBe(false);
  });

  it('removes temporary files', async () => {
    await isolated('touch "$TMPDIR/file"');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('removes control groups, and what runs in them', async () => {
    const { stdout } = await isolated(
      `group=$([ -d /sys/fs/cgroup/pids ] && echo /sys/fs/cgroup/pids || echo /sys/fs/cgroup)/$ISOLATED/below
       mkdir -p "$group"
       sleep 1000 & echo $! >"$group/cgroup.procs"
       grep -q . "$group/cgroup.procs" && echo "$group"`,
    );
    expect(stdout).toMatch(/^\/sys\/fs\/cgroup\/.*isolated\..*\/below\n$/);
    expect(existsSync(dirname(stdout.trim()))).toBe(false);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'ends everything and removes all on %s',
    async (signal) => {
      const busy = `trap '' INT TERM HUP; (while :; do echo > "$TMPDIR/$(date +%N)"; done) & sleep 1000`;
      const child = spawn(ISOLATED, ['sh', '-c', busy], {
        env: { PATH: toolPath(), TMPDIR: folder, MARK: folder },
        stdio: 'ignore',
      });
      await vi.waitFor(
        () => expect(readdirSync(folder, { recursive: true }).length).toBeGreaterThan(2),
        15_000,
      );
      child.kill(signal);
      await new Promise((resolve) => child.once('close', resolve));
      expect(readdirSync(folder)).toEqual([]);
      await vi.waitFor(() => expect(processesMarked(folder)).toEqual([]), 15_000);
    },
  );
});

/** Processes that run with the mark in their environment. */
function processesMarked(mark: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .filter((pid) => environmentOf(pid).includes(`MARK=${mark}`));
}

function environmentOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
}
