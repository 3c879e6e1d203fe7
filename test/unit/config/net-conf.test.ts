import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCalicoError } from '../../../src/base/calico-error.ts';
import type { JsonObject } from '../../../src/base/json-object.ts';
import type { CalicoConf } from '../../../src/config/calico-conf.ts';
import { checkGcGrace } from '../../../src/config/check-values.ts';
import { environmentDefaults } from '../../../src/config/environment-defaults.ts';
import { parseNetConf, type Rigor } from '../../../src/config/net-conf.ts';

const MINIMAL = { name: 'net1', etcd_endpoints: 'http://127.0.0.1:2379' };

function parse(json: unknown, rigor?: Rigor): CalicoConf {
  const text = JSON.stringify(json);
  return parseNetConf({ text, json: JSON.parse(text) as JsonObject }, environmentDefaults({}), rigor);
}

/** What the least configuration means; `text` is looked at apart. */
const DEFAULTS: Omit<CalicoConf, 'text'> = {
  name: 'net1',
  type: undefined,
  cniVersion: undefined,
  node: {
    nodename: undefined,
    nodenameFile: '/var/lib/calico/nodename',
    nodenameFileOptional: false,
    hostname: undefined,
  },
  datastore: {
    type: 'etcdv3',
    endpoints: ['http://127.0.0.1:2379'],
    discoverySrv: undefined,
    caCertFile: undefined,
    certFile: undefined,
    keyFile: undefined,
    user: undefined,
  },
  log: {
    level: 'info',
    filePath: undefined,
    fileMaxSizeMegabytes: 100,
    fileMaxAgeDays: 30,
    fileMaxCount: 10,
  },
  ipam: {
    type: '',
    name: undefined,
    subnet: undefined,
    assignIpv4: true,
    assignIpv6: false,
    ipv4Pools: [],
    ipv6Pools: [],
    hostLocalRoutes: [],
  },
  ipamLockFile: '/var/run/calico/ipam.lock',
  mtu: undefined,
  requireMtuFile: false,
  gcGraceSeconds: 0,
  queues: 1,
  deviceType: 'veth',
  dataplane: { type: 'linux' },
  allowIpForwarding: false,
  includeDefaultRoutes: false,
  policyType: undefined,
  kubernetes: {
    kubeconfig: undefined,
    apiRoot: undefined,
    authToken: undefined,
    clientCertificate: undefined,
    clientKey: undefined,
    certificateAuthority: undefined,
    nodeName: undefined,
  },
  features: { ipAddrsNoIpam: false, floatingIps: false },
  readinessGates: [],
  policySetupTimeoutSeconds: 0,
  endpointStatusDir: '/var/run/calico/endpoint-status',
  mesosLabels: [],
  ignored: {
    mode: undefined,
    vxlanMacPrefix: undefined,
    vxlanVni: undefined,
    etcdAuthority: undefined,
    etcdScheme: undefined,
    qps: undefined,
    burst: undefined,
    calicoApiGroup: undefined,
    runtimeDns: undefined,
    windows: {
      podDeletionTimestampTimeout: undefined,
      useSingleNetwork: false,
      disableDefaultDenyAllPolicy: false,
      loopbackDsr: false,
    },
  },
};

function withoutText({ text: _, ...rest }: CalicoConf): Omit<CalicoConf, 'text'> {
  return rest;
}

