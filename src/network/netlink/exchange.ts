/** How the replies to one exchange are gathered, whatever they are read from. Pure but for the reading it is given. */

import type { KernelError } from '../kernel-error.ts';
import type { NetlinkMessage, NetlinkRequest } from './header.ts';
import { NLM_F_DUMP_INTR } from './header.ts';
import { isFinal, replyError } from './reply.ts';

/** Waits for the next datagram and gives its messages. */
export type Receive = (requestName: string) => readonly NetlinkMessage[];

/** One place per request, in order: `undefined` once it is acknowledged, else its error. */
export type Outcomes = readonly (KernelError | undefined)[];

/** Waits until every request, numbered from `firstSequence` on, is acknowledged or refused. */
export function collectOutcomes(
  requests: readonly NetlinkRequest[],
  firstSequence: number,
  receive: Receive,
): Outcomes {
  const outcomes: (KernelError | undefined)[] = requests.map(() => undefined);
  let outstanding = requests.length;
  while (outstanding > 0) {
    for (const message of receive(requests[0]?.name ?? '')) {
      const index = message.sequence - firstSequence;
      const request = requests[index];
      if (request === undefined || !isFinal(message)) continue;
      outcomes[index] = replyError(message, request.name);
      outstanding -= 1;
    }
  }
  return outcomes;
}

/**
 * Waits until a transaction, whose first request is numbered `firstSequence` and whose beginning and end are one before
 * and one after its requests, is made or refused as a whole; then throws the first error.
 */
export function collectTransaction(
  requests: readonly NetlinkRequest[],
  firstSequence: number,
  receive: Receive,
): void {
  const acknowledged = new Map<number, KernelError | undefined>();
  while (acknowledged.size < requests.length) {
    for (const message of receive(requests[0]?.name ?? '').filter(isFinal)) {
      const index = message.sequence - firstSequence;
      const isMark = index === -1 || index === requests.length;
      const error = replyError(message, requests[index]?.name ?? 'the transaction');
      if (isMark && error !== undefined) throw error;
      if (requests[index] !== undefined) acknowledged.set(index, error);
    }
  }
  for (const error of acknowledged.values()) if (error !== undefined) throw error;
}

/** Waits for the one answer to a question; throws what the kernel refused it with. */
export function collectAnswer(request: NetlinkRequest, sequence: number, receive: Receive): Buffer {
  for (;;) {
    const message = receive(request.name).find((candidate) => candidate.sequence === sequence);
    if (message === undefined) continue;
    const error = replyError(message, request.name);
    if (error !== undefined) throw error;
    return message.payload;
  }
}

/** The entries of one pass through a table; `undefined` when the table changed meanwhile. */
export function collectDump(
  request: NetlinkRequest,
  sequence: number,
  receive: Receive,
): readonly Buffer[] | undefined {
  const entries: Buffer[] = [];
  let wasDisturbed = false;
  for (;;) {
    for (const message of receive(request.name)) {
      if (message.sequence !== sequence) continue;
      wasDisturbed ||= (message.flags & NLM_F_DUMP_INTR) !== 0;
      const error = replyError(message, request.name);
      if (error !== undefined) throw error;
      if (isFinal(message)) return wasDisturbed ? undefined : entries;
      entries.push(message.payload);
    }
  }
}
