/** The network configuration of the main plugin and of calico-ipam, checked, typed and with its defaults. */

import type { Cidr } from '../base/cidr.ts';
import type { Secret } from '../base/secret.ts';
import type { DatastoreConf } from './datastore-conf.ts';

export interface CalicoConf {
  /** stdin, character for character, for delegates. A secret because it can hold a token. */
  readonly text: Secret;
  /** Network name: first part of IPAM handles, and the profile's name where policy is not Kubernetes'. */
  readonly name: string;
  /** Name of the executable. */
  readonly type: string | undefined;
  readonly cniVersion: string | undefined;
  readonly node: NodeConf;
  readonly datastore: DatastoreConf;
  readonly log: LogConf;
  readonly ipam: IpamConf;
  /** Path of the file that calico-ipam locks. */
  readonly ipamLockFile: string;
  /** Bytes; `undefined`: as the MTU file says, else the kernel's choice. */
  readonly mtu: number | undefined;
  readonly requireMtuFile: boolean;
  /** Transmit and receive queues of both ends of the link, at least 1. */
  readonly queues: number;
  readonly deviceType: 'veth' | 'netkit';
  readonly dataplane: DataplaneConf;
  /** Value of the forwarding sysctls inside the pod. */
  readonly allowIpForwarding: boolean;
  /** With host-local routes: the default routes as well. */
  readonly includeDefaultRoutes: boolean;
  /** `k8s`: labels, profiles and annotations come from the pod. */
  readonly policyType: 'k8s' | undefined;
  readonly kubernetes: KubernetesConf;
  readonly features: FeatureConf;
  /** URLs that must answer before a pod is networked. */
  readonly readinessGates: readonly string[];
  /** How long an ADD waits for Felix; 0 does not wait. */
  readonly policySetupTimeoutSeconds: number;
  /** Directory in which Felix says what it has programmed. */
  readonly endpointStatusDir: string;
  /**
   * How old records must be before a GC collects them; a key of our own. Where only the removal of pods is asked for, it is
   * as it was written: a GC checks it.
   */
  readonly gcGraceSeconds: number;
  /** Labels of a workload started by Mesos, as they came. */
  readonly mesosLabels: readonly { readonly key: string; readonly value: string }[];
  readonly ignored: IgnoredConf;
}

export interface NodeConf {
  readonly nodename: string | undefined;
  readonly nodenameFile: string;
  readonly nodenameFileOptional: boolean;
  /** The older, weaker name of `nodename`. */
  readonly hostname: string | undefined;
}

export interface LogConf {
  readonly level: 'debug' | 'info' | 'error';
  /** Logs go to stderr and, when set, to this file. */
  readonly filePath: string | undefined;
  readonly fileMaxSizeMegabytes: number;
  readonly fileMaxAgeDays: number;
  readonly fileMaxCount: number;
}

export interface IpamConf {
  /** Name of the IPAM plugin; empty when the configuration has none. */
  readonly type: string;
  readonly name: string | undefined;
  readonly subnet: string | undefined;
  readonly assignIpv4: boolean;
  readonly assignIpv6: boolean;
  /** CIDRs or names of pools. */
  readonly ipv4Pools: readonly string[];
  readonly ipv6Pools: readonly string[];
  /** Destinations of host-local's own `routes`; empty for every other IPAM plugin. */
  readonly hostLocalRoutes: readonly Cidr[];
}

export type DataplaneConf =
  | { readonly type: 'linux' }
  /** `options`: all options whose value is a text, `type` and `socket` included. */
  | {
      readonly type: 'grpc';
      readonly socket: string;
      readonly options: Readonly<Record<string, string>>;
    };

/** How to reach the Kubernetes API. All empty: as a pod of the cluster would. */
export interface KubernetesConf {
  readonly kubeconfig: string | undefined;
  /** Server URL that overrides the kubeconfig's; `kubernetes.k8s_api_root` wins over `policy.k8s_api_root`. */
  readonly apiRoot: string | undefined;
  readonly authToken: Secret | undefined;
  readonly clientCertificate: string | undefined;
  readonly clientKey: string | undefined;
  readonly certificateAuthority: string | undefined;
  /** Kubernetes node whose pod CIDRs host-local uses, where it is not named like the Calico node. */
  readonly nodeName: string | undefined;
}

export interface FeatureConf {
  readonly ipAddrsNoIpam: boolean;
  readonly floatingIps: boolean;
}

/** Keys that are checked like all others, but have no effect on Linux with etcd. */
export interface IgnoredConf {
  readonly mode: string | undefined;
  readonly vxlanMacPrefix: string | undefined;
  readonly vxlanVni: number | undefined;
  readonly etcdAuthority: string | undefined;
  readonly etcdScheme: string | undefined;
  readonly qps: number | undefined;
  readonly burst: number | undefined;
  readonly calicoApiGroup: string | undefined;
  readonly runtimeDns: RuntimeDnsConf | undefined;
  readonly windows: WindowsConf;
}

export interface RuntimeDnsConf {
  readonly servers: readonly string[];
  readonly domain: string | undefined;
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

export interface WindowsConf {
  readonly podDeletionTimestampTimeout: number | undefined;
  readonly useSingleNetwork: boolean;
  readonly disableDefaultDenyAllPolicy: boolean;
  readonly loopbackDsr: boolean;
}