describe('parseNetConf() of good configurations', () => {
  it('has an explicit default for everything', () => {
    expect(withoutText(parse(MINIMAL))).toEqual(DEFAULTS);
  });

  it('takes null, and an empty text, for absent', () => {
    const nothing = {
      ipam: null,
      policy: null,
      mtu: null,
      readiness_gates: null,
      args: null,
      nodename: null,
    };
    const empty = { nodename_file: '', hostname: '', ipam_lock_file: '', endpoint_status_dir: '', type: '' };
    expect(withoutText(parse({ ...MINIMAL, ...nothing, ...empty }))).toEqual(DEFAULTS);
  });

  it('ignores keys it does not know, and those of the runtime', () => {
    const others = {
      capabilities: { portMappings: true },
      prevResult: { cniVersion: '1.0.0' },
      dns: 'anything',
      ipMasq: 5,
      runtimeConfig: { portMappings: [{}] },
      nosuch: [],
      ipam: { dataDir: '/x', ranges: [[{ subnet: 'usePodCidr' }]] },
    };
    expect(withoutText(parse({ ...MINIMAL, ...others }))).toEqual(DEFAULTS);
  });

  it('knows every key', () => {
    const conf = parse({
      cniVersion: '1.0.0',
      name: 'k8s-pod-network',
      type: 'calico',
      mode: 'vxlan',
      vxlan_mac_prefix: '0E-2A',
      vxlan_vni: 4096,
      ipam: {
        type: 'calico-ipam',
        name: 'x',
        subnet: '10.0.0.0/24',
        assign_ipv4: 'false',
        assign_ipv6: 'true',
        ipv4_pools: ['10.0.0.0/16', 'pool-1'],
        ipv6_pools: ['fd00::/48'],
      },
      qps: 5,
      burst: 10,
      args: {
        'org.apache.mesos': { network_info: { name: 'n', labels: { labels: [{ key: 'k', value: 'v' }] } } },
      },
      mtu: 1440,
      num_queues: 4,
      nodename: 'node1',
      nodename_file: '/n',
      nodename_file_optional: true,
      hostname: 'host1',
      ipam_lock_file: '/l',
      datastore_type: 'etcdv3',
      etcd_endpoints: 'https://a:2379,https://b:2379',
      etcd_key_file: '/k',
      etcd_cert_file: '/c',
      etcd_ca_cert_file: '/ca',
      etcd_authority: 'a',
      etcd_scheme: 'http',
      log_level: 'Debug',
      log_file_path: '/log',
      log_file_max_size: 1,
      log_file_max_age: 2,
      log_file_max_count: 3,
      policy: {
        type: 'k8s',
        k8s_api_root: 'https://10.96.0.1:443/api/v1/',
        k8s_auth_token: 'tok',
        k8s_client_certificate: '/cc',
        k8s_client_key: '/ck',
        k8s_certificate_authority: '/kca',
      },
      kubernetes: { kubeconfig: '/kc', node_name: 'kn' },
      feature_control: { ip_addrs_no_ipam: true, floating_ips: true },
      container_settings: { allow_ip_forwarding: true },
      include_default_routes: true,
      dataplane_options: { type: 'grpc', socket: 'unix:///s', n: 5 },
      device_type: 'netkit',
      readiness_gates: ['http://localhost:9099/readiness'],
      policy_setup_timeout_seconds: 7,
      endpoint_status_dir: '/e',
      require_mtu_file: true,
      gc_grace_seconds: 300,
      calico_api_group: 'g',
      runtimeConfig: { dns: { servers: ['10.96.0.10'], domain: 'd', searches: ['s'], options: ['o'] } },
      windows_pod_deletion_timestamp_timeout: 600,
      windows_use_single_network: true,
      windows_disable_default_deny_all_policy: true,
      windows_loopback_DSR: true,
    });
    expect(conf.kubernetes.authToken?.reveal()).toBe('tok');
    expect(JSON.parse(JSON.stringify(withoutText(conf)))).toEqual({
      name: 'k8s-pod-network',
      type: 'calico',
      cniVersion: '1.0.0',
      node: { nodename: 'node1', nodenameFile: '/n', nodenameFileOptional: true, hostname: 'host1' },
      datastore: {
        type: 'etcdv3',
        endpoints: ['https://a:2379', 'https://b:2379'],
        caCertFile: '/ca',
        certFile: '/c',
        keyFile: '/k',
      },
      log: {
        level: 'debug',
        filePath: '/log',
        fileMaxSizeMegabytes: 1,
        fileMaxAgeDays: 2,
        fileMaxCount: 3,
      },
      ipam: {
        type: 'calico-ipam',
        name: 'x',
        subnet: '10.0.0.0/24',
        assignIpv4: false,
        assignIpv6: true,
        ipv4Pools: ['10.0.0.0/16', 'pool-1'],
        ipv6Pools: ['fd00::/48'],
        hostLocalRoutes: [],
      },
      ipamLockFile: '/l',
      mtu: 1440,
      requireMtuFile: true,
      gcGraceSeconds: 300,
      queues: 4,
      deviceType: 'netkit',
      dataplane: { type: 'grpc', socket: 'unix:///s', options: { type: 'grpc', socket: 'unix:///s' } },
      allowIpForwarding: true,
      includeDefaultRoutes: true,
      policyType: 'k8s',
      kubernetes: {
        kubeconfig: '/kc',
        apiRoot: 'https://10.96.0.1:443',
        authToken: '[secret]',
        clientCertificate: '/cc',
        clientKey: '/ck',
        certificateAuthority: '/kca',
        nodeName: 'kn',
      },
      features: { ipAddrsNoIpam: true, floatingIps: true },
      readinessGates: ['http://localhost:9099/readiness'],
      policySetupTimeoutSeconds: 7,
      endpointStatusDir: '/e',
      mesosLabels: [{ key: 'k', value: 'v' }],
      ignored: {
        mode: 'vxlan',
        vxlanMacPrefix: '0E-2A',
        vxlanVni: 4096,
        etcdAuthority: 'a',
        etcdScheme: 'http',
        qps: 5,
        burst: 10,
        calicoApiGroup: 'g',
        runtimeDns: { servers: ['10.96.0.10'], domain: 'd', searches: ['s'], options: ['o'] },
        windows: {
          podDeletionTimestampTimeout: 600,
          useSingleNetwork: true,
          disableDefaultDenyAllPolicy: true,
          loopbackDsr: true,
        },
      },
    });
  });

  it('finds keys in other cases, at every level, and prefers the exact one', () => {
    const conf = parse({
      Name: 'net1',
      ETCD_ENDPOINTS: 'http://a:1',
      MTU: 1400,
      Num_Queues: 9,
      num_queues: 2,
      IPAM: { Type: 'calico-ipam', IPv4_Pools: ['p'] },
      Kubernetes: { KubeConfig: '/kc' },
      args: { 'Org.Apache.Mesos': { Network_Info: { labels: { LABELS: [{ Key: 'k', Value: 'v' }] } } } },
    });
    expect(conf).toMatchObject({
      name: 'net1',
      mtu: 1400,
      queues: 2,
      datastore: { endpoints: ['http://a:1'] },
      ipam: { type: 'calico-ipam', ipv4Pools: ['p'] },
      kubernetes: { kubeconfig: '/kc' },
      mesosLabels: [{ key: 'k', value: 'v' }],
    });
  });

  it.each<[string, JsonObject, object]>([
    ['mtu 0 is no mtu', { mtu: 0 }, { mtu: undefined }],
    ['the smallest mtu', { mtu: 68 }, { mtu: 68 }],
    ['the largest mtu', { mtu: 65535 }, { mtu: 65535 }],
    ['a queue count below 1', { num_queues: -3 }, { queues: 1 }],
    ['an unknown log level', { log_level: 'warning' }, { log: { level: 'info' } }],
    ['log level error', { log_level: 'ERROR' }, { log: { level: 'error' } }],
    ['any other assign_ipv4', { ipam: { assign_ipv4: 'no' } }, { ipam: { assignIpv4: true } }],
    ['any other assign_ipv6', { ipam: { assign_ipv6: 'True' } }, { ipam: { assignIpv6: false } }],
    ['device type veth', { device_type: 'veth' }, { deviceType: 'veth' }],
    ['policy without a type', { policy: {} }, { policyType: undefined }],
    ['dataplane options without a type', { dataplane_options: { x: 1 } }, { dataplane: { type: 'linux' } }],
    [
      'the embedded datastore, in its usual place',
      { datastore_type: 'embedded', datastore_path: '' },
      { datastore: { type: 'embedded', path: '/var/lib/calico/embedded.db' } },
    ],
    [
      'the embedded datastore, elsewhere',
      { datastore_type: 'embedded', datastore_path: '/data/pods.db', etcd_endpoints: '' },
      { datastore: { type: 'embedded', path: '/data/pods.db' } },
    ],
    [
      'an API root that the policy only repeats',
      { policy: { k8s_api_root: 'http://p' }, kubernetes: { k8s_api_root: 'http://k/api/' } },
      { kubernetes: { apiRoot: 'http://k/api/' } },
    ],
    [
      'routes of host-local, masked, whatever their gateway',
      {
        ipam: {
          type: 'host-local',
          routes: [{ dst: '10.1.2.3/16', gw: 'x' }, {}, { dst: '::/0' }],
        },
      },
      {
        ipam: {
          hostLocalRoutes: [
            { family: 4, base: 0x0a01_0000n, prefixLength: 16 },
            { family: 6, base: 0n, prefixLength: 0 },
          ],
        },
      },
    ],
    [
      'routes of another plugin, which are not our business',
      { ipam: { type: 'x', routes: 5 } },
      { ipam: { hostLocalRoutes: [] } },
    ],
    ['a label without a value', mesos([{ key: 'k' }]), { mesosLabels: [{ key: 'k', value: '' }] }],
  ])('%s', (_why, keys, expected) => {
    expect(parse({ ...MINIMAL, ...keys })).toMatchObject(expected);
  });
});

