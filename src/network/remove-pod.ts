/**
 * Removes a pod's interfaces. Within a millisecond the kernel has taken a pair with its addresses and routes out of all
 * tables, and then it holds whoever asked for 15 to 25 more until the memory is free: so that happens on the thread pool,
 * and the caller goes on as soon as the pair is gone. Whatever is gone already is success.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { CalicoError, errorText, isCalicoError } from '../base/calico-error.ts';
import { findLink, findLinkAt } from './find-link.ts';
import { isKernelError } from './kernel-error.ts';
import { deleteLink, type Link } from './netlink/link.ts';
import { type NetlinkSocket, openNetlinkSocket } from './netlink/socket.ts';
import { inNetns, openNetnsIfPresent } from './netns.ts';
import { otherEnd } from './other-end.ts';
import { isPodLink } from './pod-link.ts';

/** Longer than the kernel ever takes, unless something is badly wrong with it. */
const DELETION_BUDGET_MS = 20_000;

const FIRST_LOOK_MS = 1;

/** What goes by CNI_IFNAME in a sandbox, before anybody decides whose it is. */
export interface SandboxLink extends Disposable {
  /** `undefined` when nothing of the name is there, or nothing that a pod's interface could be. */
  readonly container: Link | undefined;
  /** Its other end, if that is on the host. */
  readonly hostEnd: Link | undefined;
  /** Why an interface or a namespace was passed over. */
  readonly warning: string | undefined;
  /**
   * Deletes it, and with it the other end, addresses and routes; resolves when nobody can see or reach it any more, be the
   * kernel's own work done or not. Success when it is gone already. Throws `network` when the kernel refuses, `unavailable`
   * when it is not done after 20 s. Called once.
   */
  remove(): Promise<void>;
}

/**
 * Looks, and changes nothing. An empty path, a path that is gone or is no network namespace, and a missing interface
 * are all "nothing there": a sandbox that cannot be entered is not a reason to keep its records for ever.
 */
export function openSandboxLink(netnsPath: string, containerIfName: string): SandboxLink {
  using stack = new DisposableStack();
  try {
    const netns = netnsPath === '' ? undefined : openNetnsIfPresent(netnsPath);
    if (netns === undefined) return nothingThere(undefined);
    const podNetns = stack.use(netns);
    const pod = stack.use(inNetns(podNetns, openNetlinkSocket));
    const container = findLink(pod, containerIfName);
    if (container === undefined) return nothingThere(undefined);
    if (!isPodLink(container)) return nothingThere(leftAlone(container));
    const host = stack.use(openNetlinkSocket());
    const hostEnd = otherEnd({ host, podNetns }, container);
    const open = stack.move();
    const attempt = `failed to clean up workload's pod interface inside netns ${netnsPath}`;
    let removal: Promise<void> | undefined;
    return {
      container,
      hostEnd,
      warning: undefined,
      remove: () => {
        removal = removeLink(pod, container, attempt);
        return hostEnd === undefined ? removal : doneOrGone(removal, () => !isThere(host, hostEnd));
      },
      // Its answer is read from the socket when the thread comes back, and the number must not be another file's by then.
      [Symbol.dispose]: () =>
        removal === undefined
          ? open.dispose()
          : void Promise.allSettled([removal]).then(() => open.dispose()),
    };
  } catch (error) {
    if (isCalicoError(error, 'netns')) return nothingThere(error.message);
    throw error;
  }
}

/** Removes an interface of the host by name: only for a caller that knows whose it is. Gives a warning or nothing. */
export async function removeHostLink(hostIfName: string): Promise<string | undefined> {
  using socket = openNetlinkSocket();
  const link = findLink(socket, hostIfName);
  return link === undefined ? undefined : await removeSeen(socket, link);
}

/** Removes an interface of the host that was looked at before, and no other one that has its name by now. */
export async function removeSeenHostLink(link: Link): Promise<string | undefined> {
  using socket = openNetlinkSocket();
  // The socket is needed until then.
  return await removeSeen(socket, link);
}

async function removeSeen(socket: NetlinkSocket, link: Link): Promise<string | undefined> {
  if (!isPodLink(link)) return leftAlone(link);
  await removeLink(socket, link, `failed to delete host interface ${link.name}`);
  return undefined;
}

function nothingThere(warning: string | undefined): SandboxLink {
  return {
    container: undefined,
    hostEnd: undefined,
    warning,
    remove: async () => undefined,
    [Symbol.dispose]: () => undefined,
  };
}

async function removeLink(socket: NetlinkSocket, link: Link, attempt: string): Promise<void> {
  try {
    await inTime(
      socket.changeInBackground(deleteLink(link.ifIndex)),
      `${attempt}: timed out deleting device ${link.name}`,
    );
  } catch (cause) {
    if (isKernelError(cause, 'ENODEV')) return;
    if (isCalicoError(cause)) throw cause;
    throw new CalicoError('network', `${attempt}: ${errorText(cause)}`, {
      details: 'the interface may still be there; retry the deletion',
      cause,
    });
  }
}

/**
 * A question to the kernel waits until it has changed its tables, as all questions of a call do: one is enough, once the
 * deletion has begun.
 */
async function doneOrGone(removal: Promise<void>, isGone: () => boolean): Promise<void> {
  for (let waitMs = FIRST_LOOK_MS; ; waitMs *= 2) {
    const isDone = await Promise.race([removal.then(() => true), pause(waitMs, false)]);
    if (isDone || isGone()) return;
  }
}

/** When we cannot ask, the deletion itself tells. */
function isThere(socket: NetlinkSocket, { ifIndex }: Link): boolean {
  try {
    return findLinkAt(socket, ifIndex) !== undefined;
  } catch {
    return true;
  }
}

async function inTime(work: Promise<void>, lateText: string): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const details = 'the kernel is busy or stuck: retry, and look at its log';
  const alarm = setTimeout(
    () => reject(new CalicoError('unavailable', lateText, { details })),
    DELETION_BUDGET_MS,
  );
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(alarm);
  }
}

function leftAlone(link: Link): string {
  const kind = link.kind ?? 'physical';
  return `interface ${link.name} was not deleted: it is ${kind}, and pods have veth or netkit`;
}
