/** The `routes` of a host-local configuration: where the pod shall be able to go. Pure. */

import { CalicoError } from '../base/calico-error.ts';
import { type Cidr, parseCidr, sameCidr, tryParseCidr } from '../base/cidr.ts';
import { describeJson, isJsonObject, jsonMember } from '../base/json-object.ts';
import type { CalicoConf } from './calico-conf.ts';

/** Everything there is, in both families. */
export const DEFAULT_ROUTES: readonly Cidr[] = ['0.0.0.0/0', '::/0'].map(parseCidr);

/**
 * Where a pod of Kubernetes can go, in order and each once: anywhere, unless host-local's configuration has routes of
 * its own; then there alone, or with `include_default_routes` anywhere first. Other containers can go anywhere.
 */
export function podRoutes({
  ipam: { hostLocalRoutes: own },
  includeDefaultRoutes,
}: Pick<CalicoConf, 'includeDefaultRoutes'> & {
  readonly ipam: Pick<CalicoConf['ipam'], 'hostLocalRoutes'>;
}): readonly Cidr[] {
  if (own.length === 0) return DEFAULT_ROUTES;
  const wanted = includeDefaultRoutes ? [...DEFAULT_ROUTES, ...own] : own;
  return wanted.filter((route, i) => wanted.findIndex((other) => sameCidr(route, other)) === i);
}

/** The destinations, in order. Their gateways do not count: a pod's gateway is always its host. Throws `config`. */
export function hostLocalRoutes(routes: unknown): readonly Cidr[] {
  if (routes === undefined) return [];
  if (!Array.isArray(routes)) throw malformed('ipam.routes must be a list', routes);
  return routes.flatMap((route: unknown, i) => destination(route, `ipam.routes[${i}]`) ?? []);
}

function destination(route: unknown, path: string): Cidr | undefined {
  if (!isJsonObject(route)) throw malformed(`${path} must be an object`, route);
  const dst = jsonMember(route, 'dst');
  if (dst === undefined) return undefined;
  const cidr = typeof dst === 'string' ? tryParseCidr(dst) : undefined;
  if (cidr === undefined) throw malformed(`${path}.dst must be a CIDR`, dst);
  return cidr;
}

function malformed(why: string, found: unknown): CalicoError {
  return new CalicoError(
    'config',
    `failed to parse host-local IPAM routes: ${why}, found ${describeJson(found)}`,
  );
}
