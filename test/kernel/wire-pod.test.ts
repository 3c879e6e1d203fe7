import { beforeEach, describe, expect, it } from 'vitest';
import { parseCidr } from '../../src/base/cidr.ts';
import { applyPlan } from '../../src/network/apply-plan.ts';
import { openKernel } from '../../src/network/kernel.ts';
import { planPod } from '../../src/network/plan-pod.ts';
import type { PodNetwork } from '../../src/network/pod-network.ts';
import { makeLab, makeNetns, type TestNetns, whyNoNetns } from '../support/netns.ts';
import { podNetwork } from '../support/pod-network.ts';

beforeEach(({ skip }) => skip(whyNoNetns() !== undefined, whyNoNetns()));

function wire(pod: TestNetns, network: PodNetwork): void {
  using kernel = openKernel(pod.path);
  applyPlan(kernel, planPod(network));
}

const families = [
  ['IPv4', ['10.77.0.117'], ['10.77.0.118'], ['192.0.2.1']],
  ['IPv6', ['fd77::117'], ['fd77::118'], ['2001:db8::1']],
  ['both families', ['10.77.0.117', 'fd77::117'], ['10.77.0.118', 'fd77::118'], ['192.0.2.1', '2001:db8::1']],
] as const;

describe.each([
  ['without a default route', false],
  ['with a default route', true],
])('on a host %s', (_, hasDefaultRoute) => {
  it.each(families)('pods of %s reach the host and each other at once', (_family, first, second, hosts) => {
    using lab = makeLab({ hasDefaultRoute });
    using other = makeNetns('pod');

    wire(lab.pod, podNetwork(first, { hostIfName: 'cali1' }));
    wire(other, podNetwork(second, { hostIfName: 'cali2' }));

    expect(lab.pod.reached([...hosts, ...second])).toEqual([...hosts, ...second]);
    expect(other.reached([...hosts, ...first])).toEqual([...hosts, ...first]);
    expect(lab.host.reached([...first, ...second])).toEqual([...first, ...second]);
  });
});

describe('the permanent neighbour entry', () => {
  it('is what lets pods reach a host that has no default route', () => {
    using lab = makeLab();
    wire(lab.pod, podNetwork(['10.77.0.117']));

    lab.pod.sh('ip neigh del 169.254.1.1 dev eth0');

    expect(lab.pod.reached(['192.0.2.1'])).toEqual([]);
  });
});

describe('applyPlan() leaves the state Calico leaves', () => {
  it('in the pod', () => {
    using lab = makeLab();

    wire(lab.pod, podNetwork(['10.77.0.117', 'fd77::117']));

    expect(
      lines(
        lab.pod.sh('ip -br link show dev eth0; ip route; ip -6 route show default; ip -4 neigh; ip -6 neigh'),
      ),
    ).toMatchInlineSnapshot(`
      [
        "eth0@if4 UP 02:00:00:00:00:01 <BROADCAST,MULTICAST,UP,LOWER_UP>",
        "default via 169.254.1.1 dev eth0",
        "169.254.1.1 dev eth0 scope link",
        "default via fe80::ecee:eeff:feee:eeee dev eth0 metric 1024 pref medium",
        "169.254.1.1 dev eth0 lladdr ee:ee:ee:ee:ee:ee PERMANENT",
        "fe80::ecee:eeff:feee:eeee dev eth0 lladdr ee:ee:ee:ee:ee:ee PERMANENT",
      ]
    `);
    expect(addresses(lab.pod, 'eth0')).toMatchInlineSnapshot(`
      [
        "inet 10.77.0.117/32 scope global eth0",
        "inet6 fd77::117/128 scope global nodad",
        "inet6 fe80::ff:fe00:1/64 scope link",
      ]
    `);
    expect(
      lines(lab.pod.sh(sysctls('ipv4/ip_forward', 'ipv6/conf/all/forwarding', 'ipv6/conf/eth0/accept_dad'))),
    ).toEqual(['0', '0', '0']);
    expect(
      lines(
        lab.pod.sh(
          sysctls(...['all', 'default', 'lo', 'eth0'].map((name) => `ipv6/conf/${name}/disable_ipv6`)),
        ),
      ),
    ).toEqual(['0', '0', '0', '0']);
  });

  it('on the host', () => {
    using lab = makeLab();

    wire(lab.pod, podNetwork(['10.77.0.117', 'fd77::117']));

    expect(lines(lab.host.sh('ip route show dev cali1; ip -6 route show dev cali1'))).toMatchInlineSnapshot(`
      [
        "10.77.0.117 scope link",
        "fd77::117 metric 1024 pref medium",
        "fe80::/64 proto kernel metric 256 pref medium",
      ]
    `);
    expect(addresses(lab.host, 'cali1')).toMatchInlineSnapshot(`
      [
        "inet6 fe80::ecee:eeff:feee:eeee/64 scope link nodad",
      ]
    `);
    expect(
      lines(
        lab.host.sh(
          sysctls(
            'ipv4/conf/cali1/route_localnet',
            'ipv4/neigh/cali1/proxy_delay',
            'ipv4/conf/cali1/proxy_arp',
            'ipv4/conf/cali1/forwarding',
            'ipv6/conf/cali1/accept_dad',
            'ipv6/conf/cali1/disable_ipv6',
            'ipv6/conf/cali1/proxy_ndp',
            'ipv6/conf/cali1/forwarding',
            'ipv6/conf/cali1/accept_ra',
          ),
        ),
      ),
    ).toEqual(['1', '0', '1', '1', '0', '0', '1', '1', '0']);
    expect(lab.host.sh('ip link show dev cali1')).toContain('link/ether ee:ee:ee:ee:ee:ee');
  });
});

