/** The labels and profiles of a pod's endpoint, by which policy finds it. Pure. */

import type { Pod } from './objects.ts';

/** A longer value could not be a label. */
const LABEL_VALUE_LIMIT = 63;

/** The pod's own, and its service account where the name is short enough (Calico asks for less than 63 characters). */
export function podLabels({ labels, serviceAccountName }: Pod): Readonly<Record<string, string>> {
  const isLabel = serviceAccountName !== undefined && serviceAccountName.length < LABEL_VALUE_LIMIT;
  return serviceAccountName && isLabel
    ? { ...labels, 'projectcalico.org/serviceaccount': serviceAccountName }
    : labels;
}

/** Those of the namespace and of the service account, which Calico's controllers keep up to date. */
export function podProfiles({ namespace, serviceAccountName }: Pod): readonly string[] {
  const ofNamespace = `kns.${namespace}`;
  return serviceAccountName ? [ofNamespace, `ksa.${namespace}.${serviceAccountName}`] : [ofNamespace];
}
