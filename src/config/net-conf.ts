/** Makes the typed configuration of the one that is written: defaults, names of our own, checked values. Pure. */

import type { JsonObject } from '../base/json-object.ts';
import { type Secret, secret } from '../base/secret.ts';
import type {
  CalicoConf,
  DataplaneConf,
  FeatureConf,
  IgnoredConf,
  IpamConf,
  KubernetesConf,
  LogConf,
  NodeConf,
} from './calico-conf.ts';
import {
  checkDataplane,
  checkDeviceType,
  checkGcGrace,
  checkMtu,
  checkNetworkName,
  checkPolicySetupTimeout,
  checkPolicyType,
  checkQueues,
  checkReadinessGate,
} from './check-values.ts';
import { datastoreConf } from './datastore-conf.ts';
import type { EnvironmentDefaults } from './environment-defaults.ts';
import { hostLocalRoutes } from './host-local-routes.ts';
import { NODENAME_FILE } from './node-name.ts';
import { decodeWireConf, type WireConf } from './wire-conf.ts';

/** stdin, and what it decodes to. */
export interface NetConfSource {
  readonly text: string;
  readonly json: JsonObject;
}

/**
 * Whether values that only matter for making a pod's network are refused (`strict`) or taken for absent when
 * they are wrong (`lenient`). DEL and GC are lenient: what an older or laxer plugin let in must stay removable.
 */
export type Rigor = 'strict' | 'lenient';

/** Throws `config`, or `unsupported`, with the key, what it must be and what it is. */
export function parseNetConf(
  source: NetConfSource,
  defaults: EnvironmentDefaults,
  rigor: Rigor = 'strict',
): CalicoConf {
  const wire = decodeWireConf(source.json);
  const checked = checker(rigor);
  return {
    text: secret(source.text),
    name: checkNetworkName(wire.name),
    type: wire.type || undefined,
    cniVersion: wire.cniVersion || undefined,
    node: nodeConf(wire),
    datastore: datastoreConf(wire, defaults),
    log: logConf(wire),
    ipam: ipamConf(wire.ipam, checked),
    ipamLockFile: wire.ipam_lock_file || '/var/run/calico/ipam.lock',
    mtu: checked(() => checkMtu(wire.mtu), undefined),
    requireMtuFile: wire.require_mtu_file,
    queues: checked(() => checkQueues(wire.num_queues), 1),
    deviceType: checked(() => checkDeviceType(wire.device_type), 'veth'),
    dataplane: checked<DataplaneConf>(() => checkDataplane(wire.dataplane_options), { type: 'linux' }),
    allowIpForwarding: wire.container_settings?.allow_ip_forwarding ?? false,
    includeDefaultRoutes: wire.include_default_routes,
    policyType: checked(() => checkPolicyType(wire.policy?.type), undefined),
    kubernetes: kubernetesConf(wire),
    features: featureConf(wire),
    readinessGates: checked(() => wire.readiness_gates.map(checkReadinessGate), []),
    policySetupTimeoutSeconds: checked(() => checkPolicySetupTimeout(wire.policy_setup_timeout_seconds), 0),
    endpointStatusDir: wire.endpoint_status_dir || '/var/run/calico/endpoint-status',
    gcGraceSeconds: checked(() => checkGcGrace(wire.gc_grace_seconds), wire.gc_grace_seconds ?? 0),
    mesosLabels: wire.args?.['org.apache.mesos']?.network_info?.labels?.labels ?? [],
    ignored: ignoredConf(wire),
  };
}

type Checker = <T>(check: () => T, fallback: T) => T;

function checker(rigor: Rigor): Checker {
  if (rigor === 'strict') return (check) => check();
  return (check, fallback) => {
    try {
      return check();
    } catch {
      return fallback;
    }
  };
}

function nodeConf(wire: WireConf): NodeConf {
  return {
    nodename: wire.nodename || undefined,
    nodenameFile: wire.nodename_file || NODENAME_FILE,
    nodenameFileOptional: wire.nodename_file_optional,
    hostname: wire.hostname || undefined,
  };
}

function logConf(wire: WireConf): LogConf {
  const level = wire.log_level?.toLowerCase();
  return {
    level: level === 'debug' || level === 'error' ? level : 'info',
    filePath: wire.log_file_path || undefined,
    fileMaxSizeMegabytes: wire.log_file_max_size || 100,
    fileMaxAgeDays: wire.log_file_max_age || 30,
    fileMaxCount: wire.log_file_max_count || 10,
  };
}

/** Only exactly `"false"` turns IPv4 off and only exactly `"true"` turns IPv6 on, as in Calico. */
function ipamConf(ipam: WireConf['ipam'], checked: Checker): IpamConf {
  return {
    type: ipam?.type ?? '',
    name: ipam?.name || undefined,
    subnet: ipam?.subnet || undefined,
    assignIpv4: ipam?.assign_ipv4 !== 'false',
    assignIpv6: ipam?.assign_ipv6 === 'true',
    ipv4Pools: ipam?.ipv4_pools ?? [],
    ipv6Pools: ipam?.ipv6_pools ?? [],
    hostLocalRoutes: ipam?.type === 'host-local' ? checked(() => hostLocalRoutes(ipam.routes), []) : [],
  };
}

function kubernetesConf({ policy, kubernetes }: WireConf): KubernetesConf {
  return {
    kubeconfig: kubernetes?.kubeconfig || undefined,
    apiRoot: kubernetes?.k8s_api_root || policy?.k8s_api_root?.split('/api/')[0] || undefined,
    authToken: secretOrAbsent(policy?.k8s_auth_token),
    clientCertificate: policy?.k8s_client_certificate || undefined,
    clientKey: policy?.k8s_client_key || undefined,
    certificateAuthority: policy?.k8s_certificate_authority || undefined,
    nodeName: kubernetes?.node_name || undefined,
  };
}

function secretOrAbsent(text: string | undefined): Secret | undefined {
  return text ? secret(text) : undefined;
}

function featureConf({ feature_control: features }: WireConf): FeatureConf {
  return {
    ipAddrsNoIpam: features?.ip_addrs_no_ipam ?? false,
    floatingIps: features?.floating_ips ?? false,
  };
}

function ignoredConf(wire: WireConf): IgnoredConf {
  const dns = wire.runtimeConfig?.dns;
  return {
    mode: wire.mode || undefined,
    vxlanMacPrefix: wire.vxlan_mac_prefix || undefined,
    vxlanVni: wire.vxlan_vni,
    etcdAuthority: wire.etcd_authority || undefined,
    etcdScheme: wire.etcd_scheme || undefined,
    qps: wire.qps,
    burst: wire.burst,
    calicoApiGroup: wire.calico_api_group || undefined,
    runtimeDns: dns === undefined ? undefined : { ...dns, domain: dns.domain || undefined },
    windows: {
      podDeletionTimestampTimeout: wire.windows_pod_deletion_timestamp_timeout,
      useSingleNetwork: wire.windows_use_single_network,
      disableDefaultDenyAllPolicy: wire.windows_disable_default_deny_all_policy,
      loopbackDsr: wire.windows_loopback_DSR,
    },
  };
}
