/** What stands on stdin: no configuration, half of one, values that nobody can use, texts that attack. */

import { type BadCall, describeOnNode, refusesAdd, SECRET } from '../../support/refusals.ts';

const HUGE = 'a'.repeat(1_000_000);
const DEEP = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
const conf = (changes: object) => ({ conf: changes });
const UNREADABLE = /error unmarshall network config/;

const DOCUMENTS: readonly BadCall[] = [
  ['no stdin', { stdin: '' }, 6, UNREADABLE],
  ['stdin of spaces', { stdin: ' \n\t' }, 6, UNREADABLE],
  ['stdin that is not JSON', { stdin: 'name: net1' }, 6, UNREADABLE],
  ['stdin that is JSON, but no object', { stdin: '[1]' }, 6, /must be a JSON object, found an array/],
  ['a text', { stdin: '"net1"' }, 6, /must be a JSON object, found string "net1"/],
  ['null', { stdin: 'null' }, 7, /missing network name/],
  ['half of a JSON document', { stdin: '{"name":"net1","etcd_endpo' }, 6, UNREADABLE],
  ['two documents', { stdin: '{"name":"net1"}{"name":"net2"}' }, 6, UNREADABLE],
  ['a comment', { stdin: '{"name":"net1"} // mine' }, 6, UNREADABLE],
  ['a comma too much', { stdin: '{"name":"net1",}' }, 6, UNREADABLE],
  ['a NUL byte', { stdin: '{"name":"net1"\0}' }, 6, UNREADABLE],
  ['a secret that is not quoted', { stdin: `{"name":"net1","k8s_auth_token": ${SECRET}}` }, 6, UNREADABLE],
  ['a document in UTF-16', { stdin: Buffer.from('{"name":"net1"}', 'utf16le') }, 6, UNREADABLE],
  ['bytes that are no UTF-8', { stdin: Uint8Array.of(0xff, 0xfe, 0x80, 0xc0) }, 6, UNREADABLE],
  ['a name that is no UTF-8', { stdin: Buffer.from('{"name":"n\xe9t"}', 'latin1') }, 7, /invalid characters/],
  ['a name that comes twice', { stdin: '{"name":"net1","name":""}' }, 7, /missing network name/],
  ['lists in lists', { stdin: DEEP }, 6, /nested too deep/],
  ['a key nobody knows with lists in lists', { stdin: `{"name":"net1","x":${DEEP}}` }, 6, /nested too deep/],
  [
    'more than anybody needs',
    { stdin: `{"name":"net1","x":"${'a'.repeat(9_000_000)}"}` },
    5,
    /more than 8388608 bytes/,
  ],
  ['nothing but spaces, without end', { stdin: ' '.repeat(9_000_000) }, 5, /more than 8388608 bytes/],
];

const NAMES: readonly BadCall[] = [
  ['no name', conf({ name: undefined }), 7, /missing network name/],
  ['an empty name', conf({ name: '' }), 7, /missing network name/],
  ...['a/b', '../x', 'a b', 'a\nb', '$(reboot)', 'nét', '-a', '.', '\0', '🦊'].map(
    (name): BadCall => [
      `the name ${JSON.stringify(name)}`,
      conf({ name }),
      7,
      /invalid characters found in network name/,
    ],
  ),
  ['a name Calico cannot store', conf({ name: 'Net_1' }), 7, /Profiles\[0\] = 'Net_1'/],
  ['an endless name', conf({ name: HUGE }), 7, /Profiles\[0\] = 'a{60}…'/],
  ['an unknown CNI version', conf({ cniVersion: '9.9.9' }), 1, /incompatible CNI versions/],
  ['half a CNI version', conf({ cniVersion: '1.0' }), 1, /incompatible CNI versions/],
  ['a CNI version that is none', conf({ cniVersion: 'new' }), 1, /incompatible CNI versions/],
  [
    'an endless CNI version',
    conf({ cniVersion: `1.${'0'.repeat(100_000)}.0` }),
    1,
    /incompatible CNI versions/,
  ],
  ...['a/b', '../x', 'a\nb', 'Node_1', '\0', 'nöde', HUGE].map(
    (nodename): BadCall => [
      `the node ${JSON.stringify(nodename).slice(0, 20)}`,
      conf({ nodename }),
      7,
      /Node = '/,
    ],
  ),
  ['a node nobody knows', conf({ nodename: 'stranger' }), 103, /resource does not exist: Node\(stranger\)/],
  [
    'a nodename file that is not there',
    conf({ nodename_file_optional: false, nodename_file: '/none' }),
    11,
    /stat \/none: no such file or directory: check that the calico\/node container is running/,
  ],
  [
    'a nodename file nobody can name',
    conf({ nodename_file_optional: false, nodename_file: 'a\0b' }),
    11,
    /no such file or directory/,
  ],
  [
    'a pod whose name no pod can have',
    { args: 'K8S_POD_NAME=We/b;K8S_POD_NAMESPACE=default' },
    4,
    /Pod = 'We\/b'/,
  ],
];

const NUMBERS: readonly BadCall[] = [
  ...[-5, 1, 67, 65_536, 2 ** 40].map(
    (mtu): BadCall => [`an MTU of ${mtu}`, conf({ mtu }), 7, new RegExp(`mtu .*${mtu}`)],
  ),
  ...[0.5, 1e300, -1e300, 2 ** 53, 1e-300].flatMap((number): BadCall[] =>
    ['mtu', 'num_queues', 'log_file_max_size', 'policy_setup_timeout_seconds'].map((key) => [
      `${key} ${number}`,
      conf({ [key]: number }),
      7,
      new RegExp(`${key} must be an integer`),
    ]),
  ),
  ['as many queues as memory', conf({ num_queues: 4097 }), 7, /num_queues must be at most 4096, found 4097/],
  ['a waiting time below zero', conf({ policy_setup_timeout_seconds: -1 }), 7, /-1/],
  ['a grace below zero', conf({ gc_grace_seconds: -1 }), 7, /gc_grace_seconds .*-1/],
  ['a number beyond JSON', { stdin: '{"name":"net1","mtu":1e400}' }, 7, /mtu must be/],
  ['a number with a plus', { stdin: '{"name":"net1","mtu":+5}' }, 6, UNREADABLE],
];

describeOnNode('a bad configuration', (given) => {
  refusesAdd(given, [...DOCUMENTS, ...NAMES, ...NUMBERS]);
});
