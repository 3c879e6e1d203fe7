/** The addresses that a pod asks for by name: its own, and those that shall lead to it. Pure. */

import { CalicoError } from '../base/calico-error.ts';
import { type Cidr, tryParseCidr } from '../base/cidr.ts';
import { type IpAddress, tryParseIpAddress } from '../base/ip-address.ts';
import { printable } from '../base/printable.ts';
import { type Annotation, annotationError, podAnnotation, textList } from './annotation.ts';
import type { Pod } from './objects.ts';

/** At most one address per family; those that are asked for are never empty. */
export type RequestedAddresses =
  | { readonly from: 'automatic' }
  /** These, from the pools. */
  | { readonly from: 'ipAddrs'; readonly addresses: readonly IpAddress[] }
  /** These, wherever they come from: no pool is asked. */
  | { readonly from: 'ipAddrsNoIpam'; readonly addresses: readonly IpAddress[] };

/** Throws `config` where the pod asks in two ways, or for something that is no list of one address per family. */
export function requestedAddresses(pod: Pod): RequestedAddresses {
  const [ipAddrs, ipAddrsNoIpam] = [podAnnotation(pod, 'ipAddrs'), podAnnotation(pod, 'ipAddrsNoIpam')];
  if (ipAddrs !== undefined && ipAddrsNoIpam !== undefined) throw askedTwice(ipAddrs);
  if (ipAddrs !== undefined) return { from: 'ipAddrs', addresses: oneOfEachFamily(ipAddrs) };
  if (ipAddrsNoIpam !== undefined)
    return { from: 'ipAddrsNoIpam', addresses: oneOfEachFamily(ipAddrsNoIpam) };
  return { from: 'automatic' };
}

/** Throws `config`. */
export function floatingIps(pod: Pod): readonly IpAddress[] {
  const annotation = podAnnotation(pod, 'floatingIPs');
  return annotation === undefined ? [] : addressList(annotation);
}

/** Networks the pod may send from besides its own addresses, masked. Throws `config`. */
export function allowedSourcePrefixes(pod: Pod): readonly Cidr[] {
  const annotation = podAnnotation(pod, 'allowedSourcePrefixes');
  if (annotation === undefined) return [];
  return textList(annotation).map((text) => {
    const cidr = tryParseCidr(text);
    if (cidr !== undefined) return cidr;
    const why = 'it must be an address, a slash and the length of the prefix';
    throw annotationError(annotation, `failed to parse '${printable(text)}' as a CIDR: ${why}`);
  });
}

function oneOfEachFamily(annotation: Annotation): readonly IpAddress[] {
  const addresses = addressList(annotation);
  if (addresses.length === 0)
    throw annotationError(annotation, `annotation "${annotation.key}" specified but empty`);
  for (const family of [4, 6] as const) {
    if (addresses.filter((address) => address.family === family).length < 2) continue;
    throw annotationError(
      annotation,
      `cannot have more than one IPv${family} address for "${annotation.key}" annotation`,
    );
  }
  return addresses;
}

function addressList(annotation: Annotation): readonly IpAddress[] {
  return textList(annotation).map((text) => {
    const address = tryParseIpAddress(text);
    if (address !== undefined) return address;
    throw annotationError(annotation, `invalid IP format: ${printable(text)}`);
  });
}

function askedTwice({ holder }: Annotation): CalicoError {
  return new CalicoError(
    'config',
    `can't have both annotations: 'ipAddrs' and 'ipAddrsNoIpam' in use at the same time (${holder})`,
    { details: 'take one of them off the pod' },
  );
}
