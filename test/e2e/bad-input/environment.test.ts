/** What a runtime passes in the environment: each variable missing, empty, odd, hostile. */

import { expect, it } from 'vitest';
import { type BadCall, describeOnNode, refusesAdd, SECRET } from '../../support/refusals.ts';
import { succeeded } from '../../support/simulated-node.ts';

const HUGE = 'a'.repeat(100_000);
const env = (variables: Readonly<Record<string, string>>) => ({ env: variables });
const pod = (name: string, namespace = 'default') => ({
  args: `IgnoreUnknown=1;K8S_POD_NAMESPACE=${namespace};K8S_POD_NAME=${name}`,
});
const missing = (name: string) => new RegExp(`required env variables \\[${name}\\] missing`);

const VARIABLES: readonly BadCall[] = [
  ['no container ID', env({ CNI_CONTAINERID: '' }), 4, missing('CNI_CONTAINERID')],
  ['no interface name', env({ CNI_IFNAME: '' }), 4, missing('CNI_IFNAME')],
  ['no namespace', { netns: undefined }, 4, missing('CNI_NETNS')],
  ['no path', env({ CNI_PATH: '' }), 4, missing('CNI_PATH')],
  [
    'nothing at all',
    env({ CNI_CONTAINERID: '', CNI_IFNAME: '', CNI_NETNS: '', CNI_PATH: '' }),
    4,
    missing('CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH'),
  ],
  ['a command in lower case', env({ CNI_COMMAND: 'add' }), 4, /unknown CNI_COMMAND: add/],
  ['a command with a space', env({ CNI_COMMAND: 'ADD ' }), 4, /unknown CNI_COMMAND: ADD /],
  [
    'a path that leads nowhere',
    { ...env({ CNI_PATH: '/nowhere' }), conf: { ipam: { type: 'x' } } },
    106,
    /failed to find plugin "x" in path \[\/nowhere\]/,
  ],
  [
    'a path of separators',
    { ...env({ CNI_PATH: ':::' }), conf: { ipam: { type: 'x' } } },
    106,
    /failed to find plugin "x"/,
  ],
  [
    'an unknown datastore',
    { ...env({ DATASTORE_TYPE: 'consul' }), conf: { datastore_type: undefined } },
    7,
    /datastore_type .*"consul"/,
  ],
  [
    'endpoints that are none',
    { ...env({ ETCD_ENDPOINTS: '$(reboot)' }), conf: { etcd_endpoints: undefined } },
    7,
    /invalid etcd endpoint/,
  ],
  [
    'endpoints with a password',
    { ...env({ ETCD_ENDPOINTS: `http://me:${SECRET}@x:1` }), conf: { etcd_endpoints: undefined } },
    7,
    /a URL with credentials/,
  ],
  [
    'a key without its certificate',
    env({ ETCD_KEY_FILE: '/x' }),
    7,
    /etcd_key_file is set but etcd_cert_file is not/,
  ],
  [
    'a password where there are no users',
    env({ ETCD_USERNAME: 'me', ETCD_PASSWORD: SECRET }),
    104,
    /ETCD_USERNAME and ETCD_PASSWORD|authentication/,
  ],
  [
    'two ways to find etcd',
    env({ ETCD_DISCOVERY_SRV: 'example.com' }),
    7,
    /multiple discovery or bootstrap options/,
  ],
  [
    'an interface prefix with a slash',
    { ...env({ FELIX_INTERFACEPREFIX: 'a/b' }), ...pod('web') },
    7,
    /InterfaceName/,
  ],
  [
    'an interface prefix that is too long',
    { ...env({ FELIX_INTERFACEPREFIX: 'much-too-long' }), ...pod('web') },
    7,
    /InterfaceName/,
  ],
];