function mesos(labels: unknown): JsonObject {
  return { args: { 'org.apache.mesos': { network_info: { labels: { labels } } } } };
}

/** As a runtime hands it on: one plugin of the list, with the list's name and version. */
function firstPlugin(conflist: { name: string; cniVersion: string; plugins: readonly object[] }): object {
  return { ...conflist.plugins[0], name: conflist.name, cniVersion: conflist.cniVersion };
}

const ETCD_MANIFEST = {
  name: 'k8s-pod-network',
  cniVersion: '0.3.0',
  plugins: [
    {
      type: 'calico',
      etcd_endpoints: 'https://10.0.0.1:2379,https://10.0.0.2:2379',
      etcd_key_file: '/etc/cni/net.d/calico-tls/etcd-key',
      etcd_cert_file: '/etc/cni/net.d/calico-tls/etcd-cert',
      etcd_ca_cert_file: '/etc/cni/net.d/calico-tls/etcd-ca',
      log_level: 'info',
      mtu: 1500,
      ipam: { type: 'calico-ipam' },
      policy: { type: 'k8s' },
      kubernetes: { kubeconfig: '/etc/cni/net.d/calico-kubeconfig' },
    },
    { type: 'portmap', snat: true, capabilities: { portMappings: true } },
  ],
};

