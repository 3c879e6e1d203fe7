/** Takes steps in the kernel, in their order. One that fails does not keep the others from being taken. */

import { stopChecksumOffload } from '../../network/checksum-offload.ts';
import { findLink } from '../../network/find-link.ts';
import { changeMany } from '../../network/netlink/batch.ts';
import type { NetlinkRequest } from '../../network/netlink/header.ts';
import type { NetlinkSocket } from '../../network/netlink/socket.ts';
import { writeSysctl } from '../../network/write-sysctl.ts';
import type { HostStep, StopOffload, WriteSysctl } from '../reconcile/host-step.ts';
import type { ObservedLink } from '../reconcile/observed-host.ts';
import { hostStepFailure, isDoneAlready, type StepFailure } from './host-step-failure.ts';
import { changesIndex, deviceOf, hostStepRequest, type MessageStep } from './host-step-request.ts';

/** An interface as last seen. */
export type KnownLink = Pick<ObservedLink, 'name' | 'ifIndex'>;

/**
 * Steps that follow each other go to the kernel in one write of many messages. Synchronous: nothing else of this process
 * happens in between. `links` are those that need not be asked for.
 */
export function applySteps(
  socket: NetlinkSocket,
  steps: readonly HostStep[],
  links: readonly KnownLink[] = [],
): readonly StepFailure[] {
  const indexOf = rememberIndexes(socket, links);
  const failures: StepFailure[] = [];
  let batch: Message[] = [];
  const flush = () => {
    failures.push(...send(socket, batch));
    batch = [];
  };
  for (const step of steps) {
    if (step.do === 'write-sysctl' || step.do === 'stop-offload') {
      // The device may be made by what waits to be sent.
      if (step.do === 'stop-offload') flush();
      failures.push(...callKernel(step));
      continue;
    }
    const message = messageOf(step, indexOf);
    if (message === undefined) failures.push(...missingDevice(step));
    else batch.push(message);
    if (changesIndex(step)) {
      flush();
      indexOf.forget();
    }
  }
  flush();
  return failures;
}

interface Message {
  readonly step: MessageStep;
  readonly request: NetlinkRequest;
}

/** `undefined` when the interface that the step is about is not there. */
function messageOf(step: MessageStep, { find }: Indexes): Message | undefined {
  const device = deviceOf(step);
  const ifIndex = device === undefined ? 0 : find(device);
  return ifIndex === undefined ? undefined : { step, request: hostStepRequest(step, ifIndex) };
}

function send(socket: NetlinkSocket, messages: readonly Message[]): readonly StepFailure[] {
  const outcomes = changeMany(
    socket,
    messages.map(({ request }) => request),
  );
  return messages.flatMap(({ step }, index) => {
    const error = outcomes[index];
    return error === undefined || isDoneAlready(step, error) ? [] : [hostStepFailure(step, error)];
  });
}

function missingDevice(step: MessageStep): readonly StepFailure[] {
  if (step.do.startsWith('delete-')) return [];
  return [hostStepFailure(step, new Error(`there is no interface ${deviceOf(step) ?? ''}`))];
}

function callKernel(step: WriteSysctl | StopOffload): readonly StepFailure[] {
  try {
    if (step.do === 'stop-offload') stopChecksumOffload(step.device);
    else writeSysctl(step.sysctl.key, step.sysctl.value);
    return [];
  } catch (error) {
    return [hostStepFailure(step, error)];
  }
}

interface Indexes {
  /** `undefined`: there is no such interface. */
  readonly find: (name: string) => number | undefined;
  readonly forget: () => void;
}

function rememberIndexes(socket: NetlinkSocket, links: readonly KnownLink[]): Indexes {
  const known = new Map<string, number | undefined>(links.map(({ name, ifIndex }) => [name, ifIndex]));
  return {
    find: (name) => {
      if (!known.has(name)) known.set(name, findLink(socket, name)?.ifIndex);
      return known.get(name);
    },
    forget: () => known.clear(),
  };
}
