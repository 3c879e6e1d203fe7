/**
 * What Calico's own writer demands of an endpoint, asked before anything is changed: its plugin finds out only
 * after the pod is wired, and leaves an address and a link behind. Pure.
 */

import { CalicoError, type ErrorKind } from '../base/calico-error.ts';
import { tryParseIpAddress } from '../base/ip-address.ts';
import { printable } from '../base/printable.ts';
import { endpointName } from './endpoint-name.ts';
import { type EndpointPort, type EndpointSettings, NO_SETTINGS } from './endpoint-settings.ts';
import type { WorkloadIdentifiers } from './identifiers.ts';

interface Rule {
  readonly pattern: RegExp;
  readonly reason: string;
  readonly maxLength: number;
}

const MAX_PORT = 65535;
const SUBDOMAIN: Rule = {
  pattern: /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  reason: 'must be lower-case letters, digits, "-" and ".", beginning and ending with a letter or digit',
  maxLength: 253,
};
/** A profile that is only referred to: with namespace and service account its name can be longer than any object's. */
const REFERENCE: Rule = { ...SUBDOMAIN, maxLength: Number.POSITIVE_INFINITY };
const CONTAINER_ID: Rule = {
  pattern: /^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/,
  reason: 'must be letters, digits and inner dashes',
  maxLength: 253,
};
/** The kernel's own limit on the length. */
const INTERFACE_NAME: Rule = {
  pattern: /^[a-zA-Z0-9_.-]+$/,
  reason: 'must be letters, digits, "_", "." and "-"; FELIX_INTERFACEPREFIX can have 4 characters',
  maxLength: 15,
};
/** A service name of RFC 6335. */
const PORT_NAME: Rule = {
  pattern: /^(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$/,
  reason: 'must be lower-case letters, at least one, digits and single inner dashes',
  maxLength: 15,
};

/** Whether a namespace or node name can be part of a stored object at all. */
export function isStorableName(name: string): boolean {
  return name.length <= SUBDOMAIN.maxLength && SUBDOMAIN.pattern.test(name);
}

/**
 * Throws an error that names the field, its value and the rule: `environment` for what the runtime gives, `config`
 * for all else. Labels are not asked about: the Kubernetes API server has the same rules for them.
 */
export function validateEndpoint(
  ids: WorkloadIdentifiers,
  profiles: readonly string[],
  { serviceAccountName, ports }: EndpointSettings = NO_SETTINGS,
): void {
  const isPod = ids.podName !== undefined;
  check('config', 'Node', ids.nodeName, SUBDOMAIN);
  check('environment', 'ContainerID', ids.containerId, CONTAINER_ID);
  if (isPod) check('environment', 'Pod', ids.podName, SUBDOMAIN);
  check('environment', 'Endpoint', ids.ifName, SUBDOMAIN);
  check(isPod ? 'environment' : 'config', 'Namespace', ids.namespace, SUBDOMAIN);
  if (serviceAccountName) check('config', 'ServiceAccountName', serviceAccountName, SUBDOMAIN);
  const profileRule = isPod ? REFERENCE : and(SUBDOMAIN, "it is the network's name");
  for (const [i, profile] of profiles.entries()) check('config', `Profiles[${i}]`, profile, profileRule);
  const holds = isPod ? 'node, pod and interface' : 'the container ID';
  check('environment', 'Name', endpointName(ids), and(SUBDOMAIN, `it holds ${holds}`));
  ports.forEach(checkPort);
}

/** Whether the kernel and Calico take the name that a host interface shall have. Throws `config`. */
export function validateHostInterfaceName(name: string): void {
  check('config', 'InterfaceName', name, INTERFACE_NAME);
}

function checkPort({ name, port, hostPort, hostIp }: EndpointPort, index: number): void {
  const field = (part: string) => `Ports[${index}].${part}`;
  if (name !== '') check('config', field('Name'), name, PORT_NAME);
  if (name === '' && hostPort === 0)
    throw wrong('config', field('Name'), '', 'name must not be empty if no HostPort is specified');
  if (!isPort(port)) throw wrong('config', field('Port'), `${port}`, `must be 1 to ${MAX_PORT}`);
  if (hostPort !== 0 && !isPort(hostPort))
    throw wrong('config', field('HostPort'), `${hostPort}`, `must be 1 to ${MAX_PORT}, or 0 for none`);
  if (hostIp !== '' && tryParseIpAddress(hostIp) === undefined)
    throw wrong('config', field('HostIP'), hostIp, 'must be an IP address, or empty');
}

function isPort(number: number): boolean {
  return Number.isInteger(number) && number > 0 && number <= MAX_PORT;
}

function and(rule: Rule, more: string): Rule {
  return { ...rule, reason: `${rule.reason}; ${more}` };
}

function check(kind: ErrorKind, field: string, value: string, rule: Rule): void {
  const { pattern, reason, maxLength } = rule;
  if (value.length > maxLength) {
    throw new CalicoError(
      kind,
      `error with field ${field} = '${printable(value)}' (${value.length} characters, at most ${maxLength})`,
    );
  }
  if (!pattern.test(value)) throw wrong(kind, field, value, reason);
}

function wrong(kind: ErrorKind, field: string, value: string, reason: string): CalicoError {
  return new CalicoError(kind, `error with field ${field} = '${printable(value)}' (${reason})`);
}
