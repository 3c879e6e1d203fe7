/** The routes that one block asks for, each with its rank among those to one destination. Pure. */

import { type Cidr, containsAddress, formatCidr, hostCidr } from '../../base/cidr.ts';
import { addressBits, type IpAddress, type IpFamily } from '../../base/ip-address.ts';
import type { BorrowedAddress, ClusterBlock, ClusterPool } from '../cluster.ts';
import type { HostLink } from '../host-facts.ts';
import { DEFAULT_METRIC, type HostRoute, MAIN_TABLE, ROUTE_PROTOCOL } from '../host-route.ts';
import type { Peer } from './peers.ts';
import { modeOf, type PoolMode } from './pools.ts';
import type { ProblemKind } from './problems.ts';
import { ROUTE_PROBLEMS } from './route-problems.ts';

/** All that routes of one family depend on. */
export interface RouteWorld {
  readonly family: IpFamily;
  readonly nodeName: string;
  readonly peers: ReadonlyMap<string, Peer>;
  readonly parent: HostLink | undefined;
  readonly vxlan: RouteDevice | undefined;
  readonly ipip: RouteDevice | undefined;
  /** Whether routes of these pools are ours to make, rather than BIRD's. */
  readonly owns: Readonly<Record<PoolMode['encapsulation'], boolean>>;
  readonly source: IpAddress | undefined;
  readonly poolOf: (cidr: Cidr) => ClusterPool | undefined;
  /** Whether the CIDR holds the address of a node itself. */
  readonly holdsHost: (cidr: Cidr) => boolean;
}

export interface RouteDevice {
  readonly name: string;
  readonly mtu: number;
}

/** Of the routes to one destination that one is made whose rank is lowest. */
export interface RankedRoute {
  readonly route: HostRoute;
  readonly rank: number;
}

/** Why a route is not made, and of whom or what that is to be said. */
export interface MissingRoute {
  readonly problem: ProblemKind;
  readonly name: string;
}

/** `undefined`: none is needed, or what it needs is missing altogether, which is said once elsewhere. */
type Outcome = RankedRoute | MissingRoute | undefined;

/** The far end of a tunnel goes first, a borrowed address before its block, then what is direct before what is tunnelled. */
const RANK = {
  tunnelEnd: -1,
  borrowed: 0,
  block: 10,
  vxlanSameSubnet: 1,
  vxlan: 2,
  ipipSameSubnet: 3,
  ipip: 4,
  none: 5,
  blackhole: 6,
} as const;

/** To the block at its owner, to each address that another node has borrowed, and to the ends of tunnels on the way. */
export function blockRoutes(block: ClusterBlock, world: RouteWorld): readonly (RankedRoute | MissingRoute)[] {
  const { owner, cidr } = block;
  const outcomes = [
    ...block.borrowed.map((borrowed) => borrowedRoute(borrowed, block.isVirtual, world)),
    owner === undefined ? undefined : routeTo(cidr, owner, RANK.block, world),
  ];
  return outcomes.flatMap((outcome) =>
    outcome === undefined ? [] : [outcome, ...tunnelEnd(outcome, world)],
  );
}

/**
 * IPv6 refuses a gateway to which a route leads through another device, even onlink. The end of a tunnel is in a block of
 * its node, which may be reached directly at that moment, so it has a route of its own.
 */
function tunnelEnd(
  outcome: RankedRoute | MissingRoute,
  { family, vxlan }: RouteWorld,
): readonly RankedRoute[] {
  if (family === 4 || 'problem' in outcome) return [];
  const { gateway, device } = outcome.route;
  if (gateway === undefined || device === undefined || device !== vxlan?.name) return [];
  const route = { ...outcome.route, destination: hostCidr(gateway), gateway: undefined, isOnLink: false };
  return [{ rank: RANK.tunnelEnd, route }];
}

function borrowedRoute(
  { address, nodeName }: BorrowedAddress,
  isVirtual: boolean,
  world: RouteWorld,
): Outcome {
  if (nodeName === world.nodeName || (isVirtual && nodeName === undefined)) return undefined;
  const destination = hostCidr(address);
  if (nodeName !== undefined) return routeTo(destination, nodeName, RANK.borrowed, world);
  return { problem: ROUTE_PROBLEMS[world.family].noNode, name: formatCidr(destination) };
}

