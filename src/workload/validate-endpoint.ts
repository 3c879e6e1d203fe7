/**
 * What Calico's own writer demands of an endpoint, asked before anything is changed: its plugin finds out only
 * after the pod is wired, and leaves an address and a link behind. Pure.
 */

import { CalicoError, type ErrorKind } from '../base/calico-error.ts';
import { endpointName } from './endpoint-name.ts';
import type { WorkloadIdentifiers } from './identifiers.ts';

const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const CONTAINER_ID = /^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/;
const MAX_NAME_LENGTH = 253;

const SUBDOMAIN_RULE =
  'must be lower-case letters, digits, "-" and ".", beginning and ending with a letter or digit';

/** Whether a namespace or node name can be part of a stored object at all. */
export function isStorableName(name: string): boolean {
  return name.length <= MAX_NAME_LENGTH && DNS_SUBDOMAIN.test(name);
}

/** Throws an error that names the field, its value and the rule. */
export function validateEndpoint(ids: WorkloadIdentifiers, profile: string): void {
  check('config', 'Node', ids.nodeName, DNS_SUBDOMAIN, SUBDOMAIN_RULE);
  check(
    'environment',
    'ContainerID',
    ids.containerId,
    CONTAINER_ID,
    'must be letters, digits and inner dashes',
  );
  check('environment', 'Endpoint', ids.ifName, DNS_SUBDOMAIN, SUBDOMAIN_RULE);
  check('config', 'Namespace', ids.namespace, DNS_SUBDOMAIN, SUBDOMAIN_RULE);
  check('config', 'Profiles[0]', profile, DNS_SUBDOMAIN, `${SUBDOMAIN_RULE}; it is the network's name`);
  check(
    'environment',
    'Name',
    endpointName(ids),
    DNS_SUBDOMAIN,
    `${SUBDOMAIN_RULE}; it holds the container ID`,
  );
}

function check(kind: ErrorKind, field: string, value: string, rule: RegExp, reason: string): void {
  if (value.length > MAX_NAME_LENGTH) {
    throw new CalicoError(
      kind,
      `error with field ${field} = '${value.slice(0, 40)}…' (${value.length} characters, at most ${MAX_NAME_LENGTH})`,
    );
  }
  if (!rule.test(value)) throw new CalicoError(kind, `error with field ${field} = '${value}' (${reason})`);
}
