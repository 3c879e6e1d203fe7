/** What tells on this host whether a container lives. */

import type { Clock, Deadline } from '../../base/deadline.ts';
import { addressBits, formatIpAddress } from '../../base/ip-address.ts';
import { acquireIpamLock, type IpamLock } from '../../network/ipam-lock.ts';
import { TYPE_UNICAST } from '../../network/netlink/route.ts';
import { observeHost } from '../../network/observe-host.ts';
import type { ContainerFacts } from './judge-containers.ts';
import { readSandboxes } from './read-sandboxes.ts';
import { findRunningCalls } from './running-calls.ts';

export type HostEvidence = Pick<ContainerFacts, 'interfaces' | 'routed' | 'sandboxOf'>;

export interface HostView {
  /** At this moment. Throws `network` when the kernel refuses, `config` when the runtime's files cannot be seen. */
  readonly look: () => HostEvidence;
  /** Whether a plugin is called for a container, as of now. */
  readonly findCalls: () => (containerId: string) => boolean;
  /** The node's turn, which every ADD and DEL takes; never rejects. */
  readonly lock: (deadline: Deadline) => Promise<IpamLock>;
}

/** Where plugins take their turn, unless their configuration says another file. */
const LOCK_FILE = '/var/run/calico/ipam.lock';

export function createHostView(cniCache: string | undefined, clock: Clock): HostView {
  return {
    look: () => ({ ...lookAtKernel(), sandboxOf: readSandboxes(cniCache) }),
    findCalls: findRunningCalls,
    lock: (deadline) => acquireIpamLock(LOCK_FILE, clock, deadline),
  };
}

function lookAtKernel(): Pick<HostEvidence, 'interfaces' | 'routed'> {
  const { interfaces, routes } = observeHost();
  const toOne = routes.filter(
    ({ destination, type, ifIndex }) =>
      type === TYPE_UNICAST &&
      ifIndex !== undefined &&
      destination.prefixLength === addressBits(destination.family),
  );
  const routed = toOne.map(({ destination: { family, base } }) => formatIpAddress({ family, value: base }));
  return { interfaces: new Set(interfaces.keys()), routed: new Set(routed) };
}
