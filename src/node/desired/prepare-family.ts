/**
 * One family of the desired host as far as nodes, pools, settings and the host decide it; the other does not matter to
 * it. Blocks come and go much more often, and are looked at in {@link RouteWorld} one by one. Pure.
 */

import type { Cidr } from '../../base/cidr.ts';
import type { IpFamily } from '../../base/ip-address.ts';
import type { ClusterPool, ClusterState } from '../cluster.ts';
import type { FelixSettings } from '../felix-settings.ts';
import type { Finding } from '../finding.ts';
import type { HostFacts } from '../host-facts.ts';
import { programs } from './bird-findings.ts';
import type { RouteDevice, RouteWorld } from './block-routes.ts';
import {
  type DeviceWish,
  type FdbEntry,
  type HostNat,
  type HostNeighbour,
  VXLAN_DEVICES,
  type VxlanDevice,
} from './desired-host.ts';
import { decideVxlan } from './devices.ts';
import { maskFindings } from './mask-findings.ts';
import type { Mtus } from './mtu.ts';
import { desiredNat } from './nat.ts';
import { ownHost, ownHostFindings } from './own-host.ts';
import { type Peer, peersOf } from './peers.ts';
import { routedPools } from './pools.ts';
import { noClaims, type RouteClaims } from './route-claims.ts';

/** What both families share. */
export interface HostWorld {
  readonly cluster: ClusterState;
  readonly facts: HostFacts;
  readonly settings: FelixSettings;
  readonly mtus: Mtus;
  readonly ipip: RouteDevice | undefined;
  readonly poolOf: (cidr: Cidr) => ClusterPool | undefined;
  readonly holdsHost: (cidr: Cidr) => boolean;
}

export interface PreparedFamily {
  readonly vxlan: DeviceWish<VxlanDevice>;
  readonly neighbours: readonly HostNeighbour[];
  readonly fdb: readonly FdbEntry[];
  readonly nat: HostNat;
  readonly findings: readonly Finding[];
  readonly routes: RouteWorld;
  /** In the world of `routes`; followed when blocks change. */
  readonly claims: RouteClaims;
}

export function prepareFamily(world: HostWorld, family: IpFamily): PreparedFamily {
  const { cluster, facts, settings, mtus } = world;
  const pools = routedPools(cluster.pools.values(), family);
  const own = ownHost(cluster, facts, family);
  const peers = peersOf(cluster, family, own.onLink);
  const vxlan = decideVxlan(own, pools, settings, facts, mtus);
  const devices = [
    ...(vxlan.wish.want === 'absent' ? [] : [{ name: VXLAN_DEVICES[family], isVxlan: true }]),
    ...(family === 6 || world.ipip === undefined ? [] : [{ name: world.ipip.name, isVxlan: false }]),
  ];
  return {
    vxlan: vxlan.wish,
    ...layer2(vxlan.use, peers.byName.values()),
    nat: desiredNat(cluster, family, pools, settings, devices),
    findings: [
      ...peers.findings,
      ...(pools.length > 0 ? ownHostFindings(own) : []),
      ...vxlan.findings,
      ...maskFindings(own, peers.byName.values(), pools, facts),
    ],
    routes: {
      family,
      nodeName: cluster.nodeName,
      peers: peers.byName,
      parent: own.parent,
      vxlan: vxlan.use,
      ipip: world.ipip,
      owns: ownership(settings, facts),
      source: settings.routeSource[family],
      poolOf: world.poolOf,
      holdsHost: world.holdsHost,
    },
    claims: noClaims(),
  };
}

/** Where BIRD runs, the configuration says who makes which routes; where it does not, nobody else would. */
function ownership({ programClusterRoutes: program }: FelixSettings, facts: HostFacts): RouteWorld['owns'] {
  return {
    vxlan: true,
    ipip: !facts.isBirdRunning || programs(program, 'EnabledIPIPOnly'),
    none: !facts.isBirdRunning || programs(program, 'EnabledNoEncapOnly'),
  };
}

/** For every node that has a tunnel end, also those that CrossSubnet reaches without: it may change any time. */
function layer2(
  device: RouteDevice | undefined,
  peers: Iterable<Peer>,
): Pick<PreparedFamily, 'neighbours' | 'fdb'> {
  if (device === undefined) return { neighbours: [], fdb: [] };
  const vteps = Array.from(peers, ({ vtep }) => vtep).filter((vtep) => vtep !== undefined);
  return {
    neighbours: vteps.map(({ address, mac }) => ({ device: device.name, address, mac })),
    fdb: vteps.map(({ mac, remote }) => ({ device: device.name, mac, remote })),
  };
}
