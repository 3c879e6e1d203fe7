/**
 * What a pod's annotations ask of calico-ipam, put into its configuration: for Calico's own executable, which only
 * knows what it is told on stdin. Ours is told in memory. Pure.
 */

import { CalicoError } from '../base/calico-error.ts';
import type { IpFamily } from '../base/ip-address.ts';
import { isJsonObject, jsonKey } from '../base/json-object.ts';
import { editNetConf, type NetConfEdit } from './edit-net-conf.ts';
import type { NetConfSource } from './net-conf.ts';

/** `undefined`: as the configuration says. */
export interface PoolRequest {
  /** CIDRs or names of pools. */
  readonly ipv4Pools: readonly string[] | undefined;
  readonly ipv6Pools: readonly string[] | undefined;
  /** One address of each of these, and of no other. */
  readonly families: readonly IpFamily[] | undefined;
}

/** The configuration's text with the request in `ipam`. Throws `config` when there is something to put in, but no `ipam`. */
export function withPoolRequest({ text, json }: NetConfSource, request: PoolRequest): string {
  const members = Object.entries(requestedMembers(request));
  if (members.length === 0) return text;
  const at = jsonKey(json, 'ipam');
  const ipam = at === undefined ? undefined : json[at];
  if (at === undefined || !isJsonObject(ipam)) {
    throw new CalicoError('config', 'data on stdin was of unexpected type', {
      details: 'ipam must be an object',
    });
  }
  const edits = members.map(
    ([name, value]): NetConfEdit => ({ path: [at, jsonKey(ipam, name) ?? name], value }),
  );
  return editNetConf(text, edits);
}

function requestedMembers({
  ipv4Pools,
  ipv6Pools,
  families,
}: PoolRequest): Record<string, NetConfEdit['value']> {
  return {
    ...(ipv4Pools === undefined ? {} : { ipv4_pools: ipv4Pools }),
    ...(ipv6Pools === undefined ? {} : { ipv6_pools: ipv6Pools }),
    ...(families === undefined
      ? {}
      : { assign_ipv4: String(families.includes(4)), assign_ipv6: String(families.includes(6)) }),
  };
}
