/**
 * The process: the name it was called by, arguments, environment, clock, chance, exit code. Nothing else in `src`
 * names `process`, so that all the rest can be tested without one.
 *
 * The executable begins with what was evaluated when it was built (a startup snapshot): all modules that are imported
 * at the top of a file, here and below. So nothing that belongs to one run may be read outside a function, and no
 * module that owns handles imported at the top; what `import()` names is evaluated when it is asked for.
 */

import { writeSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { startupSnapshot } from 'node:v8';
import packageJson from '../package.json' with { type: 'json' };
import { CalicoError } from './base/calico-error.ts';
import { type Clock, deadlineIn } from './base/deadline.ts';
import { createInterrupter, type Interruption } from './base/interruption.ts';
import { sha1Hex } from './base/sha1.ts';
import { systemRandom } from './base/system-random.ts';
import type { ExitCode } from './cli/command-world.ts';
import { type Program, readInvocation, usage } from './cli/program-arguments.ts';
import { needsCleanStart, withoutRuntimeVariables } from './cli/runtime-variables.ts';
import { type CniPlugin, dispatch } from './cni/dispatch.ts';
import { formatError } from './cni/error.ts';
import { readText } from './cni/stdin.ts';
import { NEWEST_VERSION } from './cni/version.ts';
import { exitAtOnce, hasLostReader, waitForData } from './network/native.ts';
import { STDIN_BUDGET_MS, STOP_BUDGET_MS } from './plugins/budgets.ts';
import { calicoPlugin } from './plugins/calico/plugin.ts';
import { calicoIpamPlugin } from './plugins/calico-ipam/plugin.ts';
import type { World } from './plugins/world.ts';

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const RETRY_MS = 5;

type Environment = Readonly<Record<string, string>>;

function start(): void {
  process.on('uncaughtException', failHard);
  main(startCleanly()).then(end, failHard);
}

/** A connection, a timer or a lookup that was left behind must not keep a finished call alive. */
function end(exitCode: ExitCode): void {
  try {
    exitAtOnce(exitCode);
  } catch {
    process.exit(exitCode);
  }
}

/**
 * Gives the environment that everything below sees, delegates too. Where it is not the one of this process yet, replaces
 * the process, so that it stays the one the runtime waits for. Nothing has been read from stdin.
 */
function startCleanly(): Environment {
  const given = { ...process.env };
  const env = withoutRuntimeVariables(given);
  if (needsCleanStart(given))
    process.execve?.(process.execPath, [process.argv0, ...process.argv.slice(2)], env);
  for (const name of Object.keys(given)) if (!(name in env)) delete process.env[name];
  return env;
}

/** The exit codes are those of Calico's plugin: 2 is a flag it does not know. */
async function main(env: Environment): Promise<ExitCode> {
  const invocation = readInvocation(basename(process.argv0), process.argv.slice(2));
  switch (invocation.run) {
    case 'version':
      await write(STDOUT, `${packageJson.version}\n`);
      return 0;
    case 'help':
      await write(STDERR, usage(invocation.program));
      return 0;
    case 'command':
      return runCommand(invocation.args, env);
    case 'refuse':
      await write(STDERR, `${invocation.why}\n${usage(invocation.program)}`);
      return 2;
    case 'cni': {
      const interruption = listenForSignals();
      const port = processPort(env, interruption);
      return dispatch(port, plugin(invocation.program, world(env, interruption)));
    }
  }
}

/**
 * A call that is told to stop ends what it waits for, takes back what it did and answers; if that takes too long, or when
 * it is told again, it ends as it is.
 */
function listenForSignals(): Interruption {
  const { interruption, interrupt } = createInterrupter();
  const stop = (signal: string) => {
    if (interruption.signal() !== undefined) return stopAtOnce(`${signal}, for the second time,`);
    interrupt(signal);
    void setTimeout(STOP_BUDGET_MS).then(() => stopAtOnce(`${signal} ${STOP_BUDGET_MS} ms ago`));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  return interruption;
}

function stopAtOnce(by: string): void {
  const error = new CalicoError('unavailable', `terminated by ${by} before it was done`, {
    details: 'what was done has not been taken back: a DEL of the container removes it',
  });
  if (!hasAnswered) tryWrite(STDOUT, formatError(error, NEWEST_VERSION));
  end(1);
}

/** Whether stdout holds the one JSON document it may hold. */
let hasAnswered = false;

function processPort(env: Environment, interruption: Interruption) {
  const readStdin = () => {
    const deadline = deadlineIn(systemClock(), STDIN_BUDGET_MS, 'the call', interruption);
    return readText({ fd: STDIN, waitForData, deadline });
  };
  return {
    env,
    readStdin,
    writeStdout: (text: string) => {
      hasAnswered = true;
      return write(STDOUT, text);
    },
    writeStderr: (text: string) => write(STDERR, text),
  };
}

/** Commands are in a bundle of their own, beside the snapshot. */
async function runCommand(args: readonly string[], env: Environment): Promise<ExitCode> {
  // A cluster of any size is read: collecting garbage more often costs a third more time and saves half of the memory.
  process.getBuiltinModule('node:v8').setFlagsFromString('--optimize-for-size');
  const { operate } = await import('./operator.ts');
  const { interruption, interrupt } = createInterrupter();
  process.on('SIGTERM', interrupt);
  process.on('SIGINT', interrupt);
  return operate(args, {
    version: packageJson.version,
    env,
    pid: process.pid,
    executable: process.execPath,
    clock: systemClock(),
    random: systemRandom,
    interruption,
    terminal: { isTerminal: process.stdout.isTTY === true, columns: process.stdout.columns ?? 80 },
    writeStdout: (text) => write(STDOUT, text),
    writeStderr: (text) => write(STDERR, text),
    readStdin: () => processPort(env, interruption).readStdin(),
    ask: (question) => ask(question, interruption),
  });
}

/** On stderr, so that stdout can be a file. */
async function ask(question: string, interruption: Interruption): Promise<string | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  const { createInterface } = process.getBuiltinModule('node:readline/promises');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  using _listening = interruption.listen(() => lines.close());
  // Closing is how Ctrl-C and Ctrl-D answer.
  const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  try {
    return await Promise.race([lines.question(question), closed]);
  } finally {
    lines.close();
  }
}

function plugin(program: Program, world: World): CniPlugin {
  const about = `Calico CNI plugin ${packageJson.version}`;
  return program === 'calico-ipam' ? calicoIpamPlugin(world, about) : calicoPlugin(world, about);
}

function world(env: Environment, interruption: Interruption): World {
  const startedBy = process.ppid;
  return {
    env,
    pid: process.pid,
    // A parent that was gone before we looked is told by its end of our stdout.
    isOrphan: () => process.ppid !== startedBy || hasLostReader(STDOUT),
    clock: systemClock(),
    interruption,
    random: systemRandom,
    sha1Hex,
    // A runtime that stopped reading our log is no reason to fail.
    writeStderr: (text) => void write(STDERR, text).catch(() => undefined),
  };
}

/** `performance` would do as well, but takes 1 ms to load. */
function systemClock(): Clock {
  const sinceStartNs = () => BigInt(Math.round(process.uptime() * 1e9));
  const startNs = BigInt(Date.now()) * 1_000_000n - sinceStartNs();
  return {
    nowNs: () => startNs + sinceStartNs(),
    monotonicMs: () => process.uptime() * 1e3,
    sleep: (ms) => setTimeout(ms),
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

/** As much as can be written at once. */
function tryWrite(fd: number, text: string): void {
  try {
    writeSync(fd, text);
  } catch {
    // Nobody reads it: there is nobody to tell.
  }
}

/** What nobody caught is a mistake of ours; the runtime is told in its own language all the same. */
function failHard(error: unknown): void {
  const stack = `${error instanceof Error ? error.stack : String(error)}\n`;
  const answer = hasAnswered ? '' : formatError(error, NEWEST_VERSION);
  hasAnswered = true;
  Promise.allSettled([write(STDERR, stack), write(STDOUT, answer)]).finally(() => end(1));
}

if (startupSnapshot.isBuildingSnapshot()) {
  // Of Node's large modules, those that a snapshot can hold: TLS stands on both.
  process.getBuiltinModule('node:net');
  process.getBuiltinModule('node:crypto');
  startupSnapshot.setDeserializeMainFunction(start);
} else {
  start();
}
