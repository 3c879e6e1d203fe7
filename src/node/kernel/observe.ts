/** What a host has, as last seen: only the parts that may have changed are read again. */

import type { InterfaceAddress } from '../../network/netlink/address.ts';
import { SCOPE_LINK } from '../../network/netlink/route.ts';
import type { NetlinkSocket } from '../../network/netlink/socket.ts';
import {
  type DesiredHost,
  type FdbEntry,
  type HostNeighbour,
  IPIP_DEVICE,
  VXLAN_DEVICES,
} from '../desired/desired-host.ts';
import type { HostFacts } from '../host-facts.ts';
import type { HostRoute } from '../host-route.ts';
import type { HostStep } from '../reconcile/host-step.ts';
import type { ObservedAddress, ObservedHost, ObservedLink } from '../reconcile/observed-host.ts';
import { sameValue } from '../same-value.ts';
import { afterSteps, recognised } from './after-steps.ts';
import { hasFelixFilter } from './felix-filter.ts';
import { ALL_PARTS, type HostPart } from './host-part.ts';
import { type RouteInterest, routeInterest } from './interest.ts';
import type { OurDevices } from './notice.ts';
import {
  readAddresses,
  readFdb,
  readLinks,
  readNeighbours,
  readRoutes,
  readSwitches,
  type SeenLink,
} from './read-parts.ts';
import { canMake, findOtherAgents, type OtherAgents } from './surroundings.ts';

/** Devices that are ours by their names, if they are of the right kind. */
export const OUR_DEVICES: readonly string[] = [VXLAN_DEVICES[4], VXLAN_DEVICES[6], IPIP_DEVICE];

const RP_FILTER = 'net/ipv4/conf/all/rp_filter';

export interface HostView {
  /** The same object as before while nothing of it has changed. */
  readonly facts: HostFacts;
  readonly observed: ObservedHost;
  /** Whether the routes were read for this look, those to pods as well. */
  readonly areRoutesNew: boolean;
}

export interface HostObserver {
  /** Reads what is outdated. Throws {@link KernelError} when the kernel refuses; then all of it stays outdated. */
  look(): HostView;
  /** Which interfaces are ours, as last seen, and which routes matter. */
  ours(): OurDevices;
  /** Whether the interface is there, as last seen. */
  hasLink(ifIndex: number): boolean;
  /** What is to be read at the next look. */
  outdate(parts: Iterable<HostPart>): void;
  /** Switches that shall be seen too. */
  include(sysctlKeys: readonly string[]): void;
  /** A switch that shall not be seen any more, whatever is asked for. */
  exclude(sysctlKey: string): void;
  /** The kernel has acknowledged these steps towards what is wanted: what they changed need not be read, where that is plain. */
  note(steps: readonly HostStep[], desired: DesiredHost): void;
}

interface Seen {
  readonly links: readonly SeenLink[];
  readonly addresses: readonly InterfaceAddress[];
  readonly neighbours: readonly HostNeighbour[];
  readonly fdb: readonly FdbEntry[];
  readonly routes: readonly HostRoute[];
  readonly switches: ReadonlyMap<string, string>;
  readonly modules: HostFacts['modules'];
  readonly others: OtherAgents & Pick<HostFacts, 'hasFelixFilter'>;
}

const NOTHING: Seen = {
  links: [],
  addresses: [],
  neighbours: [],
  fdb: [],
  routes: [],
  switches: new Map(),
  modules: { vxlan: false, ipip: false },
  others: { isFelixRunning: false, isBirdRunning: false },
};

