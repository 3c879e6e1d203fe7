/** What an address was taken for. Pure. */

import { parseGoTime } from '../base/time.ts';
import type { SeenAllocation } from '../ipam/plan-collection.ts';

/**
 * - `container`: a plugin gave it to a container
 * - `tunnel`: an end of a tunnel of the node
 * - `other`: a load balancer's, a virtual machine's, a Windows node's, set aside by a person, …
 */
export type HolderKind = 'container' | 'tunnel' | 'other';

/** All that a CNI plugin writes, Calico's or ours: who says more of an address wants it for something else. */
const OF_CONTAINERS: ReadonlySet<string> = new Set(['node', 'timestamp', 'pod', 'namespace', 'network']);
/** The node's name follows. */
const TUNNEL_HANDLE = /^(?:ipip|vxlan|vxlan-v6|wireguard|wireguard-v6)-tunnel-addr-/;

/** More dots than anybody's network and container have between them; each is a way to read the handle. */
const MOST_PARTS = 32;

/** In doubt `other`, which nobody collects. */
export function holderKind({ handleId, owner }: SeenAllocation): HolderKind {
  const { node, type } = owner;
  if (node === undefined) return 'other';
  const tunnelPrefix = TUNNEL_HANDLE.exec(handleId)?.[0];
  if (tunnelPrefix !== undefined)
    return type?.endsWith('TunnelAddress') === true && handleId === tunnelPrefix + node ? 'tunnel' : 'other';
  return isOfContainer(handleId, owner) ? 'container' : 'other';
}

function isOfContainer(handleId: string, owner: SeenAllocation['owner']): boolean {
  return (
    Object.keys(owner).every((name) => OF_CONTAINERS.has(name)) &&
    parseGoTime(owner.timestamp ?? '') !== undefined &&
    (owner.pod === undefined) === (owner.namespace === undefined) &&
    handleId.includes('.') &&
    handleId.split('.').length <= MOST_PARTS &&
    !handleId.includes('.vmi.') &&
    !handleId.startsWith('lb-')
  );
}
