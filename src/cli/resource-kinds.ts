/** The kinds of resources that commands know, and what people call them: the names that calicoctl takes. Pure. */

import { CalicoError } from '../base/calico-error.ts';
import {
  IP_POOLS_PREFIX,
  IP_RESERVATIONS_PREFIX,
  IPAM_CONFIG_KEY,
  resourcePrefix,
  WORKLOAD_ENDPOINTS_PREFIX,
} from '../datastore/keys.ts';

export const API_VERSION = 'projectcalico.org/v3';

export type KindName =
  | 'WorkloadEndpoint'
  | 'IPPool'
  | 'Node'
  | 'Profile'
  | 'IPReservation'
  | 'IPAMConfiguration';

export interface ResourceKind {
  readonly kind: KindName;
  /** In lower case; the first one is for messages. */
  readonly names: readonly string[];
  readonly isNamespaced: boolean;
  /** Of its keys: the rest is the name, or namespace and name. */
  readonly prefix: string;
}

/** The one IPAM configuration there is: what the allocator obeys. */
export const IPAM_CONFIGURATION: ResourceKind = {
  kind: 'IPAMConfiguration',
  names: ['ipamconfig', 'ipamconfigs', 'ipamconfiguration', 'ipamconfigurations'],
  isNamespaced: false,
  prefix: IPAM_CONFIG_KEY,
};

/** In the order of help texts. */
export const RESOURCE_KINDS: readonly ResourceKind[] = [
  {
    kind: 'WorkloadEndpoint',
    names: ['workloadendpoints', 'workloadendpoint', 'wep', 'weps'],
    isNamespaced: true,
    prefix: WORKLOAD_ENDPOINTS_PREFIX,
  },
  {
    kind: 'IPPool',
    names: ['ippools', 'ippool', 'ipp', 'ipps', 'pool', 'pools'],
    isNamespaced: false,
    prefix: IP_POOLS_PREFIX,
  },
  {
    kind: 'Node',
    names: ['nodes', 'node', 'no', 'nos'],
    isNamespaced: false,
    prefix: resourcePrefix('nodes'),
  },
  {
    kind: 'Profile',
    names: ['profiles', 'profile', 'pro', 'pros'],
    isNamespaced: false,
    prefix: resourcePrefix('profiles'),
  },
  {
    kind: 'IPReservation',
    names: ['ipreservations', 'ipreservation', 'reservation', 'reservations'],
    isNamespaced: false,
    prefix: IP_RESERVATIONS_PREFIX,
  },
  IPAM_CONFIGURATION,
];

/** The kind that a person means. Throws `config` with all names there are. */
export function parseKind(text: string): ResourceKind {
  const folded = text.toLowerCase();
  const found = RESOURCE_KINDS.find(({ names }) => names.includes(folded));
  if (found !== undefined) return found;
  const known = RESOURCE_KINDS.map(({ names }) => names[0]).join(', ');
  throw new CalicoError('config', `resource type '${text}' is not supported`, {
    details: `These are: ${known}. For others use calicoctl.`,
  });
}

/** What messages call a resource: `IPPool(default-ipv4-ippool)`, `WorkloadEndpoint(default/node1-k8s-web-eth0)`. */
export function resourceId({ kind }: ResourceKind, name: string, namespace?: string): string {
  return `${kind}(${namespace === undefined ? name : `${namespace}/${name}`})`;
}
