/** Which workload a CNI call is about (Calico's WEPIdentifiers). Pure. */

export type Orchestrator = 'k8s' | 'cni';

export interface WorkloadIdentifiers {
  readonly orchestrator: Orchestrator;
  readonly nodeName: string;
  /** Calico namespace of the endpoint: the pod's, or `default` outside Kubernetes. */
  readonly namespace: string;
  readonly containerId: string;
  /** CNI_IFNAME: the endpoint field of the workload endpoint. */
  readonly ifName: string;
  /** Present if and only if the orchestrator is `k8s`. */
  readonly podName: string | undefined;
}
