/**
 * The process: the name it was called by, arguments, environment, clock, chance, exit code. Nothing else in `src`
 * names `process`, so that all the rest can be tested without one.
 */

import { writeSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import packageJson from '../package.json' with { type: 'json' };
import { systemRandom } from './base/system-random.ts';
import { type Program, readInvocation, usage } from './cli/program-arguments.ts';
import { needsCleanStart, withoutRuntimeVariables } from './cli/runtime-variables.ts';
import { type CniPlugin, dispatch } from './cni/dispatch.ts';
import { cniErrorOf, formatError } from './cni/error.ts';
import { readText } from './cni/stdin.ts';
import { NEWEST_VERSION } from './cni/version.ts';
import type { World } from './plugins/world.ts';

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const RETRY_MS = 5;
const STARTED_BY = process.ppid;

/** Everything below sees this environment, delegates too. */
const ENVIRONMENT = withoutRuntimeVariables(process.env);

/** Replaces this process, so that it stays the one the runtime waits for. Nothing has been read from stdin yet. */
function startCleanly(): void {
  if (needsCleanStart(process.env))
    process.execve?.(process.execPath, [process.argv0, ...process.argv.slice(2)], ENVIRONMENT);
  for (const name of Object.keys(process.env)) if (!(name in ENVIRONMENT)) delete process.env[name];
}

/** The exit codes are those of Calico's plugin: 2 is a flag it does not know. */
async function main(): Promise<0 | 1 | 2> {
  const invocation = readInvocation(basename(process.argv0), process.argv.slice(2));
  switch (invocation.run) {
    case 'version':
      await write(STDOUT, `${packageJson.version}\n`);
      return 0;
    case 'help':
      await write(STDERR, usage(invocation.program));
      return 0;
    case 'bootstrap':
      return runBootstrap(invocation.args);
    case 'refuse':
      await write(STDERR, `${invocation.why}\n${usage(invocation.program)}`);
      return 2;
    case 'cni':
      return dispatch(processPort(), await plugin(invocation.program));
  }
}

/** Whether stdout holds the one JSON document it may hold. */
let hasAnswered = false;

function processPort() {
  return {
    env: ENVIRONMENT,
    readStdin: () => readText(STDIN),
    writeStdout: (text: string) => {
      hasAnswered = true;
      return write(STDOUT, text);
    },
    writeStderr: (text: string) => write(STDERR, text),
  };
}

async function runBootstrap(args: readonly string[]): Promise<0 | 1> {
  const { bootstrap } = await import('./cli/bootstrap.ts');
  try {
    await write(STDOUT, await bootstrap(args, world()));
    return 0;
  } catch (error) {
    const { msg, details } = cniErrorOf(error);
    await write(STDERR, `Error: ${[msg, details].filter(Boolean).join('\n')}\n`);
    return 1;
  }
}

/** Only the program that was called is evaluated. */
async function plugin(program: Program): Promise<CniPlugin> {
  const about = `Calico CNI plugin ${packageJson.version}`;
  if (program === 'calico-ipam') {
    const { calicoIpamPlugin } = await import('./plugins/calico-ipam/plugin.ts');
    return calicoIpamPlugin(world(), about);
  }
  const { calicoPlugin } = await import('./plugins/calico/plugin.ts');
  return calicoPlugin(world(), about);
}

function world(): World {
  return {
    env: ENVIRONMENT,
    pid: process.pid,
    isOrphan: () => process.ppid !== STARTED_BY,
    clock: {
      nowNs: () => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n,
      monotonicMs: () => performance.now(),
      sleep: (ms) => setTimeout(ms),
    },
    random: systemRandom,
    sha1Hex: (text) => process.getBuiltinModule('node:crypto').createHash('sha1').update(text).digest('hex'),
    // A runtime that stopped reading our log is no reason to fail.
    writeStderr: (text) => void write(STDERR, text).catch(() => undefined),
  };
}

/** Writes all of it, also to a pipe that is full for the moment. */
async function write(fd: number, text: string): Promise<void> {
  let rest: Uint8Array = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(fd, rest));
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      await setTimeout(RETRY_MS);
    }
  }
}

/** What nobody caught is a mistake of ours; the runtime is told in its own language all the same. */
function failHard(error: unknown): void {
  const stack = `${error instanceof Error ? error.stack : String(error)}\n`;
  const answer = hasAnswered ? '' : formatError(error, NEWEST_VERSION);
  hasAnswered = true;
  Promise.allSettled([write(STDERR, stack), write(STDOUT, answer)]).finally(() => process.exit(1));
}

startCleanly();
process.on('uncaughtException', failHard);
// A connection or a timer that a library left open must not keep a finished call alive.
main().then((exitCode) => process.exit(exitCode), failHard);
