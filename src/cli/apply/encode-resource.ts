/** What is stored of a resource that is applied: its spec replaces the old one, and what we do not know stays. Pure. */

import { isJsonObject, type JsonObject } from '../../base/json-object.ts';
import { formatResource } from '../../datastore/codecs/resource.ts';
import { encodeIpamConfiguration } from './ipam-configuration-rules.ts';
import type { WrittenResource } from './written-resource.ts';

export interface NewIdentity {
  readonly uid: string;
  /** RFC 3339, whole seconds. */
  readonly creationTimestamp: string;
}

/** Names of the allocator's key that {@link encodeIpamConfiguration} sets. */
const IPAM_NAMES = [
  ...['strict_affinity', 'auto_allocate_blocks', 'maxBlocksPerHost', 'kubeVirtVMAddressPersistence'],
  'ipCooldownSeconds',
];

/**
 * `stored`: what is there now. Labels and annotations are added to those that are there, as calicoctl does; `identity` is
 * for a resource that is new.
 */
export function encodeResource(
  written: WrittenResource,
  stored: JsonObject | undefined,
  identity: NewIdentity,
): string {
  const { kind, name, labels, annotations } = written;
  if (kind.kind === 'IPAMConfiguration') {
    return encodeIpamConfiguration(written.spec, without(stored ?? {}, IPAM_NAMES));
  }
  const { metadata, spec, kind: _kind, apiVersion: _version, ...others } = stored ?? {};
  const old = objectOf(metadata);
  return formatResource(
    kind.kind,
    {
      ...(stored === undefined ? identity : {}),
      ...old,
      name,
      labels: { ...objectOf(old.labels), ...labels },
      annotations: { ...objectOf(old.annotations), ...annotations },
    },
    { ...without(objectOf(spec), kind.order), ...presentOnly(kind.complete(written.spec)) },
    kind.order,
    // Go writes the empty status of a node.
    kind.kind === 'Node' ? { status: {}, ...others } : others,
  );
}

/** Go leaves out what is not there, and writes no `null`. */
function presentOnly(object: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(object)
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([name, value]) => [name, isJsonObject(value) ? presentOnly(value) : value]),
  );
}

function without(object: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
}

function objectOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}
