/** Compares endpoints with the pods of Kubernetes. */

import { isCalicoError } from '../../base/calico-error.ts';
import type { Deadline } from '../../base/deadline.ts';
import type { Finding } from '../../ipam/audit/damage.ts';
import type { KubernetesApi } from '../../kubernetes/api.ts';
import { openKubernetesApi } from '../../kubernetes/api-client.ts';
import { readConnectionSettings } from '../../kubernetes/connection-settings.ts';
import { listPods } from '../../kubernetes/pod-list.ts';
import type { WorkloadEndpoint } from '../../workload/workload-endpoint.ts';
import type { CommandWorld } from '../command-world.ts';
import { kubernetesSources } from '../kubernetes-sources.ts';
import type { SeenEndpoint } from './kernel-findings.ts';

export interface Pods extends Disposable {
  /** Whether it is the endpoint of a pod that there was not when they were listed. */
  isMissing(endpoint: WorkloadEndpoint): boolean;
  /** Whether the server still knows none. */
  isGone(endpoint: WorkloadEndpoint): Promise<boolean>;
}

/** Lists all pods. Rejects as the calls of `KubernetesApi` do. */
export async function openPods(
  kubeconfig: string | undefined,
  { env, clock }: CommandWorld,
  deadline: Deadline,
): Promise<Pods> {
  const settings = await readConnectionSettings(kubernetesSources(kubeconfig, env), clock);
  const names = new Set<string>();
  for await (const page of listPods(settings, clock, deadline))
    for (const { namespace, name } of page) names.add(`${namespace}/${name}`);
  let api: KubernetesApi | undefined;
  return {
    isMissing: ({ orchestrator, namespace, podName }) =>
      orchestrator === 'k8s' && podName !== undefined && !names.has(`${namespace}/${podName}`),
    isGone: async ({ namespace, podName = '' }) => {
      api ??= openKubernetesApi(settings, clock);
      try {
        await api.pod(namespace, podName, deadline);
        return false;
      } catch (error) {
        if (isCalicoError(error, 'not-found')) return true;
        throw error;
      }
    },
    [Symbol.dispose]: () => api?.close(),
  };
}

/** Those that came after the list was made are asked for by name. */
export async function findInKubernetes(
  pods: Pods,
  seen: readonly SeenEndpoint[],
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const { key, endpoint } of seen) {
    if (!pods.isMissing(endpoint) || !(await pods.isGone(endpoint))) continue;
    const text = `Kubernetes has no pod ${endpoint.namespace}/${endpoint.podName}`;
    findings.push({ damage: 'endpoint-without-pod', key, text });
  }
  return findings;
}
