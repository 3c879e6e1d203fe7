/** Control groups for containers of a test: all below the one that build/isolated.sh takes away. */

import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const MOUNTED = '/sys/fs/cgroup';
/** A file, a control group that is open, a process. */
const GONE = new Set<unknown>(['ENOENT', 'ENODEV', 'ESRCH']);

export interface ControlGroup {
  /** As kubelet and the CRI name it: from the root of each hierarchy. */
  readonly path: string;
  /** Kills what runs in it, and removes it. */
  remove(): Promise<void>;
}

/** A name for a control group, made by whoever uses it first. */
export function controlGroup(name: string): ControlGroup {
  const path = join('/', process.env.ISOLATED ?? 'calico-cni-tests', name);
  return {
    path,
    remove: async () => {
      const folders = hierarchies().flatMap((hierarchy) => foldersBelow(join(hierarchy, path)));
      for (const folder of folders) killAll(folder);
      for (const folder of folders) await removeWhenEmpty(folder);
    },
  };
}

/** One of version 2, or one for each controller of version 1. */
function hierarchies(): readonly string[] {
  if (existsSync(join(MOUNTED, 'cgroup.controllers'))) return [MOUNTED];
  return readdirSync(MOUNTED).map((name) => join(MOUNTED, name));
}

/** The folder and all below, deepest first; none when it does not exist. Those who made them may just remove them. */
function foldersBelow(folder: string): readonly string[] {
  const entries = unlessGone(() => readdirSync(folder, { withFileTypes: true }));
  if (entries === undefined) return [];
  const below = entries.filter((entry) => entry.isDirectory());
  return [...below.flatMap(({ name }) => foldersBelow(join(folder, name))), folder];
}

function killAll(folder: string): void {
  const text = unlessGone(() => readFileSync(join(folder, 'cgroup.procs'), 'utf8')) ?? '';
  const pids = text.split('\n').map(Number);
  for (const pid of pids.filter((pid) => pid > 0)) unlessGone(() => process.kill(pid, 'SIGKILL'));
}

function unlessGone<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof Error && 'code' in error && GONE.has(error.code)) return undefined;
    throw error;
  }
}

async function removeWhenEmpty(folder: string): Promise<void> {
  for (let tries = 100; tries > 0 && existsSync(folder); tries -= 1) {
    try {
      rmdirSync(folder);
    } catch {
      await sleep(50);
    }
  }
}
