/** Address families by the kernel's numbers, shared by addresses, routes and neighbours. Pure. */

import type { IpFamily } from '../../base/ip-address.ts';

const AF_INET = 2;
const AF_INET6 = 10;

/** AF_INET or AF_INET6. */
export function addressFamily(family: IpFamily): number {
  return family === 4 ? AF_INET : AF_INET6;
}

/** The IP family of an AF number; `undefined` for any other protocol. */
export function ipFamily(addressFamilyNumber: number): IpFamily | undefined {
  switch (addressFamilyNumber) {
    case AF_INET:
      return 4;
    case AF_INET6:
      return 6;
    default:
      return undefined;
  }
}
