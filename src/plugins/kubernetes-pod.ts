/** What Kubernetes says of the pod a call is about. */

import { CalicoError } from '../base/calico-error.ts';
import type { KubernetesApi } from '../kubernetes/api.ts';
import type { Pod } from '../kubernetes/objects.ts';
import { requireAllowed } from '../kubernetes/pod-permissions.ts';
import { type PodSettings, podSettings } from '../kubernetes/pod-settings.ts';
import type { Job } from './job.ts';

export interface KubernetesPod {
  readonly settings: PodSettings;
  readonly annotations: Readonly<Record<string, string>>;
  readonly namespaceLabels: Readonly<Record<string, string>>;
}

/** Whether the API is asked about this call's pod: `policy.type` says so, and it is a pod. */
export function isKubernetesPod({ ids, conf }: Pick<Job, 'ids' | 'conf'>): boolean {
  return ids.orchestrator === 'k8s' && conf.policyType === 'k8s';
}

/** Pod and namespace, read at the same time. Throws what the API throws, and `config` for what the pod may not ask for. */
export async function readKubernetesPod(job: Job, api: KubernetesApi): Promise<KubernetesPod> {
  const { ids, args, conf, deadline, log, phases } = job;
  const read = phases.start('read the pod');
  const [namespace, pod] = await Promise.all([
    api.namespace(ids.namespace, deadline),
    api.pod(ids.namespace, ids.podName ?? '', deadline),
  ]);
  read();
  requireSameIncarnation(pod, args.podUid);
  const settings = podSettings(pod, namespace);
  requireAllowed(settings, { ipamType: conf.ipam.type, features: conf.features });
  for (const note of settings.notes) log.warn(note);
  return { settings, annotations: pod.annotations, namespaceLabels: namespace.labels };
}

/** What a mirror pod, by which the API shows a static pod of a node, says of the pod it stands for. */
const MIRRORED_POD = 'kubernetes.io/config.mirror';

/**
 * A pod that was deleted and created anew under its name, as those of a StatefulSet are, may have other labels and
 * annotations than the one this sandbox is for. The mirror of a static pod always has a UID of its own.
 */
function requireSameIncarnation(pod: Pod, runtimeUid: string | undefined): void {
  if (!runtimeUid || pod.uid === '' || pod.uid === runtimeUid || MIRRORED_POD in pod.annotations) return;
  throw new CalicoError(
    'unavailable',
    `pod ${pod.namespace}/${pod.name} is not the one this sandbox is for: its UID is ${pod.uid}, K8S_POD_UID is ${runtimeUid}`,
    {
      details:
        'it was deleted and created anew meanwhile; kubelet ends this sandbox and makes one for the new pod',
    },
  );
}
