import { describe, expect, it } from 'vitest';
import { cidrOf, hostCidr, parseCidr } from '../../../src/base/cidr.ts';
import { parseIpAddress } from '../../../src/base/ip-address.ts';
import { HOST_SIDE_MAC, parseMacAddress } from '../../../src/base/mac-address.ts';
import { formatMismatch } from '../../../src/base/mismatch.ts';
import { podDifferences } from '../../../src/network/check-pod.ts';
import { IFA_F_TENTATIVE } from '../../../src/network/netlink/address.ts';
import type { Link } from '../../../src/network/netlink/link.ts';
import { NUD_PERMANENT } from '../../../src/network/netlink/neighbour.ts';
import { type Route, TABLE_MAIN } from '../../../src/network/netlink/route.ts';
import { type ObservedAttachment, sysctlName } from '../../../src/network/observe-attachment.ts';
import { POD_GATEWAY_V6, planPod } from '../../../src/network/plan-pod.ts';
import { POD_GATEWAY_V4 } from '../../../src/network/pod-network.ts';
import type { Tuning } from '../../../src/network/read-tuning.ts';
import { podNetwork } from '../../support/pod-network.ts';

const NOT_TUNED: Tuning = { formerMac: undefined, formerMtu: undefined };
const NUD_STALE = 0x04;
const ETH0 = 2;
const CALI1 = 5;

const network = podNetwork(['10.77.0.117', 'fd77::117']);
const plan = planPod(network);

function link(changes: Partial<Link>): Link {
  return {
    ...{ ifIndex: ETH0, name: 'eth0', kind: 'veth', mac: network.containerMac, mtu: 1440, isUp: true },
    ...{ peerIfIndex: CALI1, peerNetnsId: 0 },
    ...changes,
  };
}

const hostLink = link({ ifIndex: CALI1, name: 'cali1', mac: HOST_SIDE_MAC, peerIfIndex: ETH0 });

function route(destination: string, changes: Partial<Route> = {}): Route {
  return {
    ...{ destination: parseCidr(destination), gateway: undefined, ifIndex: ETH0, table: TABLE_MAIN },
    ...{ protocol: 3, scope: 0, type: 1, metric: undefined },
    ...changes,
  };
}

function address(text: string, prefixLength: number, ifIndex: number, flags = 0) {
  return { ifIndex, network: { address: parseIpAddress(text), prefixLength }, scope: 0, flags };
}

const podRoutes = [
  route('169.254.1.1/32'),
  route('0.0.0.0/0', { gateway: POD_GATEWAY_V4 }),
  route('::/0', { gateway: POD_GATEWAY_V6 }),
];
const neighbours = [POD_GATEWAY_V4, POD_GATEWAY_V6].map((gateway) => ({
  ...{ ifIndex: ETH0, address: gateway, mac: HOST_SIDE_MAC, state: NUD_PERMANENT },
}));
const container = {
  link: link({}),
  addresses: [address('10.77.0.117', 32, ETH0), address('fd77::117', 128, ETH0)],
  routes: podRoutes,
  neighbours,
};

const host = { link: hostLink, addresses: [address('fe80::ecee:eeff:feee:eeee', 64, CALI1)] };

/** The pod as its ADD leaves it. */
const HEALTHY: ObservedAttachment = {
  container,
  host,
  isPair: true,
  hostRoutes: network.addresses.map((one) => ({
    ...route('0.0.0.0/0', { ifIndex: CALI1 }),
    destination: hostCidr(one),
  })),
  podRoutes,
  sysctls: new Map(
    plan.steps.flatMap((step) =>
      step.do === 'write-sysctl' ? [[sysctlName(step), step.value] as const] : [],
    ),
  ),
  gatewayRoute: undefined,
};

function inContainer(changes: Partial<typeof container>, rest: Partial<ObservedAttachment> = {}) {
  return { ...HEALTHY, container: { ...container, ...changes }, ...rest };
}

function withSysctl(name: string, value: string | undefined): ObservedAttachment {
  const sysctls = new Map(HEALTHY.sysctls);
  if (value === undefined) sysctls.delete(name);
  else sysctls.set(name, value);
  return { ...HEALTHY, sysctls };
}

const found = (observed: ObservedAttachment, tuning = NOT_TUNED, asked = plan) =>
  podDifferences(asked, observed, tuning).map(formatMismatch);

const DEFAULT_ELSEWHERE = route('0.0.0.0/0', { ifIndex: 9 });
const strangeMac = parseMacAddress('02:00:00:00:00:77');
const withoutMtu = planPod({ ...network, mtu: undefined });

