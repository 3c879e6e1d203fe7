/** Runs another plugin as a child process: a configuration in, its answer or its error out. */

import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { CalicoError, errorText } from '../base/calico-error.ts';
import { checkInterruption, type Deadline, unlessInterrupted } from '../base/deadline.ts';
import { describeJson, isJsonObject } from '../base/json-object.ts';
import type { CniCommand, Environment } from './environment.ts';
import { CniError, CODE_OF_KIND } from './error.ts';

export interface DelegateRun {
  /** The executable. */
  readonly path: string;
  readonly command: CniCommand;
  readonly stdin: string;
  /** All of its environment but CNI_COMMAND. */
  readonly env: Environment;
  /** When the plugin is killed. */
  readonly deadline: Deadline;
  /** Gets what the plugin says on stderr, as it says it. */
  readonly writeStderr: (text: string) => void;
}

/** The error of another plugin, with its own code, message and details. */
export class DelegateError extends CniError {
  constructor(code: number, message: string, details?: string) {
    super(code, 'delegate', message, details === undefined ? {} : { details });
  }
}

const MAX_OUTPUT_CHARACTERS = 8 * 1024 * 1024;
const MAX_QUOTED_CHARACTERS = 4096;

/** An installer may be writing the executable at this moment; the runtime, too, then tries six times. */
const BUSY_TRIES = 6;
const BUSY_PAUSE_MS = 1_000;

/** How long a plugin that was told to stop may take to put things in order. */
const STOP_MS = 3_000;

/**
 * What the plugin printed on stdout. Throws {@link DelegateError} when it fails, `unavailable` when it is not
 * done by the deadline; it has been killed then, but what it started itself has not. When this call is interrupted the
 * plugin gets SIGTERM, and the call ends with it.
 *
 * Should this process be killed (SIGKILL), the plugin lives on: Linux lets a process ask to die with its parent
 * (PR_SET_PDEATHSIG), but only for itself, and nothing of ours runs in it. It finds its pipes closed; our own
 * calico-ipam looks for its parent before it gives an address away; what another one did, a DEL takes back.
 */
export async function runDelegate(run: DelegateRun): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    checkInterruption(run.deadline);
    try {
      const ended = await execute(run);
      checkInterruption(run.deadline);
      if (ended.failure === undefined) return ended.stdout;
      throw delegateError(ended, ended.failure);
    } catch (error) {
      if (!isTextFileBusy(error) || attempt === BUSY_TRIES) throw spawnFailure(error);
      const pauseMs = Math.min(BUSY_PAUSE_MS, run.deadline.remainingMs());
      const pause = new Promise((resolve) => setTimeout(resolve, pauseMs));
      await unlessInterrupted(run.deadline, pause);
    }
  }
}

interface Ended {
  /** `exit status 1`, `signal: SIGTERM`; `undefined` when it succeeded. */
  readonly failure: string | undefined;
  readonly stdout: string;
  /** The end of what it said there. */
  readonly stderr: string;
}

function execute(run: DelegateRun): Promise<Ended> {
  const { promise, resolve, reject } = Promise.withResolvers<Ended>();
  const child = start(run);
  let [stdout, stderr] = ['', ''];
  const stop = (error: Error) => {
    kill(child);
    reject(error);
  };
  let timer = setTimeout(() => stop(timedOut(run)), run.deadline.remainingMs());
  const stopGently = () => {
    clearTimeout(timer);
    child.kill('SIGTERM');
    timer = setTimeout(() => stop(outlasted(run)), STOP_MS);
  };
  const listening = run.deadline.interruption.listen(stopGently);
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (stdout.length > MAX_OUTPUT_CHARACTERS) stop(tooMuchOutput(run));
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-MAX_QUOTED_CHARACTERS);
    run.writeStderr(text);
  });
  child.on('error', reject);
  child.on('close', (exitCode, signal) => resolve({ failure: failureOf(exitCode, signal), stdout, stderr }));
  // A plugin may end without having read its configuration.
  child.stdin.on('error', () => undefined).end(run.stdin);
  return promise.finally(() => {
    clearTimeout(timer);
    listening[Symbol.dispose]();
  });
}

/** No shell; and the module, which owns native handles, is evaluated only when there is something to run. */
function start({ path, command, env }: DelegateRun): ChildProcessWithoutNullStreams {
  const { spawn } = process.getBuiltinModule('node:child_process');
  return spawn(path, [], { env: { ...env, CNI_COMMAND: command }, stdio: 'pipe' });
}

/** Closes our ends of the pipes as well: a child of the child may hold the others open for long. */
function kill(child: ChildProcessWithoutNullStreams): void {
  child.kill('SIGKILL');
  child.stdout.destroy();
  child.stderr.destroy();
}

function failureOf(exitCode: number | null, signal: string | null): string | undefined {
  if (exitCode === 0) return undefined;
  return exitCode === null ? `signal: ${signal}` : `exit status ${exitCode}`;
}

function delegateError({ stdout, stderr }: Ended, failure: string): DelegateError {
  if (stdout === '') {
    return new DelegateError(
      CODE_OF_KIND.delegate,
      stderr === ''
        ? `netplugin failed with no error message: ${failure}`
        : `netplugin failed: ${JSON.stringify(stderr)}`,
    );
  }
  try {
    return decodeError(JSON.parse(stdout), failure);
  } catch (cause) {
    const quoted = JSON.stringify(stdout.slice(0, MAX_QUOTED_CHARACTERS));
    return new DelegateError(
      CODE_OF_KIND.delegate,
      `netplugin failed but error parsing its diagnostic message ${quoted}: ${errorText(cause)}`,
    );
  }
}

/** Error object of CNI 1.1 §Error. A plugin that leaves the code out gets the one of all delegates. */
function decodeError(value: unknown, failure: string): DelegateError {
  if (!isJsonObject(value)) throw new TypeError(`it must be an object, found ${describeJson(value)}`);
  const { code, msg, details } = value;
  return new DelegateError(
    typeof code === 'number' && Number.isSafeInteger(code) && code > 0 ? code : CODE_OF_KIND.delegate,
    typeof msg === 'string' && msg !== '' ? msg : `netplugin failed with no error message: ${failure}`,
    typeof details === 'string' ? details : undefined,
  );
}

function timedOut({ path, command, deadline }: DelegateRun): CalicoError {
  return new CalicoError(
    'unavailable',
    `${deadline.of} did not finish within ${deadline.budgetMs} ms: time was up while ${path} did its ${command}, and it was killed`,
  );
}

function outlasted({ path, command, deadline }: DelegateRun): CalicoError {
  return new CalicoError(
    'unavailable',
    `terminated by ${deadline.interruption.signal()} before ${deadline.of} was done: ${path} went on with its ${command} for ${STOP_MS} ms, and was killed`,
  );
}

function tooMuchOutput({ path, command }: DelegateRun): DelegateError {
  return new DelegateError(
    CODE_OF_KIND.delegate,
    `netplugin failed: ${path} printed more than ${MAX_OUTPUT_CHARACTERS} characters at ${command} and was killed`,
  );
}

function isTextFileBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ETXTBSY';
}

/** What is not yet one of our errors is the operating system's, about an executable it cannot start. */
function spawnFailure(error: unknown): unknown {
  if (error instanceof CalicoError) return error;
  return new DelegateError(
    CODE_OF_KIND.delegate,
    `netplugin failed with no error message: ${errorText(error)}`,
  );
}
