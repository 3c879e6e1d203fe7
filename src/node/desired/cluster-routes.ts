/** All routes of one family to pods of other nodes, and the blackholes of our own blocks. Pure. */

import { addressCount, type Cidr, hostCidr } from '../../base/cidr.ts';
import type { IpAddress, IpFamily } from '../../base/ip-address.ts';
import type { ClusterState } from '../cluster.ts';
import type { Finding } from '../finding.ts';
import type { HostFacts } from '../host-facts.ts';
import { type HostRoute, PLUGIN_PROTOCOL, routeKey } from '../host-route.ts';
import { blankRoute, type RouteWorld } from './block-routes.ts';
import { hostAddressOf } from './peers.ts';
import { collectProblems } from './problems.ts';
import { type BlockDifference, followBlocks, type RouteClaims } from './route-claims.ts';

/** The best of each destination, but none to an address of a pod that is here. The claims are followed. */
export function clusterRoutes(
  difference: BlockDifference,
  world: RouteWorld,
  claims: RouteClaims,
  local: ReadonlySet<string>,
): { readonly routes: readonly HostRoute[]; readonly findings: readonly Finding[] } {
  followBlocks(claims, difference, world);
  const { best, missing } = claims;
  const problems = collectProblems();
  for (const routes of missing.values()) for (const { problem, name } of routes) problems.add(problem, name);
  const isHere = best.size > 0 && local.size > 0;
  const routes = isHere
    ? Array.from(best)
        .filter(([key]) => !local.has(key))
        .map(([, route]) => route)
    : [...best.values()];
  return { routes, findings: problems.findings() };
}

/** To the pods of this node whose interface is there, as the CNI plugin makes them. */
export function podRoutes(cluster: ClusterState, facts: HostFacts): readonly HostRoute[] {
  const names = new Set(facts.links.map(({ name }) => name));
  const routes = new Map<string, HostRoute>();
  for (const { interfaceName, addresses } of inKeyOrder(cluster)) {
    if (!names.has(interfaceName)) continue;
    for (const address of addresses) {
      const route = podRoute(address, interfaceName);
      if (!routes.has(routeKey(route))) routes.set(routeKey(route), route);
    }
  }
  return [...routes.values()];
}

function inKeyOrder({ endpoints }: ClusterState) {
  return Array.from(endpoints)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, endpoint]) => endpoint);
}

function podRoute(address: IpAddress, device: string): HostRoute {
  const scope = address.family === 4 ? 'link' : 'global';
  return { ...blankRoute(hostCidr(address)), device, scope, protocol: PLUGIN_PROTOCOL };
}

/** Keys of the routes that are the business of a pod here: those with an interface, and those of borrowed addresses. */
export function localKeys(cluster: ClusterState, pods: readonly HostRoute[]): ReadonlySet<string> {
  const keys = new Set(pods.map(routeKey));
  for (const { borrowed } of cluster.blocks.values())
    for (const { address, nodeName } of borrowed)
      if (nodeName === cluster.nodeName) keys.add(routeKey(blankRoute(hostCidr(address))));
  return keys;
}

/** Tells whether a CIDR holds the address of a node itself. */
export function hostFinder(cluster: ClusterState): (cidr: Cidr) => boolean {
  const sorted = { 4: sortedHosts(cluster, 4), 6: sortedHosts(cluster, 6) };
  return (cidr) => {
    const values = sorted[cidr.family];
    const first = values[firstNotBelow(values, cidr.base)];
    return first !== undefined && first < cidr.base + addressCount(cidr);
  };
}

function sortedHosts(cluster: ClusterState, family: IpFamily): readonly bigint[] {
  return Array.from(cluster.nodes.values(), (node) => hostAddressOf(node.families[family])?.value)
    .filter((value) => value !== undefined)
    .toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Index of the first value that is not below the bound. */
function firstNotBelow(sorted: ArrayLike<bigint>, bound: bigint): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? 0n) < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
