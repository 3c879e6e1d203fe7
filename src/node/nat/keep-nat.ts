/** Brings the table of nftables to what it shall be. */

import { CalicoError, errorText } from '../../base/calico-error.ts';
import type { IpFamily } from '../../base/ip-address.ts';
import { isKernelError } from '../../network/kernel-error.ts';
import { TRANSACTION } from '../../network/netlink/nftables/message.ts';
import { pictureOf, readPicture } from '../../network/netlink/nftables/picture.ts';
import { removeTable, replaceTable } from '../../network/netlink/nftables/table.ts';
import type { NetlinkSocket } from '../../network/netlink/socket.ts';
import type { HostNat } from '../desired/desired-host.ts';
import { NAT_TABLE, natTable } from './nat-table.ts';

/** What was done: the table was put there, as a whole and at once; was taken away; or was right. */
export type NatChange = 'replaced' | 'removed' | 'none';

/** Throws `network` when the kernel refuses; then all is as it was. */
export function keepNat(socket: NetlinkSocket, nat: HostNat): NatChange {
  const { family } = nat;
  const table = natTable(nat);
  try {
    const found = readPicture(socket, family, NAT_TABLE);
    if (table === undefined) return found === undefined ? 'none' : removeNat(socket, family);
    if (found === pictureOf(table)) return 'none';
    socket.transact(TRANSACTION.begin, replaceTable(table), TRANSACTION.end);
    return 'replaced';
  } catch (cause) {
    if (table === undefined && isKernelError(cause, ...UNKNOWN)) return 'none';
    throw natFailure(family, cause);
  }
}

/** Whether our table is there. Throws {@link KernelError}, also from a kernel without nftables. */
export function hasNat(socket: NetlinkSocket, family: IpFamily): boolean {
  return readPicture(socket, family, NAT_TABLE) !== undefined;
}

/** Throws {@link KernelError}, ENOENT when it is not there. */
export function removeNat(socket: NetlinkSocket, family: IpFamily): NatChange {
  socket.transact(TRANSACTION.begin, removeTable(family, NAT_TABLE), TRANSACTION.end);
  return 'removed';
}

/** From a kernel without nftables, or without this family in it. EOPNOTSUPP is called ENOTSUP by Node.js. */
const UNKNOWN = ['EINVAL', 'ENOTSUP', 'EAFNOSUPPORT', 'EPROTONOSUPPORT'];

function natFailure(family: IpFamily, cause: unknown): CalicoError {
  const table = `table ${family === 4 ? 'ip' : 'ip6'} ${NAT_TABLE}`;
  return new CalicoError('network', `failed to replace the nftables ${table}: ${errorText(cause)}`, {
    details: isKernelError(cause, 'EPERM')
      ? 'the agent must run as root with CAP_NET_ADMIN'
      : 'pods reach nothing outside the pools until it is there: the kernel must have nf_tables, nft_masq, nft_fib and nft_chain_nat',
    cause,
  });
}
