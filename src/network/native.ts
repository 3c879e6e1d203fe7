/**
 * The only door to `node:ffi`: the system calls Node.js does not offer, called in the C library that is
 * already part of the process. Bound at the first call, never while the module is evaluated, because a
 * native binding cannot be part of a startup snapshot. All calls are synchronous, on the calling thread.
 */

import type { CallbackFunctionFromSignature, FunctionSignature } from 'node:ffi';
import { constants } from 'node:os';
import { KernelError } from './kernel-error.ts';

const CLONE_NEWNET = 0x40000000;
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const NETLINK_ROUTE = 0;
const NETLINK_NETFILTER = 12;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const SOL_NETLINK = 270;
const LOCK_EX = 2;
const LOCK_NB = 4;
const POLLIN = 0x1;
const POLLERR = 0x8;
const POLLHUP = 0x10;
const SIOCETHTOOL = 0x8946n;
const IFREQ_BYTES = 40;
const IF_NAME_BYTES = 16;

let opened: ReturnType<typeof open> | undefined;

function open() {
  const ffi = process.getBuiltinModule('node:ffi');
  const { lib, functions } = ffi.dlopen(null, {
    // Bound before it is needed: binding could change what it tells.
    __errno_location: { arguments: [], return: 'pointer' },
  });
  return { lib, addressOf: ffi.getRawPointer, errno: () => ffi.getInt32(functions.__errno_location(), 0) };
}

function library() {
  opened ??= open();
  return opened;
}

/** A function of the C library, bound when it is first called: that takes time, and a call needs few of them. */
function imported<const S extends FunctionSignature>(
  name: string,
  signature: S,
): CallbackFunctionFromSignature<S> {
  let bound: CallbackFunctionFromSignature<S> | undefined;
  return (...args) => {
    bound ??= library().lib.getFunction(name, signature);
    return bound(...args);
  };
}

const libc = {
  setns: imported('setns', { arguments: ['i32', 'i32'], return: 'i32' }),
  unshare: imported('unshare', { arguments: ['i32'], return: 'i32' }),
  socket: imported('socket', { arguments: ['i32', 'i32', 'i32'], return: 'i32' }),
  setsockopt: imported('setsockopt', { arguments: ['i32', 'i32', 'i32', 'buffer', 'u32'], return: 'i32' }),
  bind: imported('bind', { arguments: ['i32', 'buffer', 'u32'], return: 'i32' }),
  getsockname: imported('getsockname', { arguments: ['i32', 'buffer', 'buffer'], return: 'i32' }),
  flock: imported('flock', { arguments: ['i32', 'i32'], return: 'i32' }),
  poll: imported('poll', { arguments: ['buffer', 'u64', 'i32'], return: 'i32' }),
  ioctl: imported('ioctl', { arguments: ['i32', 'u64', 'buffer'], return: 'i32' }),
  _exit: imported('_exit', { arguments: ['i32'], return: 'void' }),
};

/** The result of a call, or its errno as a {@link KernelError}; errno must be read before anything else runs. */
function checked(operation: string, result: number): number {
  if (result >= 0) return result;
  throw new KernelError(operation, library().errno());
}

/** setns(2): moves the calling thread, and no other, into the network namespace of the descriptor. */
export function setNetworkNamespace(fd: number): void {
  checked('setns', libc.setns(fd, CLONE_NEWNET));
}

/** unshare(2): moves the calling thread, and no other, into a network namespace that is new and empty. */
export function enterNewNetworkNamespace(): void {
  checked('unshare', libc.unshare(CLONE_NEWNET));
}

