/** Takes from a host what its agent has made there: routes, tunnels, tables of nftables, files. */

import { existsSync, rmSync } from 'node:fs';
import { errorText, isCalicoError } from '../../base/calico-error.ts';
import type { IpFamily } from '../../base/ip-address.ts';
import { openFilterSocket, openNetlinkSocket } from '../../network/netlink/socket.ts';
import { FAMILIES } from '../cluster.ts';
import { applySteps } from '../kernel/apply.ts';
import { createObserver } from '../kernel/observe.ts';
import { hasNat, removeNat } from '../nat/keep-nat.ts';
import { NAT_TABLE } from '../nat/nat-table.ts';
import { formatHostStep } from '../reconcile/format-step.ts';
import { planRemoval, type RemovalOptions } from '../reconcile/plan-removal.ts';

export interface RemovalRequest extends RemovalOptions {
  readonly isDryRun: boolean;
  /** Paths of what the agent has written; those that are missing do not matter. */
  readonly files: readonly string[];
}

export interface Removal {
  /** As commands, in the order in which they were, or would be, done. */
  readonly done: readonly string[];
  /** What could not be done, and why. */
  readonly failures: readonly string[];
}

interface Task {
  readonly command: string;
  readonly run: () => void;
}

/** In the calling thread's network namespace. No agent may run there. Throws {@link KernelError} when it cannot be looked at. */
export function removeFromHost({ isDryRun, files, ...options }: RemovalRequest): Removal {
  using socket = openNetlinkSocket();
  const steps = planRemoval(createObserver(socket).look().observed, options);
  const tasks: readonly Task[] = [...natTasks(), ...files.filter(existsSync).map(fileTask)];
  if (isDryRun)
    return { done: [...steps.map(formatHostStep), ...tasks.map(({ command }) => command)], failures: [] };
  const refused = new Map(applySteps(socket, steps).map(({ step, error }) => [step, error.message]));
  const outcomes = tasks.map(({ command, run }) => ({ command, failure: failureOf(command, run) }));
  return {
    done: [
      ...steps.filter((step) => !refused.has(step)).map(formatHostStep),
      ...outcomes.filter(({ failure }) => failure === undefined).map(({ command }) => command),
    ],
    failures: [...refused.values(), ...outcomes.flatMap(({ failure }) => failure ?? [])],
  };
}

/** A kernel without nftables has no tables. */
function natTasks(): readonly Task[] {
  return FAMILIES.filter((family) => {
    try {
      using filter = openFilterSocket();
      return hasNat(filter, family);
    } catch {
      return false;
    }
  }).map((family) => ({ command: `nft delete table ${tableOf(family)}`, run: () => dropTable(family) }));
}

function dropTable(family: IpFamily): void {
  using filter = openFilterSocket();
  removeNat(filter, family);
}

function tableOf(family: IpFamily): string {
  return `${family === 4 ? 'ip' : 'ip6'} ${NAT_TABLE}`;
}

function fileTask(path: string): Task {
  return { command: `rm ${path}`, run: () => rmSync(path) };
}

function failureOf(command: string, run: () => void): string | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return `failed: ${command}: ${isCalicoError(error) ? error.message : errorText(error)}`;
  }
}
