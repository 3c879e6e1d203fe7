/**
 * Network namespaces as open files, and the one way to step into one. A namespace belongs to a thread:
 * {@link inNetns} moves only the calling thread and only while a synchronous function runs.
 */

import { closeSync, fstatSync, openSync, statfsSync } from 'node:fs';
import { CalicoError, errorText } from '../base/calico-error.ts';
import { enterNewNetworkNamespace, setNetworkNamespace } from './native.ts';

/** Filesystem magic of namespace files, and of /proc, where kernels before 3.19 keep them. */
const NAMESPACE_MAGICS: readonly number[] = [0x6e736673, 0x9fa0];

/** An open network namespace; it lives as long as the descriptor, even when its path is gone. */
export interface Netns extends Disposable {
  readonly path: string;
  readonly fd: number;
  close(): void;
}

/** Opens the namespace at a path. Throws `netns` when nothing is there or it is no namespace. */
export function openNetns(path: string): Netns {
  const netns = openNetnsIfPresent(path);
  if (netns !== undefined) return netns;
  throw new CalicoError('netns', `failed to Statfs ${JSON.stringify(path)}: no such file or directory`, {
    details: 'the sandbox is gone: check CNI_NETNS, or let the runtime make a new sandbox',
  });
}

/** Like {@link openNetns}, but `undefined` when the path does not exist, which for a deletion is success. */
export function openNetnsIfPresent(path: string): Netns | undefined {
  const magic = filesystemMagic(path);
  if (magic === undefined) return undefined;
  if (!NAMESPACE_MAGICS.includes(magic)) {
    throw new CalicoError('netns', `unknown FS magic on ${JSON.stringify(path)}: ${magic.toString(16)}`, {
      details: 'the file is not a network namespace: check CNI_NETNS',
    });
  }
  return netnsAt(path);
}

/** The calling thread's present namespace. */
export function ownNetns(): Netns {
  return netnsAt('/proc/thread-self/ns/net');
}

/** Whether both are the same namespace, whatever paths they were opened by. */
export function isSameNetns(a: Netns, b: Netns): boolean {
  const first = fstatSync(a.fd);
  const second = fstatSync(b.fd);
  return first.dev === second.dev && first.ino === second.ino;
}

/**
 * Runs a function with the calling thread inside a namespace and returns to where the thread was.
 * The function must be synchronous: whatever it leaves to a callback or to Node's thread pool runs
 * elsewhere. Throws `netns` when the descriptor is no network namespace. A thread that cannot return would
 * do all later work in the wrong namespace, so the process ends at once.
 */
export function inNetns<T>(netns: Netns, run: () => T): T {
  return thereAndBack(() => enter(netns), run);
}

/**
 * The same in a namespace that is new, with nothing but a loopback that is down, and that vanishes with the last socket in
 * it: whatever is tried there disturbs nobody. Throws {@link KernelError} without CAP_SYS_ADMIN.
 */
export function inNewNetns<T>(run: () => T): T {
  return thereAndBack(enterNewNetworkNamespace, run);
}

function thereAndBack<T>(go: () => void, run: () => T): T {
  const home = ownNetns();
  try {
    go();
    try {
      return run();
    } finally {
      returnOrAbort(home);
    }
  } finally {
    home.close();
  }
}

function enter(netns: Netns): void {
  try {
    setNetworkNamespace(netns.fd);
  } catch (cause) {
    throw new CalicoError('netns', `failed to enter netns: ${netns.path}: ${errorText(cause)}`, {
      details: 'the file must be a network namespace, and the plugin needs CAP_SYS_ADMIN',
      cause,
    });
  }
}

function returnOrAbort(home: Netns): void {
  try {
    setNetworkNamespace(home.fd);
  } catch {
    process.abort();
  }
}

function netnsAt(path: string): Netns {
  const fd = openNamespaceFile(path);
  let isOpen = true;
  const close = () => {
    if (isOpen) closeSync(fd);
    isOpen = false;
  };
  return { path, fd, close, [Symbol.dispose]: close };
}

function openNamespaceFile(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (cause) {
    throw new CalicoError('netns', `failed to open netns ${JSON.stringify(path)}: ${errorText(cause)}`, {
      cause,
    });
  }
}

/** `undefined` when there is no such file. */
function filesystemMagic(path: string): number | undefined {
  try {
    return statfsSync(path).type;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new CalicoError('netns', `failed to Statfs ${JSON.stringify(path)}: ${errorText(cause)}`, {
      cause,
    });
  }
}
