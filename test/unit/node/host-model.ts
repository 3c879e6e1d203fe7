/** A kernel in miniature: what becomes of a host by each step, with what the real one takes away beside it. */

import { sameAddress } from '../../../src/base/ip-address.ts';
import { routeKey } from '../../../src/node/host-route.ts';
import type { HostStep } from '../../../src/node/reconcile/host-step.ts';
import type { ObservedHost, ObservedLink } from '../../../src/node/reconcile/observed-host.ts';

export const EMPTY_HOST: ObservedHost = {
  links: [],
  addresses: [],
  neighbours: [],
  fdb: [],
  routes: [],
  sysctls: new Map(),
};

export function afterSteps(host: ObservedHost, steps: readonly HostStep[]): ObservedHost {
  return steps.reduce(afterStep, host);
}

/** Throws where the kernel would refuse. */
export function afterStep(host: ObservedHost, step: HostStep): ObservedHost {
  switch (step.do) {
    case 'write-sysctl':
      return { ...host, sysctls: new Map([...host.sysctls, [step.sysctl.key, step.sysctl.value]]) };
    case 'create-vxlan': {
      if (host.links.some(({ name }) => name === step.device.name)) throw new Error('EEXIST');
      const { name, mac, mtu, vni, port, local, parent } = step.device;
      const vxlan = {
        vni,
        port,
        local,
        parentIfIndex: parent.ifIndex,
        isLearning: false,
        hasForeignFlags: false,
      };
      const made = {
        name,
        ifIndex: 50 + host.links.length,
        kind: 'vxlan',
        mac,
        mtu,
        isUp: false,
        vxlan,
        offloadsChecksums: true,
      };
      return { ...host, links: [...host.links, made] };
    }
    case 'create-ipip': {
      const made = {
        name: step.device,
        kind: 'ipip',
        mac: undefined,
        mtu: 1480,
        isUp: false,
        vxlan: undefined,
      };
      return { ...host, links: [...host.links, { ...made, ifIndex: 70 }] };
    }
    case 'delete-link':
      return without(host, step.device);
    case 'set-mac':
      return {
        ...withLink(host, step.device, { mac: step.mac }),
        neighbours: host.neighbours.filter(({ device }) => device !== step.device),
      };
    case 'set-mtu':
      return withLink(host, step.device, { mtu: step.mtu });
    case 'stop-offload':
      return withLink(host, step.device, { offloadsChecksums: false });
    case 'set-up':
      return withLink(host, step.device, { isUp: true });
    default:
      return afterEntry(host, step);
  }
}

type EntryStep = Exclude<
  HostStep,
  {
    do:
      | 'write-sysctl'
      | 'create-vxlan'
      | 'create-ipip'
      | 'delete-link'
      | 'set-mac'
      | 'set-mtu'
      | 'set-up'
      | 'stop-offload';
  }
>;

function afterEntry(host: ObservedHost, step: EntryStep): ObservedHost {
  switch (step.do) {
    case 'add-address': {
      needLink(host, step.device);
      const { device, network } = step;
      return { ...host, addresses: [...host.addresses, { device, network, scope: 'global' }] };
    }
    case 'delete-address': {
      const addresses = host.addresses.filter(
        ({ device, network }) =>
          device !== step.device || !sameAddress(network.address, step.network.address),
      );
      if (addresses.length === host.addresses.length) throw new Error('EADDRNOTAVAIL');
      // With its last address an interface loses its routes.
      const isLast = !addresses.some(({ device }) => device === step.device);
      const routes = host.routes.filter(({ device }) => !isLast || device !== step.device);
      return { ...host, addresses, routes };
    }
    case 'replace-neighbour':
    case 'delete-neighbour': {
      needLink(host, step.neighbour.device);
      const { device, address } = step.neighbour;
      const others = host.neighbours.filter(
        (other) => other.device !== device || !sameAddress(other.address, address),
      );
      if (step.do === 'replace-neighbour') return { ...host, neighbours: [...others, step.neighbour] };
      if (others.length === host.neighbours.length) throw new Error('ENOENT');
      return { ...host, neighbours: others };
    }
    case 'replace-fdb':
    case 'delete-fdb': {
      needLink(host, step.entry.device);
      const { device, mac } = step.entry;
      const others = host.fdb.filter((other) => other.device !== device || other.mac !== mac);
      if (step.do === 'replace-fdb') return { ...host, fdb: [...others, step.entry] };
      if (others.length === host.fdb.length) throw new Error('ENOENT');
      return { ...host, fdb: others };
    }
    case 'replace-route': {
      if (step.route.device !== undefined && /calico$|^tunl0$/.test(step.route.device))
        if (!needLink(host, step.route.device).isUp) throw new Error('ENETDOWN');
      const others = host.routes.filter((other) => routeKey(other) !== routeKey(step.route));
      return { ...host, routes: [...others, step.route] };
    }
    case 'delete-route': {
      const { route } = step;
      const routes = host.routes.filter(
        (other) => routeKey(other) !== routeKey(route) || other.protocol !== route.protocol,
      );
      if (routes.length === host.routes.length) throw new Error('ESRCH');
      return { ...host, routes };
    }
  }
}

function needLink(host: ObservedHost, name: string): ObservedLink {
  const found = host.links.find((link) => link.name === name);
  if (found === undefined) throw new Error(`ENODEV ${name}`);
  return found;
}

function withLink(host: ObservedHost, name: string, change: Partial<ObservedLink>): ObservedHost {
  needLink(host, name);
  return { ...host, links: host.links.map((link) => (link.name === name ? { ...link, ...change } : link)) };
}

function without(host: ObservedHost, name: string): ObservedHost {
  needLink(host, name);
  return {
    ...host,
    links: host.links.filter((link) => link.name !== name),
    addresses: host.addresses.filter(({ device }) => device !== name),
    neighbours: host.neighbours.filter(({ device }) => device !== name),
    fdb: host.fdb.filter(({ device }) => device !== name),
    routes: host.routes.filter(({ device }) => device !== name),
  };
}

/** Routes through VXLAN whose gateway has no MAC, or whose MAC has no host: packets on them are lost. */
export function brokenRoutes(host: ObservedHost): readonly string[] {
  return host.routes
    .filter(({ device, gateway }) => device?.startsWith('vxlan') && gateway !== undefined)
    .filter(({ device, gateway }) => {
      const mac = host.neighbours.find(
        (other) => other.device === device && gateway !== undefined && sameAddress(other.address, gateway),
      )?.mac;
      return !host.fdb.some((entry) => entry.device === device && entry.mac === mac);
    })
    .map(routeKey);
}