const KUBELET_STDIN = {
  cniVersion: '1.0.0',
  datastore_type: 'etcdv3',
  etcd_endpoints: 'http://127.0.0.1:2379',
  ipam: { type: 'calico-ipam' },
  kubernetes: { kubeconfig: '/etc/cni/net.d/calico-kubeconfig' },
  log_level: 'info',
  mtu: 1500,
  name: 'k8s-pod-network',
  nodename: 'node1',
  nodename_file_optional: true,
  policy: { type: 'k8s' },
  type: 'calico',
};

describe('parseNetConf() of configurations in use', () => {
  it('reads the etcd manifest\u2019s', () => {
    expect(parse(firstPlugin(ETCD_MANIFEST))).toMatchObject({
      name: 'k8s-pod-network',
      datastore: {
        endpoints: ['https://10.0.0.1:2379', 'https://10.0.0.2:2379'],
        keyFile: '/etc/cni/net.d/calico-tls/etcd-key',
        certFile: '/etc/cni/net.d/calico-tls/etcd-cert',
        caCertFile: '/etc/cni/net.d/calico-tls/etcd-ca',
      },
      mtu: 1500,
      policyType: 'k8s',
    });
  });

  it('reads it without TLS, where the installer leaves the file names empty', () => {
    const [plugin, ...others] = ETCD_MANIFEST.plugins;
    const plain = {
      etcd_endpoints: 'http://10.0.0.1:2379',
      etcd_key_file: '',
      etcd_cert_file: '',
      etcd_ca_cert_file: '',
    };
    const conf = parse(firstPlugin({ ...ETCD_MANIFEST, plugins: [{ ...plugin, ...plain }, ...others] }));
    expect(conf.datastore).toMatchObject({ keyFile: undefined, certFile: undefined, caCertFile: undefined });
  });

  it('reads what containerd hands on from kubelet\u2019s node', () => {
    expect(parse(KUBELET_STDIN)).toMatchObject({ node: { nodename: 'node1', nodenameFileOptional: true } });
  });

  it('refuses the Kubernetes datastore of today\u2019s default manifest, saying what to do', () => {
    expect(() => parse({ ...KUBELET_STDIN, datastore_type: 'kubernetes', etcd_endpoints: '' })).toThrow(
      expect.objectContaining({
        kind: 'unsupported',
        message: 'datastore_type "kubernetes" is not supported',
        details:
          'set datastore_type to "etcdv3" and etcd_endpoints, or, for a single node, datastore_type to "embedded"',
      }),
    );
  });
});

