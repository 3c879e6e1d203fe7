/**
 * Hears what the kernel tells of changes, whoever made them.
 *
 * Node.js waits for pipes, TCP and UDP by itself, and for no other descriptor: `net.Socket` and `tty.ReadStream` refuse a
 * netlink socket. So a read is left blocking on one thread of Node's pool, where it costs nothing until something
 * comes. A message from ourselves ends it.
 */

import { closeSync, read, readSync, writeSync } from 'node:fs';
import {
  joinNetlinkGroups,
  openNetfilterSocket,
  openRouteSocket,
  setSocketBuffers,
  waitForData,
} from '../native.ts';
import {
  decodeMessages,
  encodeMessage,
  type NetlinkMessage,
  NLM_F_ACK,
  NLM_F_REQUEST,
  NLMSG_ERROR,
  NLMSG_NOOP,
} from './header.ts';

/** What a routing socket can be told of; the number of the group. */
export const ROUTE_GROUPS = {
  link: 1,
  neighbour: 3,
  ipv4Address: 5,
  ipv4Route: 7,
  ipv6Address: 9,
  ipv6Route: 11,
  /** Forwarding and other switches of the host and of interfaces. */
  ipv4Switches: 24,
  ipv6Switches: 25,
} as const;
/** All that happens to the packet filter. */
export const NFTABLES_GROUP = 7;

/** Room for what happens while this process is busy, such as thousands of routes that go with an interface. */
const BUFFER_BYTES = 4 * 1024 * 1024;
const DATAGRAM_BYTES = 64 * 1024;
const PAUSE_MS = 1000;
/** Datagrams: more than the buffer holds. */
const MOST_WAITING = 100_000;

export interface NetlinkListener extends Disposable {
  /** Nothing is told any more. */
  close(): void;
}

export interface ListenOptions {
  readonly of: 'route' | 'filter';
  readonly groups: readonly number[];
  readonly onMessages: (messages: readonly NetlinkMessage[]) => void;
  /** Something was not told: everything may have changed. */
  readonly onLost: () => void;
}

/** Listens in the calling thread's present namespace. Keeps the process alive, and one thread of Node's pool, until it is closed. */
export function listenToKernel({ of, groups, onMessages, onLost }: ListenOptions): NetlinkListener {
  const fd = of === 'route' ? openRouteSocket() : openNetfilterSocket();
  setSocketBuffers(fd, BUFFER_BYTES);
  joinNetlinkGroups(
    fd,
    groups.reduce((mask, group) => mask | (1 << (group - 1)), 0),
  );
  const space = Buffer.allocUnsafeSlow(DATAGRAM_BYTES);
  let isClosed = false;
  const hear = () => read(fd, space, 0, space.length, null, heard);

  function heard(error: NodeJS.ErrnoException | null, length: number): void {
    if (isClosed) {
      closeSync(fd);
    } else if (error === null) {
      const messages = decodeMessages(Buffer.from(space.subarray(0, length)));
      hear();
      onMessages(messages.filter(({ type }) => type !== NLMSG_ERROR));
    } else if (error.code === 'EINTR') {
      hear();
    } else if (error.code === 'ENOBUFS') {
      beginAnew();
    } else {
      // After this nobody knows what was told.
      setTimeout(beginAnew, PAUSE_MS);
    }
  }
  function beginAnew(): void {
    if (isClosed) {
      closeSync(fd);
      return;
    }
    if (drain(fd, space)) hear();
    else setTimeout(beginAnew, PAUSE_MS);
    onLost();
  }
  function close(): void {
    if (!isClosed) wake(fd);
    isClosed = true;
  }
  hear();
  return { close, [Symbol.dispose]: close };
}

/**
 * Throws away all that waits; whether that was all. From an overflow on until nothing waits any more the kernel drops
 * what happens, and says so only once, at the beginning.
 */
function drain(fd: number, space: Buffer): boolean {
  for (let reads = 0; reads < MOST_WAITING; reads++) {
    if (!waitForData(fd, 0)) return true;
    try {
      readSync(fd, space);
    } catch {
      // It is lost in any case.
    }
  }
  return false;
}

/** The acknowledgement is what the read returns with. */
function wake(fd: number): void {
  const flags = NLM_F_REQUEST | NLM_F_ACK;
  writeSync(fd, encodeMessage({ type: NLMSG_NOOP, flags, sequence: 0, payload: Buffer.alloc(0) }));
}
