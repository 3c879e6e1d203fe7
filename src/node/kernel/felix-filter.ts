/** What a Felix that has ended left in the packet filter: it goes on deciding whose tunnelled packets are let in. */

import { existsSync } from 'node:fs';
import { attributeText } from '../../network/netlink/attribute.ts';
import { getSetHeader } from '../../network/netlink/ipset.ts';
import { filterRequest } from '../../network/netlink/nftables/message.ts';
import { type NetlinkSocket, openFilterSocket } from '../../network/netlink/socket.ts';
import { FAMILIES } from '../cluster.ts';

/** The nodes that it knew: what others send by VXLAN, or IPIP, is dropped. */
const SETS = ['cali40all-vxlan-net', 'cali60all-vxlan-net', 'cali40all-hosts-net'];
/** Where it has everything if it works with nftables. */
const TABLE = 'calico';
const NFTA_TABLE_NAME = 1;
/** Asked without it, the kernel would load it. */
const IP_SET_MODULE = '/sys/module/ip_set';

/** In the calling thread's network namespace. A kernel that cannot be asked has none. */
export function hasFelixFilter(): boolean {
  try {
    using socket = openFilterSocket();
    return hasSet(socket) || hasTable(socket);
  } catch {
    return false;
  }
}

function hasSet(socket: NetlinkSocket): boolean {
  return existsSync(IP_SET_MODULE) && SETS.some((name) => answers(() => socket.get(getSetHeader(name))));
}

function hasTable(socket: NetlinkSocket): boolean {
  const name = [attributeText(NFTA_TABLE_NAME, TABLE)];
  return FAMILIES.some((family) => answers(() => socket.get(filterRequest('GETTABLE', family, 0, name))));
}

function answers(ask: () => unknown): boolean {
  try {
    ask();
    return true;
  } catch {
    return false;
  }
}
