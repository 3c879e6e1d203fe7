/**
 * Names of workload endpoints: four segments joined by `-`, every `-` inside a segment doubled.
 *
 * `node1-cni-cid--0x1x0-eth0` is node `node1`, orchestrator `cni`, container `cid-0x1x0`, interface `eth0`.
 * A prefix search for pod `web` also finds `web-1` (`…-web--1-…`), so a name that was found must be taken
 * apart again and compared: {@link isEndpointOf}. Pure.
 */

import { CalicoError } from '../base/calico-error.ts';
import { printable } from '../base/printable.ts';
import type { WorkloadIdentifiers } from './identifiers.ts';

/** The full name. Throws `config` when a segment is empty or begins or ends with a dash. */
export function endpointName(ids: WorkloadIdentifiers): string {
  return `${endpointNamePrefix(ids)}${segment('interface name', ids.ifName)}`;
}

/** What the names of all endpoints of this workload start with, whatever their interface: `node1-cni-abc-`. */
export function endpointNamePrefix(ids: WorkloadIdentifiers): string {
  return `${segment('node name', ids.nodeName)}-${ids.orchestrator}-${segment('workload', workloadOf(ids))}-`;
}

/**
 * What the names of endpoints start with whose host interface could have the same name as ours: outside
 * Kubernetes that name holds only the first characters of the container ID.
 */
export function endpointNamePrefixOfId(ids: WorkloadIdentifiers, idPrefix: string): string {
  return `${segment('node name', ids.nodeName)}-${ids.orchestrator}-${doubleDashes(idPrefix)}`;
}

/** Whether the name belongs to this workload (any interface). */
export function isEndpointOf(name: string, ids: WorkloadIdentifiers): boolean {
  const segments = splitEndpointName(name);
  return (
    segments.length === 4 &&
    segments[0] === ids.nodeName &&
    segments[1] === ids.orchestrator &&
    segments[2] === workloadOf(ids)
  );
}

/** Splits on single dashes and undoubles the rest. */
export function splitEndpointName(name: string): readonly string[] {
  return name
    .replaceAll('--', '\0')
    .split('-')
    .map((part) => part.replaceAll('\0', '-'));
}

function workloadOf(ids: WorkloadIdentifiers): string {
  return ids.podName ?? ids.containerId;
}

function segment(what: string, value: string): string {
  if (value === '') throw new CalicoError('config', `the ${what} is empty: field should be assigned`);
  if (value.startsWith('-')) throw dashError(what, value, 'begin');
  if (value.endsWith('-')) throw dashError(what, value, 'end');
  return doubleDashes(value);
}

function doubleDashes(value: string): string {
  return value.replaceAll('-', '--');
}

function dashError(what: string, value: string, where: 'begin' | 'end'): CalicoError {
  return new CalicoError(
    'config',
    `invalid ${what} "${printable(value)}": field must not ${where} with a '-'`,
  );
}