describe('applyPlan()', () => {
  it('gives the pod the asked MAC before it comes up, so that its link-local address is made from it', () => {
    using lab = makeLab();

    wire(lab.pod, podNetwork(['fd77::117']));

    expect(addresses(lab.pod, 'eth0')).toContain('inet6 fe80::ff:fe00:1/64 scope link');
  });

  it('gives the host end its link-local address also where the node prefers random ones', () => {
    using lab = makeLab();
    lab.host.sh('echo 3 > /proc/sys/net/ipv6/conf/default/addr_gen_mode');

    wire(lab.pod, podNetwork(['fd77::117']));

    expect(addresses(lab.host, 'cali1')).toEqual(['inet6 fe80::ecee:eeff:feee:eeee/64 scope link nodad']);
  });

  it('brings IPv6 to a sandbox and a host that have it switched off for new interfaces', () => {
    using lab = makeLab();
    const off = 'for i in all default; do echo 1 > /proc/sys/net/ipv6/conf/$i/disable_ipv6; done';
    lab.pod.sh(off);
    lab.host.sh('echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6');

    wire(lab.pod, podNetwork(['fd77::117']));

    expect(lab.pod.reached(['2001:db8::1'])).toEqual(['2001:db8::1']);
  });

  it("adds the asked routes of the pod's families only, and no host routes when they are not wanted", () => {
    using lab = makeLab();
    const routes = ['10.0.0.0/8', '192.0.2.0/24', 'fd00::/8'].map(parseCidr);

    wire(lab.pod, podNetwork(['10.77.0.117'], { routes, hostRoutes: false }));

    expect(lines(lab.pod.sh('ip route'))).toEqual([
      '10.0.0.0/8 via 169.254.1.1 dev eth0',
      '169.254.1.1 dev eth0 scope link',
      '192.0.2.0/24 via 169.254.1.1 dev eth0',
    ]);
    expect(lines(lab.host.sh('ip route show dev cali1'))).toEqual([]);
  });

  it('switches forwarding on in the pod, sets queues, and leaves the MTU to the kernel, when asked', () => {
    using lab = makeLab();

    wire(
      lab.pod,
      podNetwork(['10.77.0.117', 'fd77::117'], { allowIpForwarding: true, queues: 2, mtu: undefined }),
    );

    expect(lines(lab.pod.sh(sysctls('ipv4/ip_forward', 'ipv6/conf/all/forwarding')))).toEqual(['1', '1']);
    expect(lab.pod.sh('ip -d link show dev eth0')).toMatch(/mtu 1500 .*numtxqueues 2 numrxqueues 2/s);
    expect(lab.host.sh('ip -d link show dev cali1')).toMatch(/mtu 1500 .*numtxqueues 2 numrxqueues 2/s);
  });
});

function lines(text: string): readonly string[] {
  return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [line.replace(/\s+/g, ' ').trim()]));
}

function addresses(netns: TestNetns, ifName: string): readonly string[] {
  return lines(netns.sh(`ip addr show dev ${ifName}`)).filter((line) => line.startsWith('inet'));
}

function sysctls(...names: readonly string[]): string {
  return names.map((name) => `cat /proc/sys/net/${name}`).join('\n');
}