describe('podDifferences() accepts', () => {
  it.each<[string, ObservedAttachment, Tuning?, typeof plan?]>([
    ['a pod as its ADD has left it', HEALTHY],
    [
      'no neighbours where the host answers for the gateway',
      inContainer({ neighbours: [] }, { gatewayRoute: route('0.0.0.0/0', { ifIndex: 7 }) }),
    ],
    [
      'neighbours that the pod has asked for',
      inContainer(
        { neighbours: neighbours.map((one) => ({ ...one, state: NUD_STALE, mac: strangeMac })) },
        {
          gatewayRoute: route('0.0.0.0/0', { ifIndex: 7 }),
          host: { ...host, link: { ...hostLink, mac: strangeMac } },
        },
      ),
    ],
    [
      'a default route over another interface',
      inContainer(
        { routes: podRoutes.slice(0, 1).concat(podRoutes.slice(2)) },
        { podRoutes: [DEFAULT_ELSEWHERE] },
      ),
    ],
    [
      'routes in a table of their own',
      inContainer({ routes: [] }, { podRoutes: podRoutes.map((one) => ({ ...one, table: 100 })) }),
    ],
    [
      'an MTU that was tuned',
      inContainer({ link: link({ mtu: 1300 }) }),
      { formerMac: undefined, formerMtu: 1440 },
    ],
    ['any MTU that both ends have, where the result tells none', HEALTHY, NOT_TUNED, withoutMtu],
    [
      'more addresses and routes',
      inContainer({
        addresses: [...container.addresses, address('10.9.9.9', 32, ETH0)],
        routes: [...podRoutes, route('10.9.0.0/16')],
      }),
    ],
    ['forwarding that a workload has turned on', withSysctl('pod net/ipv4/ip_forward', '1')],
    ['switches that an ADD may go without', withSysctl('host net/ipv4/neigh/cali1/proxy_delay', '80')],
    ['a netkit pair', inContainer({ link: link({ kind: 'netkit' }) })],
  ])('%s', (_what, observed, tuning, asked) => {
    expect(found(observed, tuning, asked)).toEqual([]);
  });
});

describe('podDifferences() finds', () => {
  it.each<[string, ObservedAttachment, string, typeof plan?]>([
    [
      'no interface, and nothing that follows from that',
      { ...HEALTHY, container: undefined, isPair: false },
      'interface eth0 in the sandbox: expected present, found missing',
    ],
    [
      'no host end',
      { ...HEALTHY, host: undefined, isPair: false },
      'interface cali1 on the host: expected present, found missing',
    ],
    [
      'an MTU unlike the host end’s, where the result tells none',
      inContainer({ link: link({ mtu: 1300 }) }),
      'interface eth0 in the sandbox: expected mtu 1440, found mtu 1300',
      withoutMtu,
    ],
    [
      'another MAC of the host end than the pod was told for good',
      {
        ...HEALTHY,
        host: { ...host, link: { ...hostLink, mac: strangeMac } },
      },
      'interface cali1 on the host: expected mac ee:ee:ee:ee:ee:ee, found mac 02:00:00:00:00:77',
    ],
    [
      'no neighbour where the host does not answer',
      inContainer({ neighbours: neighbours.slice(1) }),
      'neighbour 169.254.1.1 of eth0: expected ee:ee:ee:ee:ee:ee permanent, found missing',
    ],
    [
      'no neighbour where the host’s way to the gateway is the pod itself',
      inContainer(
        { neighbours: neighbours.slice(1) },
        { gatewayRoute: route('169.254.0.0/16', { ifIndex: CALI1 }) },
      ),
      'neighbour 169.254.1.1 of eth0: expected ee:ee:ee:ee:ee:ee permanent, found missing',
    ],
    [
      'a wrong neighbour for IPv6',
      inContainer({ neighbours: neighbours.map((one, i) => (i === 1 ? { ...one, mac: strangeMac } : one)) }),
      'neighbour fe80::ecee:eeff:feee:eeee of eth0: expected ee:ee:ee:ee:ee:ee permanent, found 02:00:00:00:00:77',
    ],
    [
      'an address that is not usable yet',
      inContainer({
        addresses: [container.addresses[0] ?? [], address('fd77::117', 128, ETH0, IFA_F_TENTATIVE)].flat(),
      }),
      'address fd77::117/128 of eth0: expected usable, found tentative',
    ],
    [
      'a default route that is a narrower one',
      inContainer({
        routes: [
          podRoutes[0],
          podRoutes[2],
          { ...route('0.0.0.0/0'), destination: cidrOf(POD_GATEWAY_V4, 1) },
        ].flatMap((one) => one ?? []),
      }),
      'route 0.0.0.0/0: expected via 169.254.1.1 dev eth0, found missing',
    ],
    [
      'a switch of the host',
      withSysctl('host net/ipv4/conf/cali1/proxy_arp', '0'),
      'sysctl net/ipv4/conf/cali1/proxy_arp on the host: expected 1, found 0',
    ],
    [
      'a switch that is not there',
      withSysctl('pod net/ipv6/conf/eth0/accept_dad', undefined),
      'sysctl net/ipv6/conf/eth0/accept_dad in the sandbox: expected 0, found missing',
    ],
    [
      'forwarding that the configuration asks for and the pod has not',
      withSysctl('pod net/ipv6/conf/all/forwarding', '0'),
      'sysctl net/ipv6/conf/all/forwarding in the sandbox: expected 1, found 0',
      planPod({ ...network, allowIpForwarding: true, addresses: network.addresses.slice(1) }),
    ],
  ])('%s', (_what, observed, expected, asked) => {
    expect(found(observed, NOT_TUNED, asked)).toEqual([expected]);
  });
});
