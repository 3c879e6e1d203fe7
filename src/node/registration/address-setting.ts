/** What an operator says about the address of this host: calico/node's IP and IP6. Pure. */

import { CalicoError } from '../../base/calico-error.ts';
import { type IpNetwork, tryParseIpNetwork } from '../../base/cidr.ts';
import { type IpAddress, type IpFamily, tryParseIpAddress } from '../../base/ip-address.ts';

export type AddressSetting =
  /** Found by the method, on every check. */
  | { readonly use: 'detected' }
  /** What the Node has; if it has none, IPv4 is found by the method. */
  | { readonly use: 'recorded' }
  /** What the Node has, if anything. */
  | { readonly use: 'none' }
  /** With the mask it has on its interface. */
  | { readonly use: 'address'; readonly address: IpAddress }
  | { readonly use: 'network'; readonly network: IpNetwork };

/** Throws `config` for what is none of the family, with `variable` as where it comes from. */
export function parseAddressSetting(text: string, family: IpFamily, variable: string): AddressSetting {
  if (text === '') return { use: 'recorded' };
  if (text === 'autodetect') return { use: 'detected' };
  if (text === 'none') return { use: 'none' };
  const address = tryParseIpAddress(text);
  if (address?.family === family) return { use: 'address', address };
  const network = tryParseIpNetwork(text);
  if (network?.address.family === family) return { use: 'network', network };
  throw new CalicoError(
    'config',
    `invalid ${variable} ${JSON.stringify(text)}: it is no IPv${family} address`,
    {
      details: 'use autodetect, none, an address, or an address with the length of its prefix',
    },
  );
}
