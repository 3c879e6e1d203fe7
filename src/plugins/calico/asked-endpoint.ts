/** What a call asks of the endpoint, beside its addresses. Pure. */

import type { MacAddress } from '../../base/mac-address.ts';
import { type EndpointSettings, NO_SETTINGS } from '../../workload/endpoint-settings.ts';
import { mesosLabels } from '../../workload/mesos-labels.ts';
import type { Job } from '../job.ts';
import type { KubernetesPod } from '../kubernetes-pod.ts';

export interface AskedEndpoint {
  readonly profiles: readonly string[];
  /** The one of them that is created if there is none; Kubernetes' are others' to make. */
  readonly ownProfile: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** What is said of a pod's endpoint; `undefined` outside Kubernetes. */
  readonly settings: EndpointSettings | undefined;
  /** What the interface must have, if it matters. */
  readonly wantedMac: MacAddress | undefined;
}

/** `pod`: as the API has it; `undefined` for what is no pod, and for pods that the API is not asked about. */
export function askedEndpoint(
  { ids, conf }: Pick<Job, 'ids' | 'conf'>,
  pod: KubernetesPod | undefined,
): AskedEndpoint {
  if (pod !== undefined) {
    const { settings } = pod;
    const { profiles, mac: wantedMac } = settings;
    return { profiles, ownProfile: undefined, labels: {}, settings, wantedMac };
  }
  return {
    profiles: [conf.name],
    ownProfile: conf.name,
    labels: mesosLabels(conf.mesosLabels),
    settings: ids.orchestrator === 'k8s' ? NO_SETTINGS : undefined,
    wantedMac: undefined,
  };
}