const CONTAINER_IDS: readonly string[] = [
  ...[
    '../x',
    '..',
    '.',
    '/',
    'a/b',
    'a b',
    'a\nb',
    '\n',
    '\t',
    'a;b',
    '$(reboot)',
    '`reboot`',
    "a'b",
    'a"b',
    'a\\b',
  ],
  ...['-a', '--help', '%s', 'é', '\u202e', '🦊', 'a\u0301', 'A_1', 'ABC', 'a.b', 'a-', 'a'.repeat(254), HUGE],
];
const INTERFACE_NAMES: readonly string[] = [
  ...[
    '.',
    '..',
    'a/b',
    '../x',
    'a b',
    'a\nb',
    '\n',
    'a:b',
    'a\u00a0b',
    'interface-name-16',
    'é'.repeat(8),
    HUGE,
  ],
  ...['$(reboot)', 'a;reboot', '`x`', "a'b", '-h', '%n', '🦊', 'Eth0', 'eth_0', 'eth0.'],
];
const NETWORK_NAMESPACES: readonly (readonly [path: string, message: RegExp])[] = [
  ['/run/netns/none', /failed to Statfs "\/run\/netns\/none": no such file/],
  ['run/netns/none', /no such file/],
  ['/etc/hostname', /unknown FS magic on "\/etc\/hostname"/],
  ['/', /unknown FS magic/],
  ['/dev/null', /unknown FS magic/],
  ['/proc/self/ns/mnt', /mnt/],
  ['/proc/self/ns/net', /should not be the same/],
  ['/run/netns/../../proc/self/ns/net', /should not be the same/],
  ['/run/netns/a\nb', /no such file/],
  ['/run/netns/$(reboot)', /no such file/],
  [`/${'a'.repeat(5_000)}`, /name too long|too long/],
];
const ARGUMENTS: readonly (readonly [args: string, message: RegExp])[] = [
  ['FOO', /ARGS: invalid pair "FOO"/],
  ['A=B=C', /ARGS: invalid pair "A=B=C"/],
  [';', /ARGS: invalid pair ""/],
  ['IgnoreUnknown=1;', /ARGS: invalid pair ""/],
  ['IgnoreUnknown=maybe', /boolean unmarshal error: invalid input maybe/],
  ['IgnoreUnknown=0;X=1', /unknown args \["X=1"\]/],
  ['IP=1.2.3', /1\.2\.3/],
  ['IP=010.9.0.1', /010\.9\.0\.1/],
  ['IP=192.168.0.1/24', /192\.168\.0\.1\/24/],
  ['IP=::1%eth0', /::1%eth0/],
  ['IP=$(reboot)', /invalid IP address/],
  [`IP=${HUGE}`, /invalid IP address/],
];
const POD_NAMES: readonly string[] = [
  ...[
    '../..',
    'We/b',
    'a b',
    'a\nb',
    'Web',
    'web_1',
    '$(reboot)',
    '`x`',
    'a"b',
    '-web',
    'web-',
    'wéb',
    '🦊',
    'a'.repeat(254),
    HUGE,
  ],
];

const rows: readonly BadCall[] = [
  ...VARIABLES,
  ...CONTAINER_IDS.map(
    (containerId): BadCall => [
      `container ID ${shown(containerId)}`,
      { containerId },
      4,
      /containerID|ContainerID|Name/,
    ],
  ),
  ...INTERFACE_NAMES.map(
    (ifName): BadCall => [`interface name ${shown(ifName)}`, { ifName }, 4, /interface name|Endpoint/],
  ),
  ...NETWORK_NAMESPACES.map(
    ([netns, message]): BadCall => [`namespace ${shown(netns)}`, { netns }, 8, message],
  ),
  ...ARGUMENTS.map(([args, message]): BadCall => [`arguments ${shown(args)}`, { args }, 4, message]),
  ...POD_NAMES.map((name): BadCall => [`pod ${shown(name)}`, pod(name), 4, /Pod|Name/]),
  ...POD_NAMES.map(
    (name): BadCall => [`namespace of pods ${shown(name)}`, pod('web', name), 4, /Namespace|Name/],
  ),
];

function shown(text: string): string {
  return text.length > 40 ? `of ${text.length} characters` : JSON.stringify(text);
}

describeOnNode('a bad environment', (given) => {
  refusesAdd(given, rows);

  // Whatever the names are: what was never stored is gone, and is said to be.
  it.each([
    ...['Abc_1', 'ABC', 'a.b', 'a-', 'a'.repeat(254)].map((containerId) => ({ containerId })),
    ...['Eth0', 'eth_0', '$(reboot)', '🦊'].map((ifName) => ({ ifName })),
    ...POD_NAMES.filter((name) => name !== HUGE).flatMap((name) => [pod(name), pod('web', name)]),
    ...['FOO', ';', 'IP=1.2.3', 'IgnoreUnknown=maybe'].map((args) => ({ args })),
    { netns: '/run/netns/none' },
    { netns: '' },
    { netns: `/${'a'.repeat(5_000)}` },
  ])('DEL with %j', async (call) => {
    const { node, pod: sandbox } = given();
    const answer = await node.cni('DEL', { containerId: 'abcd', netns: sandbox.path, ...call });
    succeeded(answer);
    expect(answer.stderr).not.toMatch(/\n\s+at /);
  });
});
