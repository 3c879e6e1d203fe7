/**
 * A routing netlink socket: an ordinary file descriptor that stays in the namespace it was opened in, so
 * that a thread enters a namespace only to open it, comes back, and talks from outside.
 */

import { closeSync, read, readSync, write, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { isKernelError, KernelError } from '../kernel-error.ts';
import { enableNetlinkOption, openRouteSocket, setReceiveTimeout } from '../native.ts';
import {
  decodeMessages,
  encodeMessage,
  type NetlinkMessage,
  type NetlinkRequest,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
} from './header.ts';
import { isFinal, replyError } from './reply.ts';

const RECEIVE_TIMEOUT_MS = 5000;
/** No reply the kernel sends is longer: it cuts dumps into pieces of at most 32 KiB. */
const BUFFER_BYTES = 64 * 1024;
const DUMP_TRIES = 5;
const ETIMEDOUT = 110;

/** Errors carry the kernel's sentence. */
const NETLINK_EXT_ACK = 11;
/** Errors do not repeat the request. */
const NETLINK_CAP_ACK = 10;
/** The kernel honours the filters in dump requests. */
const NETLINK_GET_STRICT_CHK = 12;

/** Each method throws {@link KernelError} when the kernel refuses or does not answer in 5 s. */
export interface NetlinkSocket extends Disposable {
  /** Asks for one change and waits for the acknowledgement. */
  change(request: NetlinkRequest): void;
  /**
   * Asks for several changes in one write. The kernel works through all of them in order, also after one
   * failed; the answer has one place per request, `undefined` for success.
   */
  changeAll(requests: readonly NetlinkRequest[]): readonly (KernelError | undefined)[];
  /** Like {@link change}, but the thread pool waits for the kernel; nothing else may use the socket meanwhile. */
  changeInBackground(request: NetlinkRequest): Promise<void>;
  /** Asks for one object; gives the payload of the answer. */
  get(request: NetlinkRequest): Buffer;
  /** Asks for a list; gives the payload of each entry, all from one undisturbed pass. */
  dump(request: NetlinkRequest): readonly Buffer[];
  close(): void;
}

/** Opens a socket in the calling thread's present namespace. */
export function openNetlinkSocket(): NetlinkSocket {
  const fd = openRouteSocket();
  setReceiveTimeout(fd, RECEIVE_TIMEOUT_MS);
  for (const option of [NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK]) {
    enableNetlinkOption(fd, option);
  }
  return netlinkSocketOn(fd);
}

function netlinkSocketOn(fd: number): NetlinkSocket {
  const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  let sequence = 0;
  let isOpen = true;
  const close = () => {
    if (isOpen) closeSync(fd);
    isOpen = false;
  };
  const encode = (request: NetlinkRequest, flags: number) => {
    sequence += 1;
    return encodeMessage({ ...request, flags: request.flags | NLM_F_REQUEST | flags, sequence });
  };
  const receive = (name: string) => decodeMessages(buffer.subarray(0, readReply(fd, buffer, name)));

  const changeAll = (requests: readonly NetlinkRequest[]) => {
    const first = sequence + 1;
    writeSync(fd, Buffer.concat(requests.map((request) => encode(request, NLM_F_ACK))));
    return collectAcknowledgements(requests, first, receive);
  };
  const dumpOnce = (request: NetlinkRequest) => {
    writeSync(fd, encode(request, NLM_F_DUMP));
    return collectDump(request, sequence, receive);
  };

  return {
    changeAll,
    change: (request) => throwFirst(changeAll([request])),
    changeInBackground: async (request) => {
      const bytes = encode(request, NLM_F_ACK);
      await promisify(write)(fd, bytes);
      await readAcknowledgement(fd, buffer, request, sequence);
    },
    get: (request) => {
      writeSync(fd, encode(request, 0));
      return collectOne(request, sequence, receive);
    },
    dump: (request) => undisturbed(() => dumpOnce(request)),
    close,
    [Symbol.dispose]: close,
  };
}

type Receive = (requestName: string) => readonly NetlinkMessage[];

function collectAcknowledgements(
  requests: readonly NetlinkRequest[],
  firstSequence: number,
  receive: Receive,
): readonly (KernelError | undefined)[] {
  const outcomes: (KernelError | undefined)[] = [];
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

function collectOne(request: NetlinkRequest, sequence: number, receive: Receive): Buffer {
  for (;;) {
    const message = receive(request.name).find((candidate) => candidate.sequence === sequence);
    if (message === undefined) continue;
    const error = replyError(message, request.name);
    if (error !== undefined) throw error;
    return message.payload;
  }
}

/** The entries of one pass; `undefined` when the kernel's tables changed under it. */
function collectDump(
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
      // The buffer is used again for the next datagram.
      entries.push(Buffer.from(message.payload));
    }
  }
}

function undisturbed(dumpOnce: () => readonly Buffer[] | undefined): readonly Buffer[] {
  let last: readonly Buffer[] | undefined;
  for (let tries = 0; tries < DUMP_TRIES; tries++) {
    last = dumpOnceOrOverflow(dumpOnce);
    if (last !== undefined) return last;
  }
  throw new KernelError('netlink dump', EBUSY_ERRNO, 'its tables kept changing while they were read');
}
