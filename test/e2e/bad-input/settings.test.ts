/** Settings that nobody can use: choices there are not, servers, plugins, pools and files that cannot be. */

import { expect, it } from 'vitest';
import { type BadCall, describeOnNode, expectWords, refusesAdd, SECRET } from '../../support/refusals.ts';
import { succeeded } from '../../support/simulated-node.ts';

const HUGE = 'a'.repeat(1_000_000);
const conf = (changes: object) => ({ conf: changes });
const ipam = (changes: object) => conf({ ipam: { type: 'calico-ipam', ...changes } });
const podOf = (changes: object) => ({
  args: 'K8S_POD_NAME=web;K8S_POD_NAMESPACE=default',
  ...conf({ policy: { type: 'k8s' }, ...changes }),
});

const CHOICES: readonly BadCall[] = [
  ['a key in another case', { stdin: '{"name":"net1","MTU":"1500"}' }, 7, /mtu must be/],
  ['an unknown policy type', conf({ policy: { type: 'maybe' } }), 7, /policy\.type .*"maybe"/],
  ['an unknown device type', conf({ device_type: 'macvlan' }), 7, /unknown device_type "macvlan"/],
  ['an endless device type', conf({ device_type: HUGE }), 7, /unknown device_type "a{60}…"/],
  ['an unknown dataplane', conf({ dataplane_options: { type: 'vpp' } }), 7, /invalid dataplane type: vpp/],
  ['a dataplane that is a list', conf({ dataplane_options: { type: [['x']] } }), 7, /invalid dataplane type/],
  [
    'a gRPC dataplane without an address',
    conf({ dataplane_options: { type: 'grpc' } }),
    7,
    /socket not configured/,
  ],
  [
    'a gRPC dataplane at no address',
    conf({ dataplane_options: { type: 'grpc', socket: 'http://x y' } }),
    7,
    /socket/,
  ],
  [
    'a readiness gate that is no URL',
    conf({ readiness_gates: ['localhost'] }),
    7,
    /invalid URL set for ReadinessGates/,
  ],
  [
    'a readiness gate in a file',
    conf({ readiness_gates: ['file:///etc/passwd'] }),
    7,
    /invalid URL set for ReadinessGates/,
  ],
  [
    'the Kubernetes datastore',
    conf({ datastore_type: 'kubernetes' }),
    2,
    /datastore_type "kubernetes" is not supported/,
  ],
  ['an unknown datastore', conf({ datastore_type: 'consul' }), 7, /datastore_type .*"consul"/],
  ['an endless datastore', conf({ datastore_type: HUGE }), 7, /datastore_type .*"a{60}…"/],
  ...['x', '/x/', '/x\0', '../x'].map(
    (path): BadCall => [
      `the file ${JSON.stringify(path)}`,
      conf({ datastore_type: 'embedded', datastore_path: path }),
      7,
      /datastore_path must be the absolute path/,
    ],
  ),
];

const ETCD: readonly BadCall[] = [
  ['no endpoints', conf({ etcd_endpoints: undefined }), 7, /no etcd endpoints specified/],
  ['endpoints of commas', conf({ etcd_endpoints: ', ,' }), 7, /no etcd endpoints specified/],
  ...[
    'ftp://x',
    'http://x:0',
    'http://x:65536',
    'http://[::1',
    'http://[x]:1',
    'http://x/y',
    'http://x\ny',
    '$(reboot)',
    'http://🦊',
    'http://x:1e3',
  ].map(
    (etcd_endpoints): BadCall => [
      `the endpoint ${JSON.stringify(etcd_endpoints)}`,
      conf({ etcd_endpoints }),
      7,
      /invalid etcd endpoint/,
    ],
  ),
  [
    'an endpoint with a password',
    conf({ etcd_endpoints: `http://me:${SECRET}@x` }),
    7,
    /a URL with credentials/,
  ],
  [
    'an endless endpoint',
    conf({ etcd_endpoints: `ftp://${HUGE}` }),
    7,
    /invalid etcd endpoint "ftp:\/\/a+…"/,
  ],
  ['two schemes', conf({ etcd_endpoints: 'http://a,https://b' }), 7, /use either http or https/],
  [
    'a certificate without its key',
    conf({ etcd_cert_file: '/x' }),
    7,
    /etcd_cert_file is set but etcd_key_file is not/,
  ],
  [
    'a CA file that is not there',
    conf({ etcd_endpoints: 'https://127.0.0.1:2379', etcd_ca_cert_file: '/none.pem' }),
    7,
    /cannot read etcd_ca_cert_file \/none\.pem/,
  ],
  [
    'a CA file that is a folder',
    conf({ etcd_endpoints: 'https://127.0.0.1:2379', etcd_ca_cert_file: '/etc' }),
    7,
    /etcd_ca_cert_file \/etc/,
  ],
  [
    'a CA file that is no certificate',
    conf({ etcd_endpoints: 'https://127.0.0.1:2379', etcd_ca_cert_file: '/etc/passwd' }),
    7,
    /etcd_ca_cert_file|certificate/,
  ],
  [
    'a CA file nobody can name',
    conf({ etcd_endpoints: 'https://127.0.0.1:2379', etcd_ca_cert_file: '/x\0' }),
    7,
    /etcd_ca_cert_file/,
  ],
];

