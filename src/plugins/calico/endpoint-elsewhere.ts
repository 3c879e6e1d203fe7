/**
 * The endpoint of a container whose DEL names another namespace or another pod than its ADD did, or none. Its address must
 * not become free while the endpoint and the interface still have it. Pure.
 */

import type { Stored } from '../../base/revision.ts';
import { WORKLOAD_ENDPOINTS_PREFIX } from '../../datastore/keys.ts';
import type { Range } from '../../datastore/store.ts';
import { keysUnder, type View } from '../../datastore/view.ts';
import { ENDPOINT_LIST, endpointKeysOfNode, knownEndpoints } from '../../datastore/workload-records.ts';
import type { WorkloadIdentifiers } from '../../workload/identifiers.ts';
import type { WorkloadEndpoint } from '../../workload/workload-endpoint.ts';

/** So many endpoints are read at once. */
const MAX_ENDPOINTS = 100;

/** What is to be read, piece by piece, before {@link endpointElsewhere} knows all endpoints of the node; then nothing. */
export function unknownEndpoints(view: View, nodeName: string): readonly Range[] {
  if (!isListed(view)) return [ENDPOINT_LIST];
  return endpointKeysOfNode(view, nodeName)
    .filter((key) => !view.entries.has(key))
    .slice(0, MAX_ENDPOINTS)
    .map((key) => ({ key }));
}

/** Among those that have been read. One that cannot be read is reported to `warn`. */
export function endpointElsewhere(
  view: View,
  { containerId, nodeName }: WorkloadIdentifiers,
  warn: (text: string) => void,
): Stored<WorkloadEndpoint> | undefined {
  if (!isListed(view)) return undefined;
  return knownEndpoints(view, warn).find(
    ({ value }) => value.containerId === containerId && value.nodeName === nodeName,
  );
}

function isListed(view: View): boolean {
  return keysUnder(view, WORKLOAD_ENDPOINTS_PREFIX) !== undefined;
}