const INVALID = (what: string) => `invalid network configuration: ${what}`;

const WRONG_TYPES: readonly (readonly [JsonObject, string])[] = [
  [{ mtu: '1500' }, 'mtu must be a number, found string "1500"'],
  [{ mtu: 1500.5 }, 'mtu must be an integer, found number 1500.5'],
  [{ mtu: 1e300 }, 'mtu must be an integer, found number 1e+300'],
  [{ mtu: true }, 'mtu must be a number, found boolean true'],
  [{ MTU: [] }, 'mtu must be a number, found an array'],
  [{ name: 5 }, 'name must be a string, found number 5'],
  [{ type: {} }, 'type must be a string, found an object'],
  [{ cniVersion: 1 }, 'cniVersion must be a string, found number 1'],
  [{ nodename: 7 }, 'nodename must be a string, found number 7'],
  [
    { nodename_file_optional: 'true' },
    'nodename_file_optional must be true or false, without quotes, found string "true"',
  ],
  [{ num_queues: '2' }, 'num_queues must be a number, found string "2"'],
  [{ etcd_endpoints: ['http://a:1'] }, 'etcd_endpoints must be a string, found an array'],
  [{ etcd_cert_file: false }, 'etcd_cert_file must be a string, found boolean false'],
  [{ etcd_key_file: 12345 }, 'etcd_key_file must be a string, found a number'],
  [{ datastore_type: 3 }, 'datastore_type must be a string, found number 3'],
  [{ log_level: 1 }, 'log_level must be a string, found number 1'],
  [{ log_file_max_size: '100' }, 'log_file_max_size must be a number, found string "100"'],
  [{ ipam: 'calico-ipam' }, 'ipam must be an object, found string "calico-ipam"'],
  [{ ipam: [] }, 'ipam must be an object, found an array'],
  [{ ipam: { type: 1 } }, 'ipam.type must be a string, found number 1'],
  [{ ipam: { assign_ipv4: true } }, 'ipam.assign_ipv4 must be a string, found boolean true'],
  [{ ipam: { ipv4_pools: '10.0.0.0/8' } }, 'ipam.ipv4_pools must be a list, found string "10.0.0.0/8"'],
  [{ ipam: { ipv6_pools: ['p', 6] } }, 'ipam.ipv6_pools[1] must be a string, found number 6'],
  [{ ipam: { ipv4_pools: [null] } }, 'ipam.ipv4_pools[0] must be a string, found null'],
  [{ policy: 'k8s' }, 'policy must be an object, found string "k8s"'],
  [{ policy: { type: true } }, 'policy.type must be a string, found boolean true'],
  [{ policy: { k8s_auth_token: 1234567 } }, 'policy.k8s_auth_token must be a string, found a number'],
  [{ policy: { k8s_client_key: ['PEM'] } }, 'policy.k8s_client_key must be a string, found an array'],
  [{ kubernetes: '/kc' }, 'kubernetes must be an object, found string "/kc"'],
  [{ kubernetes: { kubeconfig: {} } }, 'kubernetes.kubeconfig must be a string, found an object'],
  [
    { feature_control: { floating_ips: 'yes' } },
    'feature_control.floating_ips must be true or false, without quotes, found string "yes"',
  ],
  [
    { container_settings: { allow_ip_forwarding: 1 } },
    'container_settings.allow_ip_forwarding must be true or false, without quotes, found number 1',
  ],
  [{ readiness_gates: 'http://x' }, 'readiness_gates must be a list, found string "http://x"'],
  [{ readiness_gates: [1] }, 'readiness_gates[0] must be a string, found number 1'],
  [{ dataplane_options: 'grpc' }, 'dataplane_options must be an object, found string "grpc"'],
  [{ policy_setup_timeout_seconds: '5' }, 'policy_setup_timeout_seconds must be a number, found string "5"'],
  [{ vxlan_vni: -0.5 }, 'vxlan_vni must be an integer, found number -0.5'],
  [{ runtimeConfig: { dns: [] } }, 'runtimeConfig.dns must be an object, found an array'],
  [
    mesos([{ key: 1 }]),
    'args["org.apache.mesos"].network_info.labels.labels[0].key must be a string, found number 1',
  ],
  [{ nodename: ['x'] }, 'nodename must be a string, found an array'],
  [{ mtu: 'x'.repeat(500) }, `mtu must be a number, found string "${'x'.repeat(60)}\u2026"`],
];

