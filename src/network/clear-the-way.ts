/** Removes the interfaces a new pair replaces, and nothing else. */

import { CalicoError } from '../base/calico-error.ts';
import { deleteLinkIfPresent, findLink } from './find-link.ts';
import type { Kernel } from './kernel.ts';
import type { Link } from './netlink/link.ts';
import type { NetlinkSocket } from './netlink/socket.ts';
import type { CreatePair } from './plan-pod.ts';

/** Interfaces the caller looked at before and found to be its own; indexes are never used twice. */
export interface Replaceable {
  readonly hostIfIndex?: number | undefined;
  readonly containerIfIndex?: number | undefined;
}

/** Throws before anything is removed when one of the names belongs to an interface that was not observed. */
export function clearTheWay(kernel: Kernel, pair: CreatePair, replace: Replaceable): void {
  if (replace.hostIfIndex === undefined && replace.containerIfIndex === undefined) return;
  const container = findLink(kernel.pod, pair.containerIfName);
  const host = findLink(kernel.host, pair.hostIfName);
  refuseForeign('in the sandbox', container, replace.containerIfIndex);
  refuseForeign('on the host', host, replace.hostIfIndex);
  remove(kernel.pod, container);
  remove(kernel.host, host);
}

/** The name that keeps a pair from being made; `undefined` when both are free. */
export function nameConflict(kernel: Kernel, pair: CreatePair): CalicoError | undefined {
  const container = findLink(kernel.pod, pair.containerIfName);
  if (container !== undefined) return nameTaken('in the sandbox', container);
  const host = findLink(kernel.host, pair.hostIfName);
  return host === undefined ? undefined : nameTaken('on the host', host);
}

function refuseForeign(where: string, link: Link | undefined, observed: number | undefined): void {
  if (link !== undefined && link.ifIndex !== observed) throw nameTaken(where, link);
}

function nameTaken(where: string, link: Link): CalicoError {
  const what = `ifindex ${link.ifIndex}, ${link.kind ?? 'physical'}`;
  return new CalicoError('network', `an interface named ${link.name} already exists ${where} (${what})`, {
    details: 'it was not made for this workload, so it is left alone: remove it, or use another name',
  });
}

function remove(socket: NetlinkSocket, link: Link | undefined): void {
  if (link !== undefined) deleteLinkIfPresent(socket, link.ifIndex);
}
