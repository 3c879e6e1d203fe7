/** What a runtime says that the chain has made: CHECK refuses what it cannot understand, ADD and DEL do not look at it. */

import { expect, it } from 'vitest';
import { describeOnNode, expectRefusal, expectWords } from '../../support/refusals.ts';
import { succeeded, wholeState } from '../../support/simulated-node.ts';

const DEEP = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
const eth0 = { name: 'eth0', sandbox: '/run/netns/x' };
const ip = (address: unknown) => ({ interfaces: [eth0], ips: [{ address }] });

/** What stands in the place of the result, the code of CHECK, and words. */
const ROWS: readonly (readonly [what: string, prevResult: unknown, code: number, message: RegExp])[] = [
  ['nothing', undefined, 7, /required prevResult missing/],
  ['null', null, 7, /required prevResult missing/],
  ['a text', 'ok', 6, /result must be an object, found string "ok"/],
  ['a number', 5, 6, /result must be an object/],
  ['a boolean', true, 6, /result must be an object/],
  ['a list', [], 6, /result must be an object, found an array/],
  ['an empty object', {}, 7, /names no interface eth0/],
  ['a version there is not', { cniVersion: '9.9.9' }, 6, /no converter for CNI result version 9\.9\.9/],
  ['a version that is a number', { cniVersion: 1 }, 6, /cniVersion must be a string/],
  ['interfaces that are a text', { interfaces: 'eth0' }, 6, /interfaces must be an array/],
  ['interfaces by name', { interfaces: { eth0 } }, 6, /interfaces must be an array/],
  ['an interface that is a text', { interfaces: ['eth0'] }, 6, /interfaces\[0\] must be an object/],
  ['an interface that is null', { interfaces: [null] }, 6, /interfaces\[0\] must be an object/],
  ['an interface named 5', { interfaces: [{ name: 5 }] }, 6, /interfaces\[0\]\.name must be a string/],
  ['a sandbox that is a list', { interfaces: [{ ...eth0, sandbox: [] }] }, 6, /interfaces\[0\]\.sandbox/],
  [
    'an MTU that is a text',
    { interfaces: [{ ...eth0, mtu: '1500' }] },
    6,
    /interfaces\[0\]\.mtu must be a whole/,
  ],
  ['an MTU below zero', { interfaces: [{ ...eth0, mtu: -1 }] }, 6, /interfaces\[0\]\.mtu must be a whole/],
  [
    'a MAC address that is none',
    { ...ip('192.168.0.1/32'), interfaces: [{ ...eth0, mac: 'x' }] },
    7,
    /invalid MAC address/,
  ],
  ['another interface', { interfaces: [{ ...eth0, name: 'eth1' }] }, 7, /names no interface eth0/],
  ['no sandbox', { interfaces: [{ name: 'eth0' }] }, 7, /names no interface eth0/],
  ['addresses that are a text', { interfaces: [eth0], ips: '10.0.0.1' }, 6, /ips must be an array/],
  [
    'an address that is a text',
    { interfaces: [eth0], ips: ['10.0.0.1/32'] },
    6,
    /ips\[0\] must be an object/,
  ],
  ...[
    undefined,
    5,
    '',
    '10.0.0.1',
    '10.0.0.1/33',
    '010.0.0.1/8',
    '::1%eth0/64',
    '$(reboot)',
    'x'.repeat(100_000),
  ].map(
    (address) =>
      [
        `the address ${String(address).slice(0, 20)}`,
        ip(address),
        6,
        /ips\[0\]\.address must be an address/,
      ] as const,
  ),
  [
    'an interface number below zero',
    { interfaces: [eth0], ips: [{ address: '10.0.0.1/32', interface: -1 }] },
    6,
    /ips\[0\]\.interface must be a whole/,
  ],
  [
    'half an interface number',
    { interfaces: [eth0], ips: [{ address: '10.0.0.1/32', interface: 0.5 }] },
    6,
    /ips\[0\]\.interface must be a whole/,
  ],
  [
    'a gateway that is none',
    { interfaces: [eth0], ips: [{ address: '10.0.0.1/32', gateway: 'x' }] },
    6,
    /ips\[0\]\.gateway must be an IP address/,
  ],
  ['routes that are a number', { interfaces: [eth0], routes: 5 }, 6, /routes must be an array/],
  [
    'a route to nowhere',
    { interfaces: [eth0], routes: [{ dst: 'default' }] },
    6,
    /routes\[0\]\.dst must be an address/,
  ],
  ['a route by text', { interfaces: [eth0], routes: ['0.0.0.0/0'] }, 6, /routes\[0\] must be an object/],
  [
    'a metric as text',
    { interfaces: [eth0], routes: [{ dst: '0.0.0.0/0', priority: 'low' }] },
    6,
    /routes\[0\]\.priority must be a whole/,
  ],
  [
    'name servers that are a text',
    { interfaces: [eth0], dns: { nameservers: '10.0.0.1' } },
    6,
    /dns\.nameservers must be an array/,
  ],
  ['DNS that is a list', { interfaces: [eth0], dns: [] }, 6, /dns must be an object/],
  ['an old result with addresses in a list', { cniVersion: '0.2.0', ip4: [] }, 6, /ip4 must be an object/],
  [
    'an old result with half an address',
    { cniVersion: '0.2.0', ip4: { ip: '10.0.0.1' } },
    6,
    /ip4\.ip must be an address/,
  ],
];

describeOnNode('a bad prevResult', (given) => {
  it.each(ROWS)(
    'CHECK of %s is refused, and a DEL does not look at it',
    async (_what, prevResult, code, message) => {
      const { node, pod } = given();
      const call = { containerId: 'abcd', netns: pod.path };
      succeeded(await node.cni('ADD', call));
      const before = await wholeState(node);
      const answer = await node.cni('CHECK', { ...call, conf: { prevResult } });
      expectRefusal(answer);
      expectWords(answer, code, message);
      expect(await wholeState(node)).toEqual(before);
      succeeded(await node.cni('DEL', { ...call, conf: { prevResult } }));
      expect(pod.sh('ip -o link')).not.toContain('eth0');
    },
  );

  it('CHECK of lists in lists is refused, and so is a DEL', async () => {
    const { node, pod } = given();
    const stdin = `${JSON.stringify(node.conf()).slice(0, -1)},"prevResult":${DEEP}}`;
    for (const command of ['CHECK', 'DEL']) {
      const answer = await node.cni(command, { containerId: 'abcd', netns: pod.path, stdin });
      expectRefusal(answer);
      expectWords(answer, 6, /nested too deep/);
    }
  });
});
