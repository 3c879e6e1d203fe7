/** What is read of the objects of Kubernetes: the fields that matter here, absent ones filled in. Pure types. */

export interface Pod {
  readonly name: string;
  readonly namespace: string;
  /** A new one for every incarnation of a name. */
  readonly uid: string;
  readonly generateName: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly serviceAccountName: string | undefined;
  /** Of its containers, then of its init containers. */
  readonly ports: readonly ContainerPort[];
}

/** A port as the pod's specification has it: nothing checked, nothing added. */
export interface ContainerPort {
  readonly name: string;
  readonly containerPort: number;
  /** 0: none. */
  readonly hostPort: number;
  readonly hostIp: string;
  /** Empty means TCP. */
  readonly protocol: string;
}

export interface Namespace {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Node {
  readonly name: string;
  readonly podCidrs: readonly string[];
  /** As its kubelet or the cloud reports them; none before it has. */
  readonly internalIps: readonly string[];
}
