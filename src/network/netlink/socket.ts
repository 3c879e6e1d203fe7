/**
 * A routing netlink socket: an ordinary file descriptor that stays in the namespace it was opened in, so
 * that a thread enters a namespace only to open it, comes back, and talks from outside.
 */

import { closeSync, readSync, write, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { promisify } from 'node:util';
import { isKernelError, KernelError } from '../kernel-error.ts';
import {
  enableNetlinkOption,
  netlinkPortId,
  openNetfilterSocket,
  openRouteSocket,
  setReceiveTimeout,
  setSocketBuffers,
} from '../native.ts';
import {
  collectAnswer,
  collectDump,
  collectOutcomes,
  collectTransaction,
  type Outcomes,
} from './exchange.ts';
import {
  decodeMessages,
  encodeMessage,
  type NetlinkRequest,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_REQUEST,
} from './header.ts';

const RECEIVE_TIMEOUT_MS = 5000;
/** No datagram is longer: the kernel cuts dumps into pieces of at most 32 KiB. */
const DATAGRAM_BYTES = 64 * 1024;
const DUMP_TRIES = 5;
/** One transaction of the packet filter is one write, which must fit, and so must all its acknowledgements. */
const TRANSACTION_BYTES = 4 * 1024 * 1024;

/** Options of level SOL_NETLINK; an old kernel without one of them is fine. */
const OPTIONS = [
  10, // NETLINK_CAP_ACK: errors do not repeat the request
  11, // NETLINK_EXT_ACK: errors carry the kernel's explanation
  12, // NETLINK_GET_STRICT_CHK: the filters in dump requests are honoured
];

/** Each method throws {@link KernelError} when the kernel refuses, or does not answer within 5 s. */
export interface NetlinkSocket extends Disposable {
  /** Asks for one change and waits for the acknowledgement. */
  change(request: NetlinkRequest): void;
  /**
   * Asks for several changes in one write. The kernel works through all of them in order, and goes on after
   * one it refused; the answer tells the outcome of each.
   */
  changeAll(requests: readonly NetlinkRequest[]): Outcomes;
  /** Asks for several changes of which either all are made or none, between the marks that the protocol wants. */
  transact(begin: NetlinkRequest, requests: readonly NetlinkRequest[], end: NetlinkRequest): void;
  /** Like {@link change}, but on Node's thread pool. Nothing else may use the socket meanwhile. */
  changeInBackground(request: NetlinkRequest): Promise<void>;
  /** Asks for one object; gives the payload of the answer. */
  get(request: NetlinkRequest): Buffer;
  /** Asks for a list; gives the payload of each entry, all from one undisturbed pass. */
  dump(request: NetlinkRequest): readonly Buffer[];
  /** The socket's number in messages about what it has changed. */
  portId(): number;
  close(): void;
}

/** Opens a socket in the calling thread's present namespace. */
export function openNetlinkSocket(): NetlinkSocket {
  return prepared(openRouteSocket());
}

/** Like {@link openNetlinkSocket}, for the packet filter (nftables). */
export function openFilterSocket(): NetlinkSocket {
  const fd = openNetfilterSocket();
  setSocketBuffers(fd, TRANSACTION_BYTES);
  return prepared(fd);
}

function prepared(fd: number): NetlinkSocket {
  setReceiveTimeout(fd, RECEIVE_TIMEOUT_MS);
  for (const option of OPTIONS) enableNetlinkOption(fd, option);
  return netlinkSocketOn(fd);
}

function netlinkSocketOn(fd: number): NetlinkSocket {
  const datagram = Buffer.allocUnsafeSlow(DATAGRAM_BYTES);
  let sequence = 0;
  let isOpen = true;
  const encode = (request: NetlinkRequest, flags: number) => {
    sequence += 1;
    return encodeMessage({ ...request, flags: request.flags | NLM_F_REQUEST | flags, sequence });
  };
  const receive = (name: string) => decodeMessages(receiveDatagram(fd, datagram, name));
  const changeAll = (requests: readonly NetlinkRequest[]) => {
    const first = sequence + 1;
    const bytes = Buffer.concat(requests.map((request) => encode(request, NLM_F_ACK)));
    send(fd, bytes, requests[0]?.name ?? '');
    return collectOutcomes(requests, first, receive);
  };
  const close = () => {
    if (isOpen) closeSync(fd);
    isOpen = false;
  };
  return {
    changeAll,
    change: (request) => throwFirst(changeAll([request])),
    changeInBackground: async (request) => {
      const message = encode(request, NLM_F_ACK);
      const own = sequence;
      await sendInBackground(fd, message, request.name);
      // The kernel works while it is written to: by now the acknowledgement is there to be read.
      throwFirst(collectOutcomes([request], own, receive));
    },
    transact: (begin, requests, end) => {
      const marked = [begin, ...requests, end];
      const first = sequence + 2;
      const flags = (index: number) => (index === 0 || index === marked.length - 1 ? 0 : NLM_F_ACK);
      send(fd, Buffer.concat(marked.map((request, index) => encode(request, flags(index)))), begin.name);
      collectTransaction(requests, first, receive);
    },
    get: (request) => {
      send(fd, encode(request, 0), request.name);
      return collectAnswer(request, sequence, receive);
    },
    dump: (request) =>
      undisturbed(request.name, () => {
        send(fd, encode(request, NLM_F_DUMP), request.name);
        return collectDump(request, sequence, receive);
      }),
    portId: () => netlinkPortId(fd),
    close,
    [Symbol.dispose]: close,
  };
}

function throwFirst(outcomes: Outcomes): void {
  const error = outcomes.find((outcome) => outcome !== undefined);
  if (error !== undefined) throw error;
}

function send(fd: number, bytes: Buffer, requestName: string): void {
  try {
    writeSync(fd, bytes);
  } catch (cause) {
    throw asKernelError(requestName, cause);
  }
}

/** The next datagram, in memory of its own. */
function receiveDatagram(fd: number, space: Buffer, requestName: string): Buffer {
  for (;;) {
    try {
      const length = readSync(fd, space);
      return Buffer.from(space.subarray(0, length));
    } catch (cause) {
      const error = asKernelError(requestName, cause);
      if (error.code !== 'EINTR') throw error;
    }
  }
}

async function sendInBackground(fd: number, bytes: Buffer, requestName: string): Promise<void> {
  try {
    await promisify(write)(fd, bytes);
  } catch (cause) {
    throw asKernelError(requestName, cause);
  }
}

/** A table that changes under a dump, or a dump that overran the socket's memory, is read again. */
function undisturbed(requestName: string, dumpOnce: () => readonly Buffer[] | undefined): readonly Buffer[] {
  for (let tries = 0; tries < DUMP_TRIES; tries++) {
    const entries = orUndefinedOnOverflow(dumpOnce);
    if (entries !== undefined) return entries;
  }
  throw new KernelError(requestName, constants.errno.EBUSY, 'the table kept changing while it was read');
}

function orUndefinedOnOverflow<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (isKernelError(error, 'ENOBUFS')) return undefined;
    throw error;
  }
}

/** What node:fs threw; a read that gave up after the receive timeout becomes ETIMEDOUT. */
function asKernelError(requestName: string, cause: unknown): KernelError {
  if (!(cause instanceof Error && 'errno' in cause && typeof cause.errno === 'number')) throw cause;
  const errno = -cause.errno;
  return new KernelError(requestName, errno === constants.errno.EAGAIN ? constants.errno.ETIMEDOUT : errno);
}