function routeTo(destination: Cidr, nodeName: string, rank: number, world: RouteWorld): Outcome {
  const problems = ROUTE_PROBLEMS[world.family];
  const pool = world.poolOf(destination);
  if (pool === undefined) return { problem: problems.outsidePools, name: formatCidr(destination) };
  const mode = modeOf(pool);
  if (mode === undefined || !world.owns[mode.encapsulation]) return undefined;
  if (world.holdsHost(destination))
    return { problem: problems.hostAddressInside, name: formatCidr(destination) };
  const outcome =
    nodeName === world.nodeName
      ? blackhole(destination, world.family)
      : remoteRoute(destination, nodeName, mode, world);
  return outcome === undefined || 'problem' in outcome ? outcome : { ...outcome, rank: outcome.rank + rank };
}

/** What is not a pod's yet, or any more, shall not leave the node by the default route. */
function blackhole(destination: Cidr, family: IpFamily): RankedRoute | undefined {
  if (destination.prefixLength === addressBits(family)) return undefined;
  return { rank: RANK.blackhole, route: { ...blankRoute(destination), type: 'blackhole' } };
}

function remoteRoute(destination: Cidr, nodeName: string, mode: PoolMode, world: RouteWorld): Outcome {
  const peer = world.peers.get(nodeName);
  if (peer === undefined) return { problem: ROUTE_PROBLEMS[world.family].unknownPeer, name: nodeName };
  if (mode.encapsulation === 'none') return unencapsulated(destination, peer, world);
  if (mode.isCrossSubnet && peer.isSameSubnet) {
    const rank = mode.encapsulation === 'vxlan' ? RANK.vxlanSameSubnet : RANK.ipipSameSubnet;
    return direct(destination, peer, rank, world);
  }
  return mode.encapsulation === 'vxlan'
    ? throughVxlan(destination, peer, world)
    : throughIpip(destination, peer, world);
}

/** A route to somebody behind a router would be a lie: the router does not know where the pods are. */
function unencapsulated(destination: Cidr, peer: Peer, world: RouteWorld): Outcome {
  if (peer.hostAddress === undefined || peer.isOnLink || world.parent === undefined)
    return direct(destination, peer, RANK.none, world);
  return { problem: ROUTE_PROBLEMS[world.family].notOnLink, name: peer.name };
}

function direct(destination: Cidr, peer: Peer, rank: number, world: RouteWorld): Outcome {
  const gateway = peer.hostAddress;
  if (gateway === undefined) return unknownHost(peer, world);
  if (world.parent === undefined) return undefined;
  const way = { device: world.parent.name, gateway, isOnLink: true, source: world.source };
  return { rank, route: { ...blankRoute(destination), ...way } };
}

/** Where the gateway is itself the destination, which happens to tunnel addresses alone in their block, it needs none. */
function throughVxlan(destination: Cidr, peer: Peer, world: RouteWorld): Outcome {
  if (peer.vtep === undefined)
    return { problem: ROUTE_PROBLEMS[world.family].incompleteVtep, name: peer.name };
  if (world.vxlan === undefined) return undefined;
  const { name: device, mtu } = world.vxlan;
  const isItself =
    destination.prefixLength === addressBits(world.family) && containsAddress(destination, peer.vtep.address);
  const way = isItself
    ? {
        gateway: undefined,
        isOnLink: false,
        scope: world.family === 4 ? ('link' as const) : ('global' as const),
      }
    : { gateway: peer.vtep.address, isOnLink: true };
  return {
    rank: RANK.vxlan,
    route: { ...blankRoute(destination), device, mtu, source: world.source, ...way },
  };
}

function throughIpip(destination: Cidr, peer: Peer, world: RouteWorld): Outcome {
  const gateway = peer.hostAddress;
  if (gateway === undefined) return unknownHost(peer, world);
  if (world.ipip === undefined) return undefined;
  const { name: device, mtu } = world.ipip;
  const way = { device, mtu, gateway, isOnLink: true, source: world.source };
  return { rank: RANK.ipip, route: { ...blankRoute(destination), ...way } };
}

function unknownHost(peer: Peer, { family }: RouteWorld): MissingRoute {
  return { problem: ROUTE_PROBLEMS[family].unknownHostAddress, name: peer.name };
}

/** A route of ours that leads nowhere yet. */
export function blankRoute(destination: Cidr): HostRoute {
  return {
    destination,
    table: MAIN_TABLE,
    metric: DEFAULT_METRIC[destination.family],
    protocol: ROUTE_PROTOCOL,
    type: 'unicast',
    device: undefined,
    gateway: undefined,
    isOnLink: false,
    scope: 'global',
    mtu: undefined,
    source: undefined,
  };
}
