/** A call of the executable on a simulated node that is under way, to be sent signals. */

import { type ChildProcess, spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { EXECUTABLE_FOLDER, executable, type ProgramName } from './executable.ts';
import type { SimulatedNode } from './simulated-node.ts';
import { REFERENCE_PLUGINS, toolPath } from './tools.ts';

export interface RunningCall {
  readonly process: ChildProcess;
  /** How long ago it was started. */
  elapsedMs(): number;
  readonly ended: Promise<EndedCall>;
}

export interface EndedCall {
  readonly stdout: string;
  readonly stderr: string;
  /** `undefined` when a signal ended it. */
  readonly exitCode: number | undefined;
  readonly elapsedMs: number;
}

export interface CallToStart {
  readonly program?: ProgramName;
  readonly containerId: string;
  readonly netns?: string;
  readonly conf?: object;
  readonly args?: string;
  /** Before the folders of the executable and of the reference plugins. */
  readonly path?: string;
  /** Without it, stdin stays open. */
  readonly hasEnd?: boolean;
}

export function startCall(node: SimulatedNode, command: string, call: CallToStart): RunningCall {
  const startedMs = performance.now();
  const elapsedMs = () => performance.now() - startedMs;
  const path = [call.path, EXECUTABLE_FOLDER, REFERENCE_PLUGINS].filter((folder) => folder !== undefined);
  const child = spawn('ip', ['netns', 'exec', node.host.name, executable(call.program ?? 'calico')], {
    env: {
      PATH: toolPath(),
      CNI_COMMAND: command,
      CNI_CONTAINERID: call.containerId,
      CNI_IFNAME: 'eth0',
      CNI_PATH: path.join(':'),
      ...(call.netns === undefined ? {} : { CNI_NETNS: call.netns }),
      ...(call.args === undefined ? {} : { CNI_ARGS: call.args }),
    },
    timeout: 60_000,
    killSignal: 'SIGKILL',
  });
  child.stdin.on('error', () => undefined).write(JSON.stringify(node.conf(call.conf)));
  if (call.hasEnd ?? true) child.stdin.end();
  const closed = new Promise<number | undefined>((resolve, reject) => {
    child.once('error', reject).once('close', (code) => resolve(code ?? undefined));
  });
  const ended = Promise.all([text(child.stdout), text(child.stderr), closed]).then(
    ([stdout, stderr, exitCode]) => ({ stdout, stderr, exitCode, elapsedMs: elapsedMs() }),
  );
  return { process: child, elapsedMs, ended };
}
