/** Makes the typed configuration of the one that is written: defaults, names of our own, checked values. Pure. */

import { CalicoError } from '../base/calico-error.ts';
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
import { datastoreConf } from './datastore-conf.ts';
import type { EnvironmentDefaults } from './environment-defaults.ts';
import { hostLocalRoutes } from './host-local-routes.ts';
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
    name: networkName(wire.name),
    type: wire.type || undefined,
    cniVersion: wire.cniVersion || undefined,
    node: nodeConf(wire),
    datastore: datastoreConf(wire, defaults),
    log: logConf(wire),
    ipam: ipamConf(wire.ipam, checked),
    ipamLockFile: wire.ipam_lock_file || '/var/run/calico/ipam.lock',
    mtu: checked(() => mtu(wire.mtu), undefined),
    requireMtuFile: wire.require_mtu_file,
    queues: checked(() => queues(wire.num_queues), 1),
    deviceType: checked(() => deviceType(wire.device_type), 'veth'),
    dataplane: checked<DataplaneConf>(() => dataplaneConf(wire.dataplane_options), { type: 'linux' }),
    allowIpForwarding: wire.container_settings?.allow_ip_forwarding ?? false,
    includeDefaultRoutes: wire.include_default_routes,
    policyType: checked(() => policyType(wire.policy?.type), undefined),
    kubernetes: kubernetesConf(wire),
    features: featureConf(wire),
    readinessGates: checked(() => wire.readiness_gates.map(readinessGate), []),
    policySetupTimeoutSeconds: checked(() => policySetupTimeout(wire.policy_setup_timeout_seconds), 0),
    endpointStatusDir: wire.endpoint_status_dir || '/var/run/calico/endpoint-status',
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

function invalid(what: string): CalicoError {
  return new CalicoError('config', `invalid network configuration: ${what}`);
}

function networkName(name = ''): string {
  if (/^[a-zA-Z0-9_.-]+$/.test(name)) return name;
  throw new CalicoError(
    'config',
    'invalid characters detected in the given network name. Only letters a-z, numbers 0-9, and symbols _.- are supported',
    { details: name },
  );
}

/** The least IPv4 needs (RFC 791), and the most a veth takes. */
const MTU_RANGE = { min: 68, max: 65535 };

function mtu(value = 0): number | undefined {
  if (value === 0) return undefined;
  if (value >= MTU_RANGE.min && value <= MTU_RANGE.max) return value;
  throw invalid(`mtu must be 0 (automatic) or ${MTU_RANGE.min} to ${MTU_RANGE.max}, found ${value}`);
}

/** The kernel's own limit on the queues of a device. */
const MAX_QUEUES = 4096;

function queues(value = 1): number {
  if (value <= MAX_QUEUES) return Math.max(1, value);
  throw invalid(`num_queues must be at most ${MAX_QUEUES}, found ${value}`);
}

function deviceType(value = ''): 'veth' | 'netkit' {
  if (value === '') return 'veth';
  if (value === 'veth' || value === 'netkit') return value;
  const shown = JSON.stringify(value);
  throw new CalicoError('config', `unknown device_type ${shown} in CNI config (supported: "veth", "netkit")`);
}

function dataplaneConf(options: Readonly<Record<string, unknown>>): DataplaneConf {
  const { type, socket } = options;
  if (type === undefined || type === null) return { type: 'linux' };
  if (type !== 'grpc') throw new CalicoError('config', `invalid dataplane type: ${type}`);
  if (typeof socket !== 'string' || socket === '') {
    throw new CalicoError('config', 'GRPC dataplane socket not configured', {
      details: 'dataplane_options.type is "grpc": set dataplane_options.socket as well',
    });
  }
  const texts = Object.entries(options).flatMap(([key, value]) =>
    typeof value === 'string' ? [[key, value] as const] : [],
  );
  return { type, socket, options: Object.fromEntries(texts) };
}

/** Calico takes any other word for a profile that nobody creates, and the pod's traffic is dropped. */
function policyType(value = ''): 'k8s' | undefined {
  if (value === '') return undefined;
  if (value === 'k8s') return value;
  throw invalid(`policy.type must be "k8s" or absent, found ${JSON.stringify(value)}`);
}

function readinessGate(url: string): string {
  const protocol = URL.parse(url)?.protocol;
  if (protocol === 'http:' || protocol === 'https:') return url;
  throw new CalicoError(
    'config',
    `invalid URL set for ReadinessGates:${url} Error:it must be an http or https URL`,
  );
}

function policySetupTimeout(seconds = 0): number {
  if (seconds >= 0) return seconds;
  throw new CalicoError('config', `invalid pod startup delay of ${seconds}`, {
    details: 'policy_setup_timeout_seconds must not be negative',
  });
}

function nodeConf(wire: WireConf): NodeConf {
  return {
    nodename: wire.nodename || undefined,
    nodenameFile: wire.nodename_file || '/var/lib/calico/nodename',
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
