/** What a chain of plugins has made, as the runtime hands it to CHECK. Pure. */

import { CalicoError } from '../base/calico-error.ts';
import type { IpAddress } from '../base/ip-address.ts';
import type { NetConfBytes } from '../cni/net-conf-bytes.ts';
import { parsePrevResult } from '../cni/parse-result.ts';
import type { CniInterface, CniResult } from '../cni/result.ts';

/** Throws `config` when there is none (CNI 1.1 §CHECK), `decode` when it cannot be understood. */
export function requirePrevResult(conf: NetConfBytes): CniResult {
  const result = parsePrevResult(conf);
  if (result !== undefined) return result;
  throw new CalicoError('config', 'required prevResult missing', {
    details: 'CHECK compares with the result of the ADD: the runtime has to put it into the configuration',
  });
}

/** The interface in the sandbox. Throws `config` when the result does not name it. */
export function sandboxInterface({ interfaces }: CniResult, ifName: string): CniInterface {
  const found = interfaces.find(({ name, sandbox }) => name === ifName && sandbox !== undefined);
  if (found !== undefined) return found;
  throw new CalicoError('config', `prevResult names no interface ${ifName} in a sandbox`, {
    details: 'it must be the result of the whole chain for this CNI_IFNAME',
  });
}

/** The addresses of that interface; what other interfaces have is the business of those who gave it to them. */
export function addressesOf({ interfaces, ips }: CniResult, ifName: string): readonly IpAddress[] {
  return ips
    .filter(({ interface: index }) => index === undefined || interfaces[index]?.name === ifName)
    .map(({ address }) => address.address);
}
