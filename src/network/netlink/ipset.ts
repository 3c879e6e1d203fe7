/** Sets of the kernel's ip_set, which rules of iptables look addresses up in, as netlink messages. Pure. */

import { attribute, attributeText } from './attribute.ts';
import type { NetlinkRequest } from './header.ts';

const NFNL_SUBSYS_IPSET = 6;
const IPSET_CMD_HEADER = 12;
const IPSET_ATTR_PROTOCOL = 1;
const IPSET_ATTR_SETNAME = 2;
/** The oldest that all kernels since 2.6.39 speak. */
const PROTOCOL = 6;
const AF_INET = 2;

/** ENOENT when there is no set of the name. `ipset list -t NAME` */
export function getSetHeader(name: string): NetlinkRequest {
  return {
    name: 'IPSET_CMD_HEADER',
    type: (NFNL_SUBSYS_IPSET << 8) | IPSET_CMD_HEADER,
    flags: 0,
    payload: Buffer.concat([
      Buffer.of(AF_INET, 0, 0, 0),
      attribute(IPSET_ATTR_PROTOCOL, Buffer.of(PROTOCOL)),
      attributeText(IPSET_ATTR_SETNAME, name),
    ]),
  };
}
