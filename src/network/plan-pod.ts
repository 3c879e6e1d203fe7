/**
 * Decides how a pod's network is made: a list of kernel steps as data. Nothing is done here; the plan can be
 * printed (`format-plan.ts`), applied (`apply-plan.ts`) and compared with what is there (`difference.ts`). Pure.
 *
 * The pod's only neighbour is its gateway: 169.254.1.1, or for IPv6 the link-local address of the host end.
 * Neither needs to be asked for, since the host end's MAC is always ee:ee:ee:ee:ee:ee.
 */

import { type Cidr, hostCidr, type IpNetwork, sameCidr } from '../base/cidr.ts';
import { addressBits, type IpAddress, type IpFamily } from '../base/ip-address.ts';
import { HOST_SIDE_MAC, linkLocalOf, type MacAddress } from '../base/mac-address.ts';
import { type DeviceType, POD_GATEWAY_V4, type PodNetwork } from './pod-network.ts';

/** Which namespace a step happens in. */
export type Where = 'host' | 'pod';

/**
 * The pair of interfaces: one end is made where the step happens, the other is born in the other namespace. Of a
 * netkit pair the one on the host is made, since that makes it the primary one: only there may programs be attached.
 */
export interface CreatePair {
  readonly do: 'create-pair';
  readonly where: Where;
  readonly kind: DeviceType;
  readonly containerIfName: string;
  readonly containerMac: MacAddress;
  readonly hostIfName: string;
  readonly hostMac: MacAddress;
  readonly mtu: number | undefined;
  readonly queues: number;
}

export interface WriteSysctl {
  readonly do: 'write-sysctl';
  readonly where: Where;
  /** The interface it is about; `undefined` when it is about the whole namespace. */
  readonly ifName: string | undefined;
  /** Below /proc/sys, so with slashes: an interface name may contain dots. */
  readonly key: string;
  readonly value: '0' | '1';
  readonly onFailure: 'fail' | 'warn';
}

export interface SetUp {
  readonly do: 'set-up';
  readonly where: Where;
  readonly ifName: string;
}

export interface AddAddress {
  readonly do: 'add-address';
  readonly where: Where;
  readonly ifName: string;
  readonly network: IpNetwork;
  readonly scope: 'global' | 'link';
}

export interface AddNeighbour {
  readonly do: 'add-neighbour';
  readonly where: 'pod';
  readonly ifName: string;
  readonly address: IpAddress;
  readonly mac: MacAddress;
}

export interface AddRoute {
  readonly do: 'add-route';
  readonly where: Where;
  readonly ifName: string;
  readonly destination: Cidr;
  readonly gateway: IpAddress | undefined;
  readonly scope: 'global' | 'link';
}

/** Of another pair: a step of `plan-swap.ts` only. */
export interface DeleteLink {
  readonly do: 'delete-link';
  readonly where: 'host';
  readonly ifName: string;
  readonly ifIndex: number;
}

/** Also a step of `plan-swap.ts` only. */
export interface RenameLink {
  readonly do: 'rename-link';
  readonly where: 'host';
  readonly ifName: string;
  readonly to: string;
}

export type Step = WriteSysctl | SetUp | AddAddress | AddNeighbour | AddRoute | DeleteLink | RenameLink;

export interface PodPlan {
  /** Comes first; all that follows is gone once the pair is deleted. */
  readonly pair: CreatePair;
  readonly steps: readonly Step[];
}

/** The gateway of IPv6 pods, fe80::ecee:eeff:feee:eeee. */
export const POD_GATEWAY_V6: IpAddress = { family: 6, value: linkLocalOf(HOST_SIDE_MAC) };

/** The steps that make the network; neighbours in the list share one trip to the kernel where possible. */
export function planPod(network: PodNetwork): PodPlan {
  const families = familiesOf(network);
  return {
    pair: createPair(network),
    steps: [
      ...families.flatMap((family) => podSysctls(network, family)),
      ...families.flatMap((family) => hostSysctls(network, family)),
      hostSysctl(network, 'ipv6/conf/*/accept_ra', '0', 'warn'),
      { do: 'set-up', where: 'host', ifName: network.hostIfName },
      ...families.filter((family) => family === 6).map(() => hostLinkLocal(network)),
      { do: 'set-up', where: 'pod', ifName: network.containerIfName },
      ...families.flatMap((family) => podRoutes(network, family)),
      ...network.addresses.map((address) => podAddress(network, address)),
      ...(network.hostRoutes ? network.addresses.map((address) => hostRoute(network, address)) : []),
    ],
  };
}

/** The same pair, of the kind that every kernel has. */
export function asVethPair(pair: CreatePair): CreatePair {
  return { ...pair, where: 'pod', kind: 'veth' };
}

/** The gateway a pod reaches everything through. */
export function podGateway(family: IpFamily): IpAddress {
  return family === 4 ? POD_GATEWAY_V4 : POD_GATEWAY_V6;
}

function familiesOf(network: PodNetwork): readonly IpFamily[] {
  const has = (family: IpFamily) => network.addresses.some((address) => address.family === family);
  return ([4, 6] satisfies readonly IpFamily[]).filter(has);
}