const BAD_VALUES: readonly (readonly [JsonObject, string])[] = [
  [{ mtu: 67 }, INVALID('mtu must be 0 (automatic) or 68 to 65535, found 67')],
  [{ mtu: -1 }, INVALID('mtu must be 0 (automatic) or 68 to 65535, found -1')],
  [{ mtu: 65536 }, INVALID('mtu must be 0 (automatic) or 68 to 65535, found 65536')],
  [{ num_queues: 4097 }, INVALID('num_queues must be at most 4096, found 4097')],
  [{ device_type: 'macvlan' }, 'unknown device_type "macvlan" in CNI config (supported: "veth", "netkit")'],
  [{ policy: { type: 'K8S' } }, INVALID('policy.type must be "k8s" or absent, found "K8S"')],
  [{ dataplane_options: { type: 'ebpf' } }, 'invalid dataplane type: ebpf'],
  [{ dataplane_options: { type: 5 } }, 'invalid dataplane type: 5'],
  [{ dataplane_options: { type: { toString: 1 } } }, 'invalid dataplane type: {"toString":1}'],
  [
    { policy: { type: 'x'.repeat(99) } },
    INVALID(`policy.type must be "k8s" or absent, found "${'x'.repeat(60)}\u2026"`),
  ],
  [{ dataplane_options: { type: 'grpc' } }, 'GRPC dataplane socket not configured'],
  [{ dataplane_options: { type: 'grpc', socket: 1 } }, 'GRPC dataplane socket not configured'],
  [{ policy_setup_timeout_seconds: -1 }, 'invalid pod startup delay of -1'],
  [
    { readiness_gates: ['http://ok', 'localhost:9099'] },
    'invalid URL set for ReadinessGates:localhost:9099 Error:it must be an http or https URL',
  ],
  [
    { readiness_gates: ['/ready'] },
    'invalid URL set for ReadinessGates:/ready Error:it must be an http or https URL',
  ],
  [
    { ipam: { type: 'host-local', routes: {} } },
    'failed to parse host-local IPAM routes: ipam.routes must be a list, found an object',
  ],
  [
    { ipam: { type: 'host-local', routes: ['10.0.0.0/8'] } },
    'failed to parse host-local IPAM routes: ipam.routes[0] must be an object, found string "10.0.0.0/8"',
  ],
  [
    { ipam: { type: 'host-local', routes: [{ dst: '10.0.0.0' }] } },
    'failed to parse host-local IPAM routes: ipam.routes[0].dst must be a CIDR, found string "10.0.0.0"',
  ],
];

const NAME_ERROR =
  'invalid characters detected in the given network name. Only letters a-z, numbers 0-9, and symbols _.- are supported';
const ALWAYS_BAD: readonly (readonly [JsonObject, string])[] = [
  [{ name: 'a b' }, NAME_ERROR],
  [{ name: '' }, NAME_ERROR],
  [{ datastore_type: 'etcd' }, INVALID('datastore_type must be "etcdv3" or "embedded", found "etcd"')],
  ...['embedded.db', ':memory:', '/var/lib/calico/', '/var/lib/\0'].map((path): [JsonObject, string] => [
    { datastore_type: 'embedded', datastore_path: path },
    INVALID(`datastore_path must be the absolute path of a file, found ${JSON.stringify(path)}`),
  ]),
  [{ etcd_endpoints: '' }, 'no etcd endpoints specified'],
  [{ etcd_endpoints: ' , ' }, 'no etcd endpoints specified'],
  [
    { etcd_discovery_srv: 'example.com' },
    'multiple discovery or bootstrap options specified, use either "etcdEndpoints" or "etcdDiscoverySrv"',
  ],
  [{ etcd_endpoints: 'ftp://a:1' }, 'invalid etcd endpoint "ftp://a:1": it must be like https://host:2379'],
  [
    { etcd_cert_file: '/c' },
    'could not initialize etcdv3 client: etcd_cert_file is set but etcd_key_file is not: set both or neither',
  ],
  [
    { etcd_key_file: '/k' },
    'could not initialize etcdv3 client: etcd_key_file is set but etcd_cert_file is not: set both or neither',
  ],
];

