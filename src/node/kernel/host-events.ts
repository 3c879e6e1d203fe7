/** Hears of what others change in the parts of the kernel that the agent keeps. */

import type { IpFamily } from '../../base/ip-address.ts';
import type { NetlinkMessage } from '../../network/netlink/header.ts';
import { listenToKernel, NFTABLES_GROUP, ROUTE_GROUPS } from '../../network/netlink/listen.ts';
import { NAT_TABLE } from '../nat/nat-table.ts';
import { ALL_PARTS, type HostPart } from './host-part.ts';
import { changedTable, type OurDevices, outdatedBy, podRouteLost } from './notice.ts';

export interface HostEvents {
  readonly onParts: (parts: readonly HostPart[]) => void;
  /** A pod's interface, perhaps gone itself, whose route somebody has taken away. */
  readonly onPodRouteLost: (ifIndex: number) => void;
  /** The table of nftables for the family. */
  readonly onNat: (families: readonly IpFamily[]) => void;
  readonly ours: () => OurDevices;
  /** Numbers of the sockets whose changes are our own. */
  readonly ownPortIds: () => { readonly route: number; readonly filter: number | undefined };
}

/** In the calling thread's namespace. A kernel without nftables tells nothing of it. */
export function hearHost({ onParts, onPodRouteLost, onNat, ours, ownPortIds }: HostEvents): Disposable {
  const stack = new DisposableStack();
  const tellParts = (messages: readonly NetlinkMessage[]) => {
    const { route } = ownPortIds();
    const devices = ours();
    const parts = new Set(messages.flatMap((message) => outdatedBy(message, devices, route)));
    if (parts.size > 0) onParts(Array.from(parts));
    for (const message of messages) {
      const ifIndex = podRouteLost(message, devices, route);
      if (ifIndex !== undefined) onPodRouteLost(ifIndex);
    }
  };
  const tellNat = (messages: readonly NetlinkMessage[]) => {
    const { filter } = ownPortIds();
    const families = messages.flatMap((message) => changedTable(message, NAT_TABLE, filter) ?? []);
    if (families.length > 0) onNat(Array.from(new Set(families)));
  };
  stack.use(
    listenToKernel({
      of: 'route',
      groups: Object.values(ROUTE_GROUPS),
      onMessages: tellParts,
      onLost: () => onParts(ALL_PARTS),
    }),
  );
  try {
    stack.use(
      listenToKernel({
        of: 'filter',
        groups: [NFTABLES_GROUP],
        onMessages: tellNat,
        onLost: () => onNat([4, 6]),
      }),
    );
  } catch {
    // Without nftables: the first table that is wanted shows it.
  }
  return stack;
}
