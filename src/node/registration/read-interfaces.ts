/** The interfaces of this host and their addresses, as far as registering it needs them. */

import { decodeAddress, dumpAddresses } from '../../network/netlink/address.ts';
import { decodeLink, dumpLinks } from '../../network/netlink/link.ts';
import { openNetlinkSocket } from '../../network/netlink/socket.ts';
import type { HostInterfaces } from './detect-address.ts';

/** Throws `network` when the kernel does not answer. `ip address show` */
export function readInterfaces(): HostInterfaces {
  using socket = openNetlinkSocket();
  const links = socket.dump(dumpLinks()).map(decodeLink);
  const addresses = socket.dump(dumpAddresses(0)).flatMap((payload) => decodeAddress(payload) ?? []);
  return {
    links: links.map(({ name, ifIndex }) => ({ name, ifIndex })),
    addresses: addresses.map(({ ifIndex, network }) => ({ ifIndex, network })),
  };
}
