/** What `calico node checksystem` has seen of a host. Pure types. */

/** Tried in a network namespace of its own: the value is why it did not work, `undefined` where it did. */
export interface KernelTrials {
  readonly veth: string | undefined;
  readonly vxlan: string | undefined;
  readonly ipip: string | undefined;
  readonly nat: string | undefined;
  readonly natIpv6: string | undefined;
}

export interface SystemFacts {
  /** `6.1.0-18-amd64`. */
  readonly kernelRelease: string;
  /** CAP_NET_ADMIN and CAP_SYS_ADMIN. */
  readonly capabilities: { readonly netAdmin: boolean; readonly sysAdmin: boolean };
  /** Why nothing could be tried, or what came of it. */
  readonly trials: KernelTrials | string;
  /** By path below /proc/sys: the value, and whether it can be changed. */
  readonly switches: ReadonlyMap<string, Switch>;
  readonly vxlanPort: { readonly number: number; readonly usedBy: PortUser };
  readonly runs: {
    readonly felix: boolean;
    readonly bird: boolean;
    readonly networkManager: boolean;
    readonly firewalld: boolean;
  };
  /** Whether a file of NetworkManager tells it to leave our interfaces alone. */
  readonly isUnmanaged: boolean;
  /** Why they cannot be written to; `undefined`: they can. */
  readonly folders: readonly { readonly path: string; readonly refusal: string | undefined }[];
  /** Interfaces that lead to other hosts. */
  readonly parents: readonly Parent[];
  /** Entries of connection tracking, and how many there can be. */
  readonly conntrack: { readonly used: number; readonly most: number } | undefined;
}

export interface Parent {
  readonly name: string;
  readonly mtu: number;
  readonly isUp: boolean;
  /** Of the interface itself; the kernel takes the larger of it and that of all. */
  readonly rpFilter: number;
}

export interface Switch {
  /** `undefined`: the kernel does not have it. */
  readonly value: string | undefined;
  readonly isWritable: boolean;
}

/** `nobody`, a VXLAN device by its name, or another program. */
export type PortUser =
  | { readonly is: 'nobody' }
  | { readonly is: 'device'; readonly name: string }
  | { readonly is: 'program' };
