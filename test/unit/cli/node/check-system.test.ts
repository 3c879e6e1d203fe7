import { describe, expect, it } from 'vitest';
import { checksText } from '../../../../src/cli/node/checksystem.ts';
import { checkSystem } from '../../../../src/cli/node/system/check-system.ts';
import type { SystemFacts } from '../../../../src/cli/node/system/system-facts.ts';

const WORKS = { veth: undefined, vxlan: undefined, ipip: undefined, nat: undefined, natIpv6: undefined };
const ETH0 = { name: 'eth0', mtu: 1500, isUp: true, rpFilter: 0 };
const GOOD: SystemFacts = {
  kernelRelease: '6.1.0-18-amd64',
  capabilities: { netAdmin: true, sysAdmin: true },
  trials: WORKS,
  switches: new Map([
    ['net/ipv4/ip_forward', { value: '0', isWritable: true }],
    ['net/ipv4/conf/all/rp_filter', { value: '0', isWritable: true }],
  ]),
  vxlanPort: { number: 4789, usedBy: { is: 'nobody' } },
  runs: { felix: false, bird: false, networkManager: false, firewalld: false },
  isUnmanaged: false,
  folders: [{ path: '/var/lib/calico', refusal: undefined }],
  parents: [ETH0],
  conntrack: { used: 10, most: 100 },
};

function switches(key: string, value: string | undefined, isWritable: boolean) {
  return { switches: new Map([...GOOD.switches, [key, { value, isWritable }]]) };
}

describe('checkSystem()', () => {
  it('finds nothing wrong with a host that has all', () => {
    expect(checkSystem(GOOD).filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
    expect(checkSystem(GOOD).every(({ advice }) => advice === undefined)).toBe(true);
  });

  const cases: readonly [what: string, facts: Partial<SystemFacts>, verdict: string, said: RegExp][] = [
    ['an old kernel', { kernelRelease: '4.17.19' }, 'failed kernel', /4\.18 or newer/],
    [
      'no right to',
      { capabilities: { netAdmin: false, sysAdmin: true } },
      'failed permissions',
      /CAP_NET_ADMIN missing.*root/,
    ],
    [
      'nothing could be tried',
      { trials: 'unshare: EPERM' },
      'failed kernel features',
      /not tried: unshare: EPERM/,
    ],
    ['no veth', { trials: { ...WORKS, veth: 'ENOTSUP' } }, 'failed veth', /ENOTSUP/],
    ['no VXLAN', { trials: { ...WORKS, vxlan: 'ENOTSUP' } }, 'warning VXLAN', /vxlanMode/],
    ['no IPIP', { trials: { ...WORKS, ipip: 'ENOTSUP' } }, 'warning IPIP', /ipipMode/],
    ['no nftables', { trials: { ...WORKS, nat: 'EINVAL' } }, 'failed nftables', /natOutgoing/],
    ['no forwarding', switches('net/ipv4/ip_forward', '0', false), 'failed forwarding', /sysctl -w/],
    [
      'strict filtering',
      switches('net/ipv4/conf/all/rp_filter', '1', true),
      'warning rp_filter',
      /strict on eth0/,
    ],
    [
      'strict filtering of one',
      { parents: [{ ...ETH0, rpFilter: 1 }] },
      'warning rp_filter',
      /strict on eth0/,
    ],
    [
      'a port in use',
      { vxlanPort: { number: 4789, usedBy: { is: 'program' } } },
      'failed UDP port',
      /ss -lunp/,
    ],
    [
      'the port of another device',
      { vxlanPort: { number: 4789, usedBy: { is: 'device', name: 'flannel.1' } } },
      'warning UDP port',
      /flannel\.1.*VNI/,
    ],
    ['Felix', { runs: { ...GOOD.runs, felix: true } }, 'failed other agents', /stop calico-node/],
    ['BIRD', { runs: { ...GOOD.runs, bird: true } }, 'warning other agents', /programClusterRoutes/],
    [
      'a folder that is read-only',
      { folders: [{ path: '/opt/cni/bin', refusal: 'it is mounted read-only' }] },
      'failed /opt/cni/bin',
      /read-only/,
    ],
    [
      'no place for logs',
      { folders: [{ path: '/var/log/calico', refusal: 'it is mounted read-only' }] },
      'warning /var/log/calico',
      /mount it/,
    ],
    ['no interface', { parents: [{ ...ETH0, isUp: false }] }, 'warning MTU', /mtuIfacePattern/],
    ['a small MTU', { parents: [{ ...ETH0, mtu: 1200 }] }, 'warning MTU', /IPv6/],
    ['two MTUs', { parents: [ETH0, { ...ETH0, name: 'eth1', mtu: 9000 }] }, 'warning MTU', /smallest, 1500/],
    [
      'many connections',
      { conntrack: { used: 90, most: 100 } },
      'warning connection tracking',
      /nf_conntrack_max/,
    ],
    [
      'NetworkManager',
      { runs: { ...GOOD.runs, networkManager: true } },
      'warning NetworkManager',
      /unmanaged-devices/,
    ],
    ['firewalld', { runs: { ...GOOD.runs, firewalld: true } }, 'warning firewalld', /trusted/],
  ];
  it.each(cases)('tells of %s', (_what, facts, verdict, said) => {
    const wrong = checkSystem({ ...GOOD, ...facts }).filter((check) => check.verdict !== 'ok');
    expect(wrong.map((check) => `${check.verdict} ${check.name}`)).toEqual([verdict]);
    expect(`${wrong[0]?.found} ${wrong[0]?.advice}`).toMatch(said);
  });

  it.each<[string, Partial<SystemFacts>]>([
    [
      'a loose filter that overrules a strict one',
      { ...switches('net/ipv4/conf/all/rp_filter', '2', true), parents: [{ ...ETH0, rpFilter: 1 }] },
    ],
    [
      'the port of our own device',
      { vxlanPort: { number: 4789, usedBy: { is: 'device', name: 'vxlan.calico' } } },
    ],
    ['forwarding that is on and cannot be changed', switches('net/ipv4/ip_forward', '1', false)],
    [
      'a NetworkManager that leaves us alone',
      { runs: { ...GOOD.runs, networkManager: true }, isUnmanaged: true },
    ],
    ['connections that are not tracked yet', { conntrack: undefined }],
  ])('is content with %s', (_what, facts) => {
    expect(checkSystem({ ...GOOD, ...facts }).filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
  });
});

it('checksText() has a line for each, and what to do below', () => {
  const checks = [
    { name: 'kernel', verdict: 'ok', found: '6.1' },
    { name: 'MTU', verdict: 'warning', found: 'eth0 1200', advice: 'raise it' },
  ] as const;
  expect(checksText(checks)).toBe(`\
ok       kernel  6.1
warning  MTU     eth0 1200
                 raise it
`);
});
