/**
 * Removes a pod's interfaces. The kernel takes some 20 ms for it, so it happens on the thread pool while the
 * caller talks to the datastore. Whatever is gone already is success.
 */

import { CalicoError, errorText, isCalicoError } from '../base/calico-error.ts';
import { findLink } from './find-link.ts';
import { isKernelError } from './kernel-error.ts';
import { deleteLink, type Link } from './netlink/link.ts';
import { type NetlinkSocket, openNetlinkSocket } from './netlink/socket.ts';
import { inNetns, openNetnsIfPresent } from './netns.ts';

/** Longer than the kernel ever takes, unless something is badly wrong with it. */
const DELETION_BUDGET_MS = 20_000;

/** The kinds a pod's interface can be of. Anything else of its name was put there by somebody else. */
const POD_LINK_KINDS: readonly (string | undefined)[] = ['veth', 'netkit'];

export interface Removal {
  /** Whether an interface was there and is now gone. */
  readonly wasPresent: boolean;
  /** Why an interface of the name was left alone. */
  readonly warning: string | undefined;
}

const NOTHING_THERE: Removal = { wasPresent: false, warning: undefined };

/**
 * Removes the interface inside a sandbox; its host end, addresses and routes go with it. An empty path, a
 * path that is gone and a missing interface are success. Throws `netns` when the path is no network
 * namespace, `network` when the kernel refuses, `unavailable` when it is not done after 20 s.
 */
export async function removePodLink(netnsPath: string, containerIfName: string): Promise<Removal> {
  if (netnsPath === '') return NOTHING_THERE;
  using netns = openNetnsIfPresent(netnsPath);
  if (netns === undefined) return NOTHING_THERE;
  using socket = inNetns(netns, openNetlinkSocket);
  return await removeLink(socket, containerIfName, {
    attempt: "failed to clean up workload's pod interface inside netns",
    timeout: `timed out deleting device in netns ${netnsPath}`,
  });
}

/** Removes an interface of the host by name: only for a caller that knows whose it is. */
export async function removeHostLink(hostIfName: string): Promise<Removal> {
  using socket = openNetlinkSocket();
  return await removeLink(socket, hostIfName, {
    attempt: `failed to delete host interface ${hostIfName}`,
    timeout: `timed out deleting host interface ${hostIfName}`,
  });
}

/** The first words of the two errors. */
interface Wording {
  readonly attempt: string;
  readonly timeout: string;
}

async function removeLink(socket: NetlinkSocket, name: string, wording: Wording): Promise<Removal> {
  try {
    const link = findLink(socket, name);
    if (link === undefined) return NOTHING_THERE;
    if (!POD_LINK_KINDS.includes(link.kind)) return { wasPresent: false, warning: leftAlone(link) };
    await inTime(socket.changeInBackground(deleteLink(link.ifIndex)), wording.timeout);
    return { wasPresent: true, warning: undefined };
  } catch (cause) {
    if (isKernelError(cause, 'ENODEV')) return NOTHING_THERE;
    if (isCalicoError(cause)) throw cause;
    throw new CalicoError('network', `${wording.attempt}: ${errorText(cause)}`, {
      details: 'the interface may still be there; retry the deletion',
      cause,
    });
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
