/** What is wrong with the records of an attachment: its endpoint, its profile, its addresses. Pure. */

import { formatIpAddress, sameAddress } from '../../base/ip-address.ts';
import { formatMismatch, type Mismatch } from '../../base/mismatch.ts';
import { CniError, UNKNOWN_CONTAINER } from '../../cni/error.ts';
import { allocationFacts, allocationRanges } from '../../datastore/allocation-records.ts';
import type { Range } from '../../datastore/store.ts';
import type { View } from '../../datastore/view.ts';
import { workloadFacts, workloadRanges } from '../../datastore/workload-records.ts';
import { type AskedAllocation, allocationMismatches } from '../../ipam/check-allocation.ts';
import type { Tuning } from '../../network/read-tuning.ts';
import { endpointName } from '../../workload/endpoint-name.ts';
import type { WorkloadIdentifiers } from '../../workload/identifiers.ts';
import { isOfContainer, type WorkloadEndpoint } from '../../workload/workload-endpoint.ts';
import { requireReady } from '../require-ready.ts';
import type { MadeAttachment } from './made-attachment.ts';

export interface CheckInputs {
  readonly ids: WorkloadIdentifiers;
  readonly made: MadeAttachment;
  readonly tuning: Tuning;
  /** The profile that this plugin makes; `undefined` where Kubernetes has them. */
  readonly profile: string | undefined;
  /** `undefined` where another IPAM plugin knows. */
  readonly allocation: AskedAllocation | undefined;
  /** Whether the addresses may be the pod's own and nobody's to give. */
  readonly mayBeWithoutIpam: boolean;
}

export function checkRanges({ ids, profile, allocation }: CheckInputs): readonly Range[] {
  return [...workloadRanges(ids, profile), ...(allocation === undefined ? [] : allocationRanges(allocation))];
}

/**
 * Throws `unavailable` or `not-found` for a datastore that is not in service, and code 3 for a container whose endpoint
 * has become that of another one.
 */
export function decideCheck(
  inputs: CheckInputs,
  view: View,
  warn: (text: string) => void,
): readonly Mismatch[] {
  const { ids, profile } = inputs;
  const facts = workloadFacts(view, ids, warn, profile);
  requireReady(facts.datastoreReady);
  const endpoint = facts.endpoint?.value;
  return [
    ...(endpoint === undefined
      ? [missing(`workload endpoint ${ids.namespace}/${endpointName(ids)}`)]
      : endpointMismatches(inputs, endpoint)),
    ...(profile !== undefined && endpoint?.profiles.includes(profile) && !facts.profileExists
      ? [missing(`profile ${profile}`)]
      : []),
    ...heldMismatches(inputs, view),
  ];
}

function endpointMismatches(
  { ids, made, tuning }: CheckInputs,
  endpoint: WorkloadEndpoint,
): readonly Mismatch[] {
  const object = `workload endpoint ${endpoint.namespace}/${endpoint.name}`;
  requireOwn(object, ids, endpoint);
  const addresses = endpoint.ipNetworks.map(({ address }) => address);
  const lost = made.addresses.filter((address) => !addresses.some((known) => sameAddress(known, address)));
  return [
    ...(endpoint.interfaceName === made.hostIfName
      ? []
      : [mismatch(object, 'interface', made.hostIfName, endpoint.interfaceName)]),
    ...(isMacRight(endpoint.mac, made, tuning) ? [] : [mismatch(object, 'mac', made.mac, endpoint.mac)]),
    ...lost.map((address) =>
      mismatch(object, 'address', formatIpAddress(address), addresses.map(formatIpAddress).join(' and ')),
    ),
  ];
}

/** Calico keeps a pod's endpoint for its new sandbox: to the old one the runtime owes no more than its DEL. */
function requireOwn(object: string, { containerId }: WorkloadIdentifiers, endpoint: WorkloadEndpoint): void {
  if (isOfContainer(endpoint, containerId)) return;
  const found = mismatch(object, 'container', containerId, endpoint.containerId);
  throw new CniError(UNKNOWN_CONTAINER, 'difference', formatMismatch(found), {
    details: 'a newer sandbox has taken the place of this one, or the endpoint was changed by hand',
  });
}

/** The endpoint of an interface that was tuned has the former MAC. */
function isMacRight(mac: string | undefined, made: MadeAttachment, { formerMac }: Tuning): boolean {
  if (mac === undefined || made.mac === undefined) return true;
  return [made.mac, formerMac?.toLowerCase()].includes(mac.toLowerCase());
}

/** An address that a pod has brought along may be in a pool, and even be another one's there. */
function heldMismatches({ allocation, mayBeWithoutIpam }: CheckInputs, view: View): readonly Mismatch[] {
  if (allocation === undefined) return [];
  const facts = allocationFacts(view, allocation);
  return mayBeWithoutIpam && facts.handles.size === 0 ? [] : allocationMismatches(allocation, facts);
}

function missing(object: string): Mismatch {
  return { object, expected: 'present', found: 'missing' };
}

function mismatch(object: string, what: string, expected = 'none', found = 'none'): Mismatch {
  return { object, expected: `${what} ${expected}`, found: `${what} ${found || 'none'}` };
}