/** `socket` must be in the calling thread's namespace, whose switches are read. */
export function createObserver(socket: NetlinkSocket): HostObserver {
  const outdated = new Set<HostPart>(ALL_PARTS);
  const keys = new Set<string>([RP_FILTER]);
  const excluded = new Set<string>();
  let seen = NOTHING;
  let facts: HostFacts | undefined;
  let wanted: readonly HostRoute[] = [];
  let pods: readonly HostRoute[] = [];
  let known: { readonly of: Seen; readonly interest: RouteInterest } | undefined;

  /** Worked out when somebody asks, for what has been seen by then. */
  function interest(): RouteInterest {
    if (known?.of !== seen)
      known = { of: seen, interest: routeInterest({ ...seen, wanted, pods, ourNames: OUR_DEVICES }) };
    return known.interest;
  }
  function look(): HostView {
    const areRoutesNew = outdated.has('routes');
    seen = readAgain(socket, seen, outdated, keys);
    outdated.clear();
    const now = hostFacts(seen);
    if (facts === undefined || !sameValue(facts, now)) facts = now;
    return { facts, observed: observedHost(seen), areRoutesNew };
  }
  return {
    look,
    ours: () => ({
      names: OUR_DEVICES,
      indexes: new Set(ourLinks(seen).map(({ ifIndex }) => ifIndex)),
      isOfInterest: (route) => interest().isOfInterest(route),
      isToPod: (route) => interest().isToPod(route),
      carriesAny: (ifIndex) => interest().carriesAny(ifIndex),
    }),
    hasLink: (ifIndex) => seen.links.some((link) => link.ifIndex === ifIndex),
    outdate: (parts) => {
      for (const part of parts) outdated.add(part);
    },
    include: (more) => {
      const added = more.filter((key) => !keys.has(key) && !excluded.has(key));
      if (added.length > 0) outdated.add('switches');
      for (const key of added) keys.add(key);
    },
    exclude: (key) => {
      excluded.add(key);
      keys.delete(key);
      outdated.add('switches');
    },
    note: (steps, desired) => {
      const { outdated: parts, ...after } = afterSteps(seen, steps);
      wanted = desired.routes;
      pods = desired.podRoutes;
      seen = { ...seen, ...recognised(after, desired) };
      for (const part of parts) outdated.add(part);
    },
  };
}

function readAgain(
  socket: NetlinkSocket,
  seen: Seen,
  parts: ReadonlySet<HostPart>,
  keys: ReadonlySet<string>,
): Seen {
  const links = parts.has('links') ? readLinks(socket) : seen.links;
  const ours = links.filter(({ name, kind }) => kind === 'vxlan' && OUR_DEVICES.includes(name));
  const read = <T>(part: HostPart, again: () => T, before: T) => (parts.has(part) ? again() : before);
  return {
    links,
    addresses: read('links', () => readAddresses(socket), seen.addresses),
    neighbours: read(
      'neighbours',
      () => ours.flatMap((link) => readNeighbours(socket, link)),
      seen.neighbours,
    ),
    fdb: read('fdb', () => ours.flatMap((link) => readFdb(socket, link)), seen.fdb),
    routes: read('routes', () => readRoutes(socket, namesOf(links)), seen.routes),
    switches: read('switches', () => readSwitches(keys), seen.switches),
    modules: read('surroundings', () => ({ vxlan: canMake('vxlan'), ipip: canMake('ipip') }), seen.modules),
    others: read(
      'surroundings',
      () => ({ ...findOtherAgents(), hasFelixFilter: hasFelixFilter() }),
      seen.others,
    ),
  };
}

/** An interface that came after the list was read has its number for a name: a notice of it is on its way. */
function namesOf(links: readonly SeenLink[]): (ifIndex: number) => string {
  const names = new Map(links.map(({ ifIndex, name }) => [ifIndex, name]));
  return (ifIndex) => names.get(ifIndex) ?? `#${ifIndex}`;
}

function hostFacts({ links, addresses, switches, modules, others }: Seen): HostFacts {
  return {
    links: links.map(({ name, ifIndex, mac, mtu, isRunning, kind }) => ({
      ...{ name, ifIndex, mac, mtu: mtu ?? 0, isUp: isRunning, kind },
    })),
    addresses: addresses.map(({ ifIndex, network }) => ({ ifIndex, network })),
    modules,
    rpFilter: Number(switches.get(RP_FILTER) ?? 0),
    ...others,
  };
}

function observedHost({ links, addresses, neighbours, fdb, routes, switches }: Seen): ObservedHost {
  const ours = ourLinks({ links });
  return {
    links: ours.map(observedLink),
    addresses: ours.flatMap((link) => addressesOf(link, addresses)),
    ...{ neighbours, fdb, routes, sysctls: switches },
  };
}

function ourLinks({ links }: Pick<Seen, 'links'>): readonly SeenLink[] {
  return links.filter(({ name }) => OUR_DEVICES.includes(name));
}

function observedLink(link: SeenLink): ObservedLink {
  const { name, ifIndex, kind, mac, mtu, isUp, vxlan, offloadsChecksums } = link;
  return { name, ifIndex, kind, mac, mtu: mtu ?? 0, isUp, vxlan, offloadsChecksums };
}

function addressesOf(
  { ifIndex, name }: SeenLink,
  addresses: readonly InterfaceAddress[],
): readonly ObservedAddress[] {
  return addresses
    .filter((address) => address.ifIndex === ifIndex)
    .map(({ network, scope }) => ({
      ...{ device: name, network, scope: scope === SCOPE_LINK ? 'link' : 'global' },
    }));
}
