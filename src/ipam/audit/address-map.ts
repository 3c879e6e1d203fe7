/** A map by address, of both families. */

import type { IpAddress } from '../../base/ip-address.ts';

export interface AddressMap<T> {
  get(address: IpAddress): T | undefined;
  set(address: IpAddress, value: T): void;
  delete(address: IpAddress): void;
  size(): number;
  forEach(visit: (address: IpAddress, value: T) => void): void;
}

/** IPv4 addresses are plain numbers inside, which take a third of the memory. */
export function createAddressMap<T>(): AddressMap<T> {
  const v4 = new Map<number, T>();
  const v6 = new Map<bigint, T>();
  return {
    get: ({ family, value }) => (family === 4 ? v4.get(Number(value)) : v6.get(value)),
    set: ({ family, value }, held) => void (family === 4 ? v4.set(Number(value), held) : v6.set(value, held)),
    delete: ({ family, value }) => void (family === 4 ? v4.delete(Number(value)) : v6.delete(value)),
    size: () => v4.size + v6.size,
    forEach: (visit) => {
      for (const [value, held] of v4) visit({ family: 4, value: BigInt(value) }, held);
      for (const [value, held] of v6) visit({ family: 6, value }, held);
    },
  };
}
