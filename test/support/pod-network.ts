/** Pod networks for tests: sensible values, of which a test names only what it is about. */

import { parseCidr } from '../../src/base/cidr.ts';
import { parseIpAddress } from '../../src/base/ip-address.ts';
import { parseMacAddress } from '../../src/base/mac-address.ts';
import type { PodNetwork } from '../../src/network/pod-network.ts';

/** eth0 and cali1 with the given addresses and a default route of each family. */
export function podNetwork(addresses: readonly string[], rest: Partial<PodNetwork> = {}): PodNetwork {
  return {
    netnsPath: '/var/run/netns/pod',
    deviceType: 'veth',
    containerIfName: 'eth0',
    hostIfName: 'cali1',
    containerMac: parseMacAddress('02:00:00:00:00:01'),
    mtu: 1440,
    queues: 1,
    addresses: addresses.map(parseIpAddress),
    routes: [parseCidr('0.0.0.0/0'), parseCidr('::/0')],
    allowIpForwarding: false,
    hostRoutes: true,
    ...rest,
  };
}
