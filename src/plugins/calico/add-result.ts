/** The result of an ADD, in the shape Calico's own plugin gives it: chained plugins rely on it. Pure. */

import { hostNetwork, type IpNetwork } from '../../base/cidr.ts';
import type { CniResult, CniRoute } from '../../cni/result.ts';
import type { PodNetwork } from '../../network/pod-network.ts';

const CONTAINER_SIDE = 1;

/**
 * Host side first, by name only; then the container side, which every address points at. The routes are those of
 * IPAM, not those in the pod: for an automatic address the address itself with the mask of its block.
 */
export function addResult(
  network: PodNetwork,
  configuredMtu: number | undefined,
  routes: readonly CniRoute[],
): CniResult {
  return {
    interfaces: [
      { name: network.hostIfName },
      {
        name: network.containerIfName,
        mac: network.containerMac,
        ...(configuredMtu === undefined ? {} : { mtu: configuredMtu }),
        sandbox: network.netnsPath,
      },
    ],
    ips: network.addresses.map((address) => ({ address: hostNetwork(address), interface: CONTAINER_SIDE })),
    routes,
    dns: {},
  };
}

/** One route per address, to the address itself: what Calico's IPAM answers. */
export function routesOf(addresses: readonly IpNetwork[]): readonly CniRoute[] {
  return addresses.map((dst) => ({ dst }));
}
