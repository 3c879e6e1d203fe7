/** A stored value → the resource as calicoctl shows it: with its version, and with what is meant where nothing is said. Pure. */

import { tryParseCidr } from '../../base/cidr.ts';
import { isJsonObject, type JsonObject } from '../../base/json-object.ts';
import { parseJsonObject } from '../../datastore/codecs/json.ts';
import type { Entry } from '../../datastore/store.ts';
import { API_VERSION, type KindName } from '../resource-kinds.ts';
import { presentIpamConfiguration } from './present-ipam-configuration.ts';

/** Throws `corrupt` for a value that is not a JSON object. */
export function presentResource(kind: KindName, entry: Entry): JsonObject {
  const stored = parseJsonObject(entry.value, entry.key);
  if (kind === 'IPAMConfiguration') return presentIpamConfiguration(stored, entry.revision);
  const { metadata, spec, status, ...others } = stored;
  return {
    ...others,
    kind,
    apiVersion: API_VERSION,
    metadata: withVersion(objectOf(metadata), entry.revision),
    spec: kind === 'IPPool' ? withPoolDefaults(objectOf(spec)) : objectOf(spec),
    ...(kind === 'Node' ? { status: objectOf(status) } : status === undefined ? {} : { status }),
  };
}

/** A list of resources of one kind, as they were at that version of the datastore. */
export function presentList(kind: KindName, items: readonly JsonObject[], revision: string): JsonObject {
  return {
    kind: `${kind}List`,
    apiVersion: API_VERSION,
    metadata: { resourceVersion: revision },
    items,
  };
}

/** The profile that every cluster has, without it being stored: its traffic is allowed. */
export const DEFAULT_ALLOW_PROFILE: JsonObject = {
  kind: 'Profile',
  apiVersion: API_VERSION,
  metadata: { name: 'projectcalico-default-allow', resourceVersion: '0', creationTimestamp: null },
  spec: {
    ingress: [{ action: 'Allow' }],
    egress: [{ action: 'Allow' }],
  },
};

/** The version stands behind the uid, where Go has it. */
function withVersion(metadata: JsonObject, resourceVersion: string): JsonObject {
  const { name, generateName, namespace, uid, creationTimestamp = null, ...others } = metadata;
  return withoutAbsent({ name, generateName, namespace, uid, resourceVersion, creationTimestamp, ...others });
}

/** What a pool means that does not say it: older versions did not. */
function withPoolDefaults(spec: JsonObject): JsonObject {
  const { cidr, vxlanMode, ipipMode, natOutgoing, disabled, disableBGPExport, blockSize, ...others } = spec;
  const { nodeSelector, namespaceSelector, allowedUses, assignmentMode, ...unknown } = others;
  const family = typeof cidr === 'string' ? tryParseCidr(cidr)?.family : undefined;
  return withoutAbsent({
    cidr,
    vxlanMode: vxlanMode || 'Never',
    ipipMode: ipipMode || 'Never',
    natOutgoing,
    disabled,
    disableBGPExport,
    blockSize: blockSize || (family === 6 ? 122 : 26),
    nodeSelector: nodeSelector || 'all()',
    namespaceSelector,
    allowedUses: isEmpty(allowedUses) ? ['Workload', 'Tunnel'] : allowedUses,
    assignmentMode: assignmentMode || 'Automatic',
    ...unknown,
  });
}

function objectOf(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

function isEmpty(value: unknown): boolean {
  return !Array.isArray(value) || value.length === 0;
}

function withoutAbsent(object: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));
}
