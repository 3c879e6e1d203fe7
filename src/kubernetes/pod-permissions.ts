/** Whether the network configuration allows what a pod asks for. Pure. */

import { CalicoError } from '../base/calico-error.ts';
import { printable } from '../base/printable.ts';
import type { PodSettings } from './pod-settings.ts';

export interface Permissions {
  /** Name of the IPAM plugin. */
  readonly ipamType: string;
  /** What `feature_control` enables. */
  readonly features: { readonly ipAddrsNoIpam: boolean; readonly floatingIps: boolean };
}

/** Throws `config`. Only Calico's IPAM gives a pod addresses by name. */
export function requireAllowed(
  settings: Pick<PodSettings, 'pod' | 'addresses' | 'floatingIps'>,
  { ipamType, features }: Permissions,
): void {
  const { pod, addresses, floatingIps } = settings;
  if (addresses.from !== 'automatic' && ipamType !== 'calico-ipam')
    throw refusal(`${addresses.from} is not compatible with configured IPAM: ${printable(ipamType)}`, {
      pod,
      annotation: addresses.from,
      remedy: 'set ipam.type to "calico-ipam"',
    });
  if (addresses.from === 'ipAddrsNoIpam' && !features.ipAddrsNoIpam)
    throw disabled('ip_addrs_no_ipam', { pod, annotation: 'ipAddrsNoIpam' });
  if (floatingIps.length > 0 && !features.floatingIps)
    throw disabled('floating_ips', { pod, annotation: 'floatingIPs' });
}

interface Request {
  readonly pod: string;
  readonly annotation: string;
}

function disabled(feature: string, request: Request): CalicoError {
  const remedy = `set feature_control.${feature} to true in the network configuration`;
  return refusal(`requested feature is not enabled: ${feature}`, { ...request, remedy });
}

function refusal(words: string, request: Request & { readonly remedy: string }): CalicoError {
  const { pod, annotation, remedy } = request;
  return new CalicoError(
    'config',
    `${words} (annotation cni.projectcalico.org/${annotation} of pod ${pod})`,
    {
      details: `${remedy}, or take the annotation off the pod`,
    },
  );
}
