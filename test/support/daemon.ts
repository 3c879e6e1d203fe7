/** A server that a test needs: started in its own directory, ready when the promise is, gone when stopped. */

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pauseProcess } from './pause.ts';
import { toolPath } from './tools.ts';

export interface DaemonOptions {
  /** Its working directory, which holds its log, too. */
  readonly directory: string;
  /** Asked until it is true; a rejection means no. */
  readonly isReady: () => Promise<boolean>;
  /** Added to the test's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

export interface Daemon {
  /** All that it has written. */
  log(): string;
  /** Stops answering without closing connections, as a stuck server does. */
  pause(): void;
  /** Goes on after {@link Daemon.pause}. */
  resume(): void;
  /** Ends it with a signal, `SIGKILL` unless told otherwise, and returns when it is gone. */
  stop(signal?: NodeJS.Signals): Promise<void>;
}

const LOG_SHOWN = 4000;

/** Starts `argv` and returns when it is ready; throws with the end of its log when it never is. It dies with the test. */
export async function startDaemon(argv: readonly string[], options: DaemonOptions): Promise<Daemon> {
  const [program = ''] = argv;
  const name = program.replace(/.*\//, '');
  const logPath = join(options.directory, `${name}.log`);
  const child = spawnLogged(argv, options, logPath);
  const ended = new Promise<string>((resolve) => {
    child.once('error', ({ message }) => resolve(message));
    child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? code}`));
  });
  const daemon: Daemon = {
    log: () => readFileSync(logPath, 'utf8'),
    pause: () => {
      if (child.pid !== undefined) pauseProcess(child.pid);
    },
    resume: () => void child.kill('SIGCONT'),
    stop: async (signal = 'SIGKILL') => {
      child.kill(signal);
      await ended;
    },
  };
  const failure = await whyNotReady(options, ended);
  if (failure === undefined) return daemon;
  await daemon.stop();
  throw new Error(`${name} did not start: ${failure}\n${daemon.log().slice(-LOG_SHOWN)}`);
}

function spawnLogged(argv: readonly string[], options: DaemonOptions, logPath: string): ChildProcess {
  const log = openSync(logPath, 'a');
  try {
    return spawn('setpriv', ['--pdeathsig', 'KILL', ...argv], {
      cwd: options.directory,
      env: { ...process.env, PATH: toolPath(), ...options.env },
      stdio: ['ignore', log, log],
    });
  } finally {
    closeSync(log);
  }
}

/** `undefined` as soon as it is ready. */
async function whyNotReady(options: DaemonOptions, ended: Promise<string>): Promise<string | undefined> {
  const { isReady, timeoutMs = 60_000 } = options;
  const giveUp = AbortSignal.timeout(timeoutMs);
  const poll = async (): Promise<string | undefined> => {
    while (!giveUp.aborted) {
      if (await isReady().catch(() => false)) return undefined;
      await sleep(50);
    }
    return `not ready after ${timeoutMs} ms`;
  };
  return Promise.race([poll(), ended]);
}
