/** The result of a chain: `calico` made a dual-stack pod, `bandwidth` an interface on the host. */

import { type IpNetwork, tryParseIpNetwork } from '../../src/base/cidr.ts';
import type { CniResult } from '../../src/cni/result.ts';

function network(text: string): IpNetwork {
  const parsed = tryParseIpNetwork(text);
  if (parsed === undefined) throw new Error(`${text} is no address with a prefix length`);
  return parsed;
}

export const chainResult: CniResult = {
  interfaces: [
    { name: 'cali1' },
    { name: 'eth0', mac: '02:00:00:00:00:01', mtu: 1440, sandbox: '/run/netns/pod' },
    { name: 'bwp8c61c6eba776', mac: '02:00:00:00:00:02' },
  ],
  ips: [
    { address: network('10.9.0.1/32'), interface: 1 },
    { address: network('fd00:9::1/128'), interface: 1 },
  ],
  routes: [{ dst: network('10.9.0.1/29') }, { dst: network('fd00:9::1/122') }],
  dns: {},
};
