/** The Node object of this host as JSON: fields are set and cleared, all others stay as whoever wrote them. Pure. */

import { isJsonObject, type JsonObject } from '../../base/json-object.ts';
import type { NewIdentity } from '../../datastore/codecs/bootstrap-resources.ts';
import { corrupt, formatJson, parseJsonObject } from '../../datastore/codecs/json.ts';
import { formatResource } from '../../datastore/codecs/resource.ts';
import { sameValue } from '../same-value.ts';

/** New values of fields of `spec`; `undefined` clears one. */
export interface NodeFields {
  readonly spec?: JsonObject;
  /** Of `spec.bgp`. */
  readonly bgp?: JsonObject;
}

/** Calico's order; the others follow. */
const SPEC_ORDER = ['bgp', 'ipv4VXLANTunnelAddr', 'vxlanTunnelMACAddr', 'ipv6VXLANTunnelAddr'];
const BGP_ORDER = ['asNumber', 'ipv4Address', 'ipv6Address', 'ipv4IPIPTunnelAddr', 'routeReflectorClusterID'];

export function newNodeRecord(identity: NewIdentity, { spec = {}, bgp = {} }: NodeFields): string {
  return formatResource('Node', { ...identity }, { bgp: ordered(bgp, BGP_ORDER), ...spec }, SPEC_ORDER);
}

/**
 * The record with the fields set; `undefined` when it says that already. A `bgp` without fields is left out, as Calico
 * refuses it. Throws `corrupt`, naming the key.
 */
export function withNodeFields(
  text: string,
  key: string,
  { spec = {}, bgp = {} }: NodeFields,
): string | undefined {
  const node = parseJsonObject(text, key);
  const oldSpec = member(node, 'spec', key);
  const newBgp = ordered(withFields(member(oldSpec, 'bgp', key), bgp), BGP_ORDER);
  const newSpec = withFields(oldSpec, { ...spec, bgp: Object.keys(newBgp).length > 0 ? newBgp : undefined });
  if (sameValue(oldSpec, newSpec)) return undefined;
  return formatJson({ ...node, spec: ordered(newSpec, SPEC_ORDER) });
}

/** A text field of `spec`, or of `spec.bgp`; `undefined` when it is absent or empty. */
export function nodeField(text: string, key: string, ...path: readonly string[]): string | undefined {
  const found = path.reduce<unknown>(
    (value, name) => (isJsonObject(value) ? value[name] : undefined),
    member(parseJsonObject(text, key), 'spec', key),
  );
  return typeof found === 'string' && found !== '' ? found : undefined;
}

function member(object: JsonObject, name: string, key: string): JsonObject {
  const value = object[name] ?? {};
  if (isJsonObject(value)) return value;
  throw corrupt(key, `${name} must be an object`);
}

function withFields(object: JsonObject, fields: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries({ ...object, ...fields }).filter(([, value]) => value !== undefined),
  );
}

function ordered(object: JsonObject, order: readonly string[]): JsonObject {
  const rank = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => rank(a) - rank(b)));
}
