/** The tunnels whose ends have addresses from IPAM, under Calico's names. Pure. */

import type { IpFamily } from '../../base/ip-address.ts';
import type { ClusterPool } from '../cluster.ts';

export interface TunnelKind {
  readonly family: IpFamily;
  /** What the handle's name begins with; the node's follows. */
  readonly handlePrefix: string;
  /** `type` among the attributes of the allocation. */
  readonly type: string;
  /** Where the Node has the address, from `spec`. */
  readonly field: { readonly in: 'spec' | 'bgp'; readonly name: string };
  /** Whether the pool's addresses are reached so: Always, or between subnets. */
  readonly isUsedBy: (pool: ClusterPool) => boolean;
}

const isVxlan = ({ vxlanMode }: ClusterPool) => vxlanMode !== 'Never';
/** VXLAN wins when both are set. */
const isIpip = (pool: ClusterPool) => pool.ipipMode !== 'Never' && !isVxlan(pool);

export const TUNNEL_KINDS: readonly TunnelKind[] = [
  {
    family: 4,
    handlePrefix: 'ipip-tunnel-addr-',
    type: 'ipipTunnelAddress',
    field: { in: 'bgp', name: 'ipv4IPIPTunnelAddr' },
    isUsedBy: isIpip,
  },
  {
    family: 4,
    handlePrefix: 'vxlan-tunnel-addr-',
    type: 'vxlanTunnelAddress',
    field: { in: 'spec', name: 'ipv4VXLANTunnelAddr' },
    isUsedBy: isVxlan,
  },
  {
    family: 6,
    handlePrefix: 'vxlan-v6-tunnel-addr-',
    type: 'vxlanV6TunnelAddress',
    field: { in: 'spec', name: 'ipv6VXLANTunnelAddr' },
    isUsedBy: isVxlan,
  },
];

export function tunnelHandleId({ handlePrefix }: TunnelKind, nodeName: string): string {
  return handlePrefix + nodeName;
}
