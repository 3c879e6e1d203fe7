/** Operator commands in the test's own process: what they print, and their exit code. */

import type { CommandWorld, ExitCode } from '../../src/cli/command-world.ts';
import { operate } from '../../src/operator.ts';
import { instantClock } from './cut-line.ts';

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: ExitCode;
}

export interface CommandInput {
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

/** A world without a terminal, a signal or a real clock; `written` gets what is printed. */
export function testWorld(input: CommandInput, written: { stdout: string; stderr: string }): CommandWorld {
  let uuids = 0;
  const world = {
    version: '0.0.0',
    env: input.env ?? {},
    pid: 1,
    executable: '/opt/cni/bin/calico',
    clock: instantClock(1_795_257_492_000_000_000n),
    random: {
      uuid: () => `0cac4ac7-de65-40ff-a15e-${String(++uuids).padStart(12, '0')}`,
      bytes: (count: number) => new Uint8Array(count),
      fraction: () => 0,
    },
    interruption: { signal: () => undefined, listen: () => ({ [Symbol.dispose]: () => undefined }) },
    terminal: { isTerminal: false, columns: 80 },
    writeStdout: async (text: string) => {
      written.stdout += text;
    },
    writeStderr: async (text: string) => {
      written.stderr += text;
    },
    readStdin: async () => input.stdin ?? '',
    /** Nobody sits there. */
    ask: async () => undefined,
  };
  return world;
}

export async function commandLine(args: readonly string[], input: CommandInput = {}): Promise<CommandResult> {
  const written = { stdout: '', stderr: '' };
  const exitCode = await operate(args, testWorld(input, written));
  return { ...written, exitCode };
}