const IPAM: readonly BadCall[] = [
  ['no IPAM plugin', conf({ ipam: undefined }), 7, /no plugin name provided/],
  [
    'an unknown IPAM plugin',
    conf({ ipam: { type: 'nosuch-ipam' } }),
    106,
    /failed to find plugin "nosuch-ipam" in path \[/,
  ],
  ...['../../bin/sh', '/bin/sh', 'a/b'].map(
    (type): BadCall => [
      `the IPAM plugin ${JSON.stringify(type)}`,
      conf({ ipam: { type } }),
      7,
      /invalid plugin name/,
    ],
  ),
  ...['..', 'x\0y', '$(reboot); x'].map(
    (type): BadCall => [
      `no IPAM plugin ${JSON.stringify(type)}`,
      conf({ ipam: { type } }),
      106,
      /failed to find plugin/,
    ],
  ),
  ['an endless IPAM plugin', conf({ ipam: { type: 'a'.repeat(10_000) } }), 106, /failed to find plugin/],
  ['a pool nobody knows', ipam({ ipv4_pools: ['nosuch'] }), 7, /error parsing pool "nosuch"/],
  [
    'a pool CIDR nobody knows',
    ipam({ ipv4_pools: ['10.1.0.0/16'] }),
    7,
    /the given pool \(10\.1\.0\.0\/16\) does not exist, or is not enabled/,
  ],
  ['a pool of the other family', ipam({ ipv4_pools: ['fd00::/64'] }), 7, /isn't a IPv4 address/],
  ...['', '10.0.0.0/33', '010.0.0.0/8', '::ffff:192.168.0.0/112', '$(reboot)', '../x', 'a\nb', HUGE].map(
    (pool): BadCall => [
      `the pool ${JSON.stringify(pool).slice(0, 30)}`,
      ipam({ ipv4_pools: [pool] }),
      7,
      /error parsing pool/,
    ],
  ),
  ['IPv6 without an IPv6 pool', ipam({ assign_ipv6: 'true' }), 102, /cannot find a qualified ippool/],
  ['an address outside every pool', { args: 'IP=10.1.2.3' }, 7, /not in a configured pool/],
];

const KUBERNETES: readonly BadCall[] = [
  ['a pod, and no way to the Kubernetes API', podOf({}), 7, /no configuration has been provided/],
  [
    'a pod, and a kubeconfig that is not there',
    podOf({ kubernetes: { kubeconfig: '/nowhere/kubeconfig' } }),
    7,
    /cannot read kubeconfig \/nowhere\/kubeconfig/,
  ],
  [
    'a pod, and a kubeconfig that is none',
    podOf({ kubernetes: { kubeconfig: '/etc/passwd' } }),
    7,
    /invalid kubeconfig \/etc\/passwd/,
  ],
  [
    'a pod, and a kubeconfig that is a folder',
    podOf({ kubernetes: { kubeconfig: '/etc' } }),
    7,
    /cannot read kubeconfig \/etc/,
  ],
  [
    'a pod, and a kubeconfig nobody can name',
    podOf({ kubernetes: { kubeconfig: 'a\0b' } }),
    7,
    /cannot read kubeconfig/,
  ],
  [
    'a pod, and an API server that is not there',
    podOf({ kubernetes: { k8s_api_root: 'https://127.0.0.1:1' } }),
    11,
    /127\.0\.0\.1:1.*default|default.*127\.0\.0\.1:1/s,
  ],
  ...[
    'ftp://x',
    `https://me:${SECRET}@x`,
    `https://me\n:${SECRET}@x`,
    'http://',
    'https://x:0',
    'https://x:99999',
    '$(reboot) x',
  ].map(
    (server): BadCall => [
      `a pod, and the API server ${JSON.stringify(server)}`,
      podOf({ kubernetes: { k8s_api_root: server } }),
      7,
      /invalid Kubernetes API server/,
    ],
  ),
];

/** Odd, but nobody is harmed: these work, and are said in the log where something is left out. */
const HARMLESS: readonly (readonly [what: string, changes: object])[] = [
  ['a log file that cannot be one', { log_file_path: '/proc/x/y' }],
  ['a log file that is a device', { log_file_path: '/dev/full' }],
  ['a log file nobody can name', { log_file_path: '/x\0y' }],
  ['log files of no size', { log_file_max_size: -1, log_file_max_age: -1, log_file_max_count: -1 }],
  ['an unknown log level', { log_level: 'trace' }],
  ['a lock that cannot be one', { ipam_lock_file: '/proc/x/lock' }],
  ['a lock nobody can name', { ipam_lock_file: 'a\0b' }],
  ['fewer queues than one', { num_queues: -3 }],
  ['keys nobody knows', { later: { a: [null, 1e300] }, '': 0, constructor: 1, toString: 2 }],
  ['megabytes that nobody reads', { later: 'a'.repeat(4_000_000) }],
];

describeOnNode('bad settings', (given) => {
  refusesAdd(given, [...CHOICES, ...ETCD, ...IPAM, ...KUBERNETES]);

  it.each(HARMLESS)('ADD and DEL with %s', async (_what, changes) => {
    const { node, pod } = given();
    const call = { containerId: 'abcd', netns: pod.path, conf: changes };
    succeeded(await node.cni('ADD', call));
    succeeded(await node.cni('DEL', call));
    expect(pod.sh('ip -o link')).not.toContain('eth0');
  });

  // What is only needed to make a network is not asked for.
  it.each([
    ...[{ mtu: -5 }, { num_queues: 4097 }, { device_type: 'macvlan' }, { policy: { type: 'maybe' } }],
    ...[
      { dataplane_options: { type: 'vpp' } },
      { readiness_gates: ['x'] },
      { policy_setup_timeout_seconds: -1 },
    ],
    ...[{ ipam: { type: 'calico-ipam', ipv4_pools: ['nosuch', '10.0.0.0/33'] } }, { gc_grace_seconds: -1 }],
  ])('DEL with %j', async (changes) => {
    const { node, pod } = given();
    const call = { containerId: 'abcd', netns: pod.path };
    succeeded(await node.cni('ADD', call));
    succeeded(await node.cni('DEL', { ...call, conf: changes }));
    expect(pod.sh('ip -o link')).not.toContain('eth0');
  });

  it.each([
    [{ etcd_endpoints: 'ftp://x' }, 7],
    [{ etcd_endpoints: undefined }, 7],
    [{ datastore_type: 'consul' }, 7],
    [{ name: 'a/../b' }, 7],
    [{ nodename: 'a/b' }, 7],
    [{ ipam: { type: '../sh' } }, 7],
    [{ ipam: { type: 'nosuch' } }, 106],
  ])('DEL with %j says so, and the next one has nothing left to do', async (changes, code) => {
    const { node, pod } = given();
    const call = { containerId: 'abcd', netns: pod.path };
    succeeded(await node.cni('ADD', call));
    const answer = await node.cni('DEL', { ...call, conf: changes });
    expectWords(answer, code, /./);
    succeeded(await node.cni('DEL', call));
    expect(pod.sh('ip -o link')).not.toContain('eth0');
  });
});