/** socket(2): a routing netlink socket in the calling thread's present network namespace. */
export function openRouteSocket(): number {
  return checked('socket', libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
}

/** socket(2): like {@link openRouteSocket}, for the packet filter. */
export function openNetfilterSocket(): number {
  return checked('socket', libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
}

/** bind(2): makes a netlink socket hear the groups of the mask, group 1 being the lowest bit. */
export function joinNetlinkGroups(fd: number, mask: number): void {
  const address = netlinkAddress();
  address.writeUInt32LE(mask, 8);
  checked('bind', libc.bind(fd, address, address.length));
}

/** getsockname(2): the number by which the kernel names the netlink socket in messages; 0 before its first message. */
export function netlinkPortId(fd: number): number {
  const address = netlinkAddress();
  const length = Buffer.from([address.length, 0, 0, 0]);
  checked('getsockname', libc.getsockname(fd, address, length));
  return address.readUInt32LE(4);
}

/** sockaddr_nl: family, pad, port id, groups. */
function netlinkAddress(): Buffer {
  const address = Buffer.alloc(12);
  address.writeUInt16LE(AF_NETLINK, 0);
  return address;
}

/** How much the socket holds, in bytes, beyond the system's limit; without CAP_NET_ADMIN it stays as it was. */
export function setSocketBuffers(fd: number, bytes: number): void {
  const size = Buffer.alloc(4);
  size.writeInt32LE(bytes);
  for (const option of [SO_SNDBUFFORCE, SO_RCVBUFFORCE])
    libc.setsockopt(fd, SOL_SOCKET, option, size, size.length);
}

/** Lets a read on the socket fail with EAGAIN after the time, so that a lost reply can never hang the process. */
export function setReceiveTimeout(fd: number, timeoutMs: number): void {
  const timeval = Buffer.alloc(16);
  timeval.writeBigInt64LE(BigInt(Math.trunc(timeoutMs / 1000)), 0);
  timeval.writeBigInt64LE(BigInt(Math.trunc(timeoutMs % 1000) * 1000), 8);
  checked('setsockopt', libc.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, timeval, timeval.length));
}

/** Switches one boolean netlink option on; `false` when this kernel does not know it. */
export function enableNetlinkOption(fd: number, option: number): boolean {
  const on = Buffer.from([1, 0, 0, 0]);
  return libc.setsockopt(fd, SOL_NETLINK, option, on, on.length) === 0;
}

/** flock(2) exclusive without waiting; `false` when another open file description holds the lock. */
export function tryLockFile(fd: number): boolean {
  if (libc.flock(fd, LOCK_EX | LOCK_NB) === 0) return true;
  const errno = library().errno();
  if (errno === constants.errno.EWOULDBLOCK || errno === constants.errno.EINTR) return false;
  throw new KernelError('flock', errno);
}

/**
 * poll(2): whether a read of the descriptor would not block, at its end or in error either; waits for that, at most
 * so long. A signal ends the wait.
 */
export function waitForData(fd: number, timeoutMs: number): boolean {
  return poll(fd, POLLIN, timeoutMs) !== 0;
}

/** poll(2): whether a descriptor for writing is the end of a pipe or a socket whose other end is closed. */
export function hasLostReader(fd: number): boolean {
  return (poll(fd, 0, 0) & (POLLERR | POLLHUP)) !== 0;
}

/** What happened of `events`, and of what is always told. */
function poll(fd: number, events: number, timeoutMs: number): number {
  const pollfd = Buffer.alloc(8);
  pollfd.writeInt32LE(fd, 0);
  pollfd.writeInt16LE(events, 4);
  if (libc.poll(pollfd, 1n, timeoutMs) >= 0) return pollfd.readInt16LE(6);
  const errno = library().errno();
  if (errno === constants.errno.EINTR) return 0;
  throw new KernelError('poll', errno);
}

/**
 * _exit(2): ends the process, and waits for nothing. `process.exit()` would wait for Node's thread pool, where the
 * lookup of a name can take half a minute. All output must have been written.
 */
export function exitAtOnce(exitCode: number): void {
  libc._exit(exitCode);
}

/**
 * ioctl(2), SIOCETHTOOL: gives, or sets, a number that a device has, by the number of the command. `fd` is any socket in
 * the namespace of the device.
 *
 * ```
 * ifreq:  0      16                    ethtool_value:  0         4
 *         | name | pointer | padding                   | command | data |
 * ```
 */
export function deviceFeature(fd: number, ifName: string, command: number, data = 0): number {
  const { addressOf } = library();
  // Neither may be moved while the kernel has their addresses, which those of their own memory are not.
  const [value, request] = [Buffer.allocUnsafeSlow(8), Buffer.allocUnsafeSlow(IFREQ_BYTES).fill(0)];
  value.writeUInt32LE(command, 0);
  value.writeUInt32LE(data, 4);
  request.write(ifName, 0, IF_NAME_BYTES - 1);
  request.writeBigUInt64LE(addressOf(value), IF_NAME_BYTES);
  checked('SIOCETHTOOL', libc.ioctl(fd, SIOCETHTOOL, request));
  return value.readUInt32LE(4);
}