describe('parseNetConf() refuses', () => {
  it.each(WRONG_TYPES)('the type in %j', (keys, what) => {
    for (const rigor of ['strict', 'lenient'] as const) {
      expect(() => parse({ ...MINIMAL, ...keys }, rigor)).toThrow(
        expect.objectContaining({ kind: 'config', message: INVALID(what) }),
      );
    }
  });

  it.each(BAD_VALUES)('the value in %j, but for cleaning up takes it for absent', (keys, message) => {
    expect(() => parse({ ...MINIMAL, ...keys })).toThrow(
      expect.objectContaining({ kind: 'config', message }),
    );
    const { ipam, ...rest } = withoutText(parse({ ...MINIMAL, ...keys }, 'lenient'));
    expect({ ...rest, ipam: { ...ipam, type: '' } }).toEqual(DEFAULTS);
  });

  it('a grace period that is none; for cleaning up it is left to the GC to refuse it', () => {
    const keys = { ...MINIMAL, gc_grace_seconds: -1 };
    expect(() => parse(keys)).toThrow(INVALID('gc_grace_seconds must be 0 or more, found -1'));
    expect(parse(keys, 'lenient').gcGraceSeconds).toBe(-1);
    expect(() => checkGcGrace(-1)).toThrow(INVALID('gc_grace_seconds must be 0 or more, found -1'));
  });

  it.each(ALWAYS_BAD)('the value in %j, always', (keys, message) => {
    for (const rigor of ['strict', 'lenient'] as const) {
      expect(() => parse({ ...MINIMAL, ...keys }, rigor)).toThrow(
        expect.objectContaining({ kind: 'config', message }),
      );
    }
  });

  it('several things at once, naming all', () => {
    expect(() => parse({ ...MINIMAL, mtu: 'a', ipam: { type: 1 }, nodename: 2 })).toThrow(
      expect.objectContaining({
        message: INVALID('ipam.type must be a string, found number 1'),
        details: 'also: mtu must be a number, found string "a"; nodename must be a string, found number 2',
      }),
    );
  });

  it('anything else only with an error of its own', () => {
    const keys = [
      'name',
      'mtu',
      'ipam',
      'policy',
      'etcd_endpoints',
      'args',
      'dataplane_options',
      '__proto__',
    ];
    const anyConf = fc.dictionary(fc.constantFrom(...keys), fc.jsonValue());
    fc.assert(
      fc.property(anyConf, (json) => {
        try {
          parse({ ...MINIMAL, ...json });
        } catch (error) {
          expect(isCalicoError(error, 'config', 'unsupported')).toBe(true);
        }
      }),
    );
  });
});

describe('parseNetConf() keeps secrets', () => {
  it('of the configuration and of the environment out of every print', () => {
    const json = { ...MINIMAL, policy: { k8s_auth_token: 'hunter2' } };
    const source = { text: JSON.stringify(json), json };
    const env = environmentDefaults({ ETCD_USERNAME: 'calico', ETCD_PASSWORD: 'hunter3' });
    const conf = parseNetConf(source, env);
    for (const shown of [inspect(conf, { depth: 9 }), JSON.stringify(conf), inspect(env)]) {
      expect(shown).not.toMatch(/hunter/);
    }
    expect(conf.text.reveal()).toBe(source.text);
    expect(conf.datastore.type === 'etcdv3' && conf.datastore.user?.password?.reveal()).toBe('hunter3');
  });

  it.each([
    { policy: { k8s_auth_token: ['hunter2'] } },
    { policy: { k8s_client_key: 20252025 } },
    { etcd_key_file: 20252025 },
    { etcd_endpoints: 'http://root:hunter2@etcd:2379' },
  ])('out of the error about %j', (keys) => {
    try {
      parse({ ...MINIMAL, ...keys });
      expect.unreachable();
    } catch (error) {
      expect(inspect(error)).not.toMatch(/hunter2|20252025/);
    }
  });
});
