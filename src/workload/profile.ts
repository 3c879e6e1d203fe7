/** The profile that lets the containers of one network talk to each other where no policy says otherwise. Pure. */

export interface NetworkProfile {
  readonly name: string;
  readonly uid: string;
  readonly creationTimestamp: string;
  /** Whether ingress is limited to endpoints of the same network: everywhere but under Kubernetes. */
  readonly ingressFromSameNetworkOnly: boolean;
}