function createPair(network: PodNetwork): CreatePair {
  const { deviceType, containerIfName, containerMac, hostIfName, mtu, queues } = network;
  return {
    do: 'create-pair',
    where: deviceType === 'netkit' ? 'host' : 'pod',
    kind: deviceType,
    containerIfName,
    containerMac,
    hostIfName,
    hostMac: HOST_SIDE_MAC,
    mtu,
    queues,
  };
}

/** Whole-namespace switches of the pod, and no wait for duplicate address detection. */
function podSysctls(network: PodNetwork, family: IpFamily): readonly WriteSysctl[] {
  const forwarding = network.allowIpForwarding ? '1' : '0';
  const ofNamespace = (key: string, value: '0' | '1') => podSysctl(undefined, key, value);
  if (family === 4) return [ofNamespace('net/ipv4/ip_forward', forwarding)];
  const { containerIfName } = network;
  return [
    podSysctl(containerIfName, `net/ipv6/conf/${containerIfName}/accept_dad`, '0'),
    ...['all', 'default', 'lo'].map((name) => ofNamespace(`net/ipv6/conf/${name}/disable_ipv6`, '0')),
    ofNamespace('net/ipv6/conf/all/forwarding', forwarding),
  ];
}

function podSysctl(ifName: string | undefined, key: string, value: '0' | '1'): WriteSysctl {
  return { do: 'write-sysctl', where: 'pod', ifName, key, value, onFailure: 'fail' };
}

/** The host end answers for every address and forwards; Felix keeps these values afterwards. */
function hostSysctls(network: PodNetwork, family: IpFamily): readonly WriteSysctl[] {
  if (family === 4) {
    return [
      hostSysctl(network, 'ipv4/conf/*/route_localnet', '1', 'fail'),
      hostSysctl(network, 'ipv4/neigh/*/proxy_delay', '0', 'warn'),
      hostSysctl(network, 'ipv4/conf/*/proxy_arp', '1', 'fail'),
      hostSysctl(network, 'ipv4/conf/*/forwarding', '1', 'fail'),
    ];
  }
  return [
    hostSysctl(network, 'ipv6/conf/*/accept_dad', '0', 'fail'),
    hostSysctl(network, 'ipv6/conf/*/disable_ipv6', '0', 'fail'),
    // The link-local address must be the one made from the MAC, also where the node prefers random ones.
    hostSysctl(network, 'ipv6/conf/*/addr_gen_mode', '0', 'warn'),
    hostSysctl(network, 'ipv6/conf/*/proxy_ndp', '1', 'fail'),
    hostSysctl(network, 'ipv6/conf/*/forwarding', '1', 'fail'),
  ];
}

/** `*` stands for the host end's name. */
function hostSysctl(
  network: PodNetwork,
  pattern: string,
  value: '0' | '1',
  onFailure: 'fail' | 'warn',
): WriteSysctl {
  const ifName = network.hostIfName;
  const key = `net/${pattern.replace('*', () => ifName)}`;
  return { do: 'write-sysctl', where: 'host', ifName, key, value, onFailure };
}

/** The kernel would make this address too, but only some time after both ends are up. */
function hostLinkLocal(network: PodNetwork): AddAddress {
  return {
    do: 'add-address',
    where: 'host',
    ifName: network.hostIfName,
    network: { address: POD_GATEWAY_V6, prefixLength: 64 },
    scope: 'link',
  };
}

/**
 * The gateway's permanent neighbour entry, then the way to it, then everything behind it. Proxy ARP alone
 * would leave pods mute on a host without a default route, since it answers only for what the host can route.
 */
function podRoutes(network: PodNetwork, family: IpFamily): readonly Step[] {
  const ifName = network.containerIfName;
  const gateway = podGateway(family);
  const onLink: AddRoute = {
    do: 'add-route',
    where: 'pod',
    ifName,
    destination: hostCidr(gateway),
    gateway: undefined,
    scope: 'link',
  };
  return [
    { do: 'add-neighbour', where: 'pod', ifName, address: gateway, mac: HOST_SIDE_MAC },
    // A link-local gateway is on the link by definition.
    ...(family === 4 ? [onLink] : []),
    ...distinct(network.routes)
      .filter((destination) => destination.family === family)
      .map((destination) => routeVia(ifName, destination, gateway)),
  ];
}

function routeVia(ifName: string, destination: Cidr, gateway: IpAddress): AddRoute {
  return { do: 'add-route', where: 'pod', ifName, destination, gateway, scope: 'global' };
}

function podAddress(network: PodNetwork, address: IpAddress): AddAddress {
  return {
    do: 'add-address',
    where: 'pod',
    ifName: network.containerIfName,
    network: { address, prefixLength: addressBits(address.family) },
    scope: 'global',
  };
}

function hostRoute(network: PodNetwork, address: IpAddress): AddRoute {
  return {
    do: 'add-route',
    where: 'host',
    ifName: network.hostIfName,
    destination: hostCidr(address),
    gateway: undefined,
    scope: 'link',
  };
}

function distinct(cidrs: readonly Cidr[]): readonly Cidr[] {
  return cidrs.filter((cidr, index) => cidrs.findIndex((other) => sameCidr(other, cidr)) === index);
}
