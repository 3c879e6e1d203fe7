import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../../src/base/cidr.ts';
import { formatPlan } from '../../../src/network/format-plan.ts';
import { planPod } from '../../../src/network/plan-pod.ts';
import { trips } from '../../../src/network/trips.ts';
import { addresses } from '../../support/network-arbitraries.ts';
import { podNetwork } from '../../support/pod-network.ts';

const PAIR =
  'pod# ip link add eth0 address 02:00:00:00:00:01 mtu 1440 numtxqueues 1 numrxqueues 1 type veth peer name cali1 address ee:ee:ee:ee:ee:ee mtu 1440 numtxqueues 1 numrxqueues 1 netns host';

describe('planPod()', () => {
  it('wires an IPv4 pod like this', () => {
    expect(formatPlan(planPod(podNetwork(['10.77.0.117'])))).toEqual([
      PAIR,
      'pod# sysctl -w net/ipv4/ip_forward=0',
      'host# sysctl -w net/ipv4/conf/cali1/route_localnet=1',
      'host# sysctl -w net/ipv4/neigh/cali1/proxy_delay=0',
      'host# sysctl -w net/ipv4/conf/cali1/proxy_arp=1',
      'host# sysctl -w net/ipv4/conf/cali1/forwarding=1',
      'host# sysctl -w net/ipv6/conf/cali1/accept_ra=0',
      'host# ip link set cali1 up',
      'pod# ip link set eth0 up',
      'pod# ip neigh replace 169.254.1.1 lladdr ee:ee:ee:ee:ee:ee dev eth0 nud permanent',
      'pod# ip route add 169.254.1.1/32 dev eth0 scope link',
      'pod# ip route add default via 169.254.1.1 dev eth0',
      'pod# ip addr add 10.77.0.117/32 dev eth0',
      'host# ip route add 10.77.0.117/32 dev cali1 scope link',
    ]);
  });

  it('wires an IPv6 pod like this', () => {
    expect(formatPlan(planPod(podNetwork(['fd77::117'])))).toEqual([
      PAIR,
      'pod# sysctl -w net/ipv6/conf/eth0/accept_dad=0',
      'pod# sysctl -w net/ipv6/conf/all/disable_ipv6=0',
      'pod# sysctl -w net/ipv6/conf/default/disable_ipv6=0',
      'pod# sysctl -w net/ipv6/conf/lo/disable_ipv6=0',
      'pod# sysctl -w net/ipv6/conf/all/forwarding=0',
      'host# sysctl -w net/ipv6/conf/cali1/accept_dad=0',
      'host# sysctl -w net/ipv6/conf/cali1/disable_ipv6=0',
      'host# sysctl -w net/ipv6/conf/cali1/addr_gen_mode=0',
      'host# sysctl -w net/ipv6/conf/cali1/proxy_ndp=1',
      'host# sysctl -w net/ipv6/conf/cali1/forwarding=1',
      'host# sysctl -w net/ipv6/conf/cali1/accept_ra=0',
      'host# ip link set cali1 up',
      'host# ip addr replace fe80::ecee:eeff:feee:eeee/64 dev cali1 scope link nodad',
      'pod# ip link set eth0 up',
      'pod# ip neigh replace fe80::ecee:eeff:feee:eeee lladdr ee:ee:ee:ee:ee:ee dev eth0 nud permanent',
      'pod# ip -6 route add default via fe80::ecee:eeff:feee:eeee dev eth0',
      'pod# ip addr add fd77::117/128 dev eth0 nodad',
      'host# ip -6 route add fd77::117/128 dev cali1 scope link',
    ]);
  });

  it('makes a netkit pair on the host, and takes the same steps with it', () => {
    const veth = formatPlan(planPod(podNetwork(['10.77.0.117', 'fd77::117'])));

    const [pair, ...steps] = formatPlan(
      planPod(podNetwork(['10.77.0.117', 'fd77::117'], { deviceType: 'netkit' })),
    );

    expect(pair).toBe(
      'host# ip link add cali1 address ee:ee:ee:ee:ee:ee mtu 1440 numtxqueues 1 numrxqueues 1 type netkit mode l2 forward scrub none peer forward scrub none name eth0 address 02:00:00:00:00:01 mtu 1440 numtxqueues 1 numrxqueues 1 netns pod',
    );
    expect(steps).toEqual(veth.slice(1));
  });

  it('wires a dual-stack pod with the steps of both, in seven trips', () => {
    const both = planPod(podNetwork(['10.77.0.117', 'fd77::117']));
    const lines = formatPlan(both);
    const ofOne = [['10.77.0.117'], ['fd77::117']].flatMap((one) => formatPlan(planPod(podNetwork(one))));

    expect(lines.toSorted()).toEqual([...new Set(ofOne)].toSorted());
    expect(lines.indexOf('host# ip link set cali1 up')).toBeGreaterThan(
      lines.findLastIndex((line) => line.includes('sysctl')),
    );
    expect(trips(both.steps).map((trip) => trip.length)).toEqual([6, 10, 2, 8, 2]);
  });

  it('adds only the routes of the families the pod has, each once', () => {
    const routes = ['10.0.0.0/8', 'fd00::/8', '10.0.0.0/8'].map(parseCidr);

    const lines = formatPlan(planPod(podNetwork(['10.77.0.117'], { routes })));

    expect(lines.filter((line) => line.includes(' via '))).toEqual([
      'pod# ip route add 10.0.0.0/8 via 169.254.1.1 dev eth0',
    ]);
  });

  it('adds no host routes when they are not wanted', () => {
    const lines = formatPlan(planPod(podNetwork(['10.77.0.117'], { hostRoutes: false })));

    expect(lines.filter((line) => line.startsWith('host# ip route'))).toEqual([]);
  });

  it('switches forwarding on in the pod when it is allowed', () => {
    const lines = formatPlan(planPod(podNetwork(['10.77.0.117', 'fd77::1'], { allowIpForwarding: true })));

    expect(lines).toContain('pod# sysctl -w net/ipv4/ip_forward=1');
    expect(lines).toContain('pod# sysctl -w net/ipv6/conf/all/forwarding=1');
  });

  it('leaves the MTU out when the kernel shall choose, and keeps a dot in an interface name apart from the path', () => {
    const lines = formatPlan(
      planPod(podNetwork(['fd77::1'], { mtu: undefined, queues: 4, containerIfName: 'net1.5' })),
    );

    expect(lines[0]).toBe(
      'pod# ip link add net1.5 address 02:00:00:00:00:01 numtxqueues 4 numrxqueues 4 type veth peer name cali1 address ee:ee:ee:ee:ee:ee numtxqueues 4 numrxqueues 4 netns host',
    );
    expect(lines).toContain('pod# sysctl -w net/ipv6/conf/net1.5/accept_dad=0');
  });

  it('lets only the switches fail that old or small kernels lack', () => {
    const { steps } = planPod(podNetwork(['10.77.0.117', 'fd77::117']));

    const mayFail = steps.flatMap((step) =>
      step.do === 'write-sysctl' && step.onFailure === 'warn' ? [step.key] : [],
    );

    expect(mayFail).toEqual([
      'net/ipv4/neigh/cali1/proxy_delay',
      'net/ipv6/conf/cali1/addr_gen_mode',
      'net/ipv6/conf/cali1/accept_ra',
    ]);
  });
});

describe('trips()', () => {
  it('keep every step and the order', () => {
    fc.assert(
      fc.property(fc.array(addresses, { maxLength: 4 }), (some) => {
        const { steps } = planPod({ ...podNetwork([]), addresses: some });
        expect(trips(steps).flat()).toEqual(steps);
      }),
    );
  });
});
