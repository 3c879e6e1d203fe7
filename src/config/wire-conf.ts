/**
 * The network configuration as it is written: every key Calico documents, with its JSON type. Keys are found as
 * Go finds them (exactly, else in another case), `null` is absent, unknown keys are ignored. Pure.
 *
 * `zod/mini`, because with it this room is evaluated in 4 ms; with `zod` it is 10, and three times the code.
 */

import * as z from 'zod/mini';
import { CalicoError } from '../base/calico-error.ts';
import { describeJson, isJsonObject, jsonMember } from '../base/json-object.ts';

/** An object whose members are looked up by Go's rules before their types are checked. */
function members<Shape extends z.core.$ZodShape>(shape: Shape) {
  const names = Object.keys(shape);
  return z.pipe(
    z.transform((value: unknown) => selectMembers(value, names)),
    z.object(shape),
  );
}

function selectMembers(value: unknown, names: readonly string[]): unknown {
  if (!isJsonObject(value)) return value;
  const found = names.map((name) => [name, jsonMember(value, name)] as const);
  return Object.fromEntries(found.filter(([, member]) => member !== undefined));
}

const text = z.optional(z.string());
const texts = z._default(z.array(z.string()), []);
const integer = z.optional(z.int());
const flag = z._default(z.boolean(), false);

function object<Shape extends z.core.$ZodShape>(shape: Shape) {
  return z.optional(members(shape));
}

const ipam = members({
  type: text,
  name: text,
  subnet: text,
  assign_ipv4: text,
  assign_ipv6: text,
  ipv4_pools: texts,
  ipv6_pools: texts,
  // host-local's own; whether it is well-formed matters only when that is the plugin.
  routes: z.optional(z.unknown()),
});

const policy = members({
  type: text,
  k8s_api_root: text,
  k8s_auth_token: text,
  k8s_client_certificate: text,
  k8s_client_key: text,
  k8s_certificate_authority: text,
});

const mesosLabel = members({ key: z._default(z.string(), ''), value: z._default(z.string(), '') });
const mesosNetwork = object({ name: text, labels: object({ labels: z._default(z.array(mesosLabel), []) }) });

/** All keys with their types. */
export const wireConf = members({
  cniVersion: text,
  name: text,
  type: text,
  mode: text,
  vxlan_mac_prefix: text,
  vxlan_vni: integer,
  ipam: z.optional(ipam),
  qps: integer,
  burst: integer,
  args: object({ 'org.apache.mesos': object({ network_info: mesosNetwork }) }),
  mtu: integer,
  num_queues: integer,
  nodename: text,
  nodename_file: text,
  nodename_file_optional: flag,
  hostname: text,
  ipam_lock_file: text,
  datastore_type: text,
  datastore_path: text,
  etcd_endpoints: text,
  etcd_discovery_srv: text,
  etcd_key_file: text,
  etcd_cert_file: text,
  etcd_ca_cert_file: text,
  etcd_authority: text,
  etcd_scheme: text,
  log_level: text,
  log_file_path: text,
  log_file_max_size: integer,
  log_file_max_age: integer,
  log_file_max_count: integer,
  policy: z.optional(policy),
  kubernetes: object({ kubeconfig: text, k8s_api_root: text, node_name: text }),
  feature_control: object({ ip_addrs_no_ipam: flag, floating_ips: flag }),
  container_settings: object({ allow_ip_forwarding: flag }),
  include_default_routes: flag,
  dataplane_options: z._default(z.record(z.string(), z.unknown()), {}),
  device_type: text,
  readiness_gates: texts,
  policy_setup_timeout_seconds: integer,
  endpoint_status_dir: text,
  require_mtu_file: flag,
  gc_grace_seconds: integer,
  calico_api_group: text,
  runtimeConfig: object({ dns: object({ servers: texts, domain: text, searches: texts, options: texts }) }),
  windows_pod_deletion_timestamp_timeout: integer,
  windows_use_single_network: flag,
  windows_disable_default_deny_all_policy: flag,
  windows_loopback_DSR: flag,
});

export type WireConf = z.infer<typeof wireConf>;

/** Checks the types of all keys. Throws `config`: the first wrong key is the message, the others are details. */
export function decodeWireConf(json: unknown): WireConf {
  // Compiling the schema to code, zod's default, pays off from the second parse on; there is only one.
  const decoded = wireConf.safeParse(json, { reportInput: true, jitless: true });
  if (decoded.success) return decoded.data;
  const [first = '', ...others] = decoded.error.issues.map(describeIssue);
  throw new CalicoError(
    'config',
    `invalid network configuration: ${first}`,
    others.length === 0 ? {} : { details: `also: ${others.join('; ')}` },
  );
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const path = formatPath(issue.path);
  const expected = issue.code === 'invalid_type' ? TYPE_NAMES[issue.expected] : undefined;
  const value = isSecretPath(path) ? describeType(issue.input) : describeJson(issue.input);
  return `${path || 'it'} must be ${expected ?? 'an integer'}, found ${value}`;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'an integer',
  boolean: 'true or false, without quotes',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

/** `ipam.ipv4_pools[0]`; a key that itself has dots is quoted: `args["org.apache.mesos"]`. */
function formatPath(path: readonly PropertyKey[]): string {
  const parts = path.map((key) => {
    if (typeof key === 'number') return `[${key}]`;
    return String(key).includes('.') ? `[${JSON.stringify(key)}]` : `.${String(key)}`;
  });
  return parts.join('').replace(/^\./, '');
}

/** Whatever was put where a credential belongs may be one. */
function isSecretPath(path: string): boolean {
  return /token|_key|password/i.test(path);
}

function describeType(value: unknown): string {
  const described = describeJson(value);
  return typeof value === 'string' || typeof value === 'number' ? `a ${typeof value}` : described;
}
