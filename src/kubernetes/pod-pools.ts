/** The pools and families that a pod, or its namespace, wants its addresses from. Pure. */

import { tryParseCidr } from '../base/cidr.ts';
import type { IpFamily } from '../base/ip-address.ts';
import { printable } from '../base/printable.ts';
import { type Annotation, annotationError, inheritedAnnotation, textList } from './annotation.ts';
import type { Namespace, Pod } from './objects.ts';

/** What the name of a pool can be: a DNS subdomain. */
const POOL_NAME = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** CIDRs or names; `undefined`: neither pod nor namespace say. Throws `config`. */
export function podPools(pod: Pod, namespace: Namespace, family: IpFamily): readonly string[] | undefined {
  const annotation = inheritedAnnotation(pod, namespace, `ipv${family}pools`);
  if (annotation === undefined) return undefined;
  const pools = textList(annotation);
  for (const pool of pools) checkPool(pool, family, annotation);
  return pools;
}

/** `undefined`: neither pod nor namespace say. Throws `config` for an unknown family, and for none at all. */
export function podFamilies(pod: Pod, namespace: Namespace): readonly IpFamily[] | undefined {
  const annotation = inheritedAnnotation(pod, namespace, 'ipFamilies');
  if (annotation === undefined) return undefined;
  const names = textList(annotation);
  const unknown = names.find((name) => name !== 'IPv4' && name !== 'IPv6');
  if (names.length === 0 || unknown !== undefined) {
    const why = unknown === undefined ? 'it is empty' : `'${printable(unknown)}' is neither IPv4 nor IPv6`;
    throw annotationError(annotation, `error parsing ipFamilies: ${printable(annotation.value)}: ${why}`);
  }
  const families: readonly IpFamily[] = [4, 6];
  return families.filter((family) => names.includes(`IPv${family}`));
}

/** Whether there is such a pool is known to IPAM alone. */
function checkPool(pool: string, family: IpFamily, annotation: Annotation): void {
  const cidr = tryParseCidr(pool);
  const shown = `"${printable(pool)}"`;
  if (cidr === undefined && !POOL_NAME.test(pool))
    throw annotationError(
      annotation,
      `error parsing pool ${shown}: it is neither a CIDR nor the name of a pool`,
    );
  if (cidr !== undefined && cidr.family !== family)
    throw annotationError(annotation, `error parsing pool ${shown}: ${shown} isn't a IPv${family} address`);
}
