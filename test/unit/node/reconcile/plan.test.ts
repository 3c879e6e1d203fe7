import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCidr, tryParseIpNetwork } from '../../../../src/base/cidr.ts';
import { parseIpAddress } from '../../../../src/base/ip-address.ts';
import { parseMacAddress } from '../../../../src/base/mac-address.ts';
import { applyChanges } from '../../../../src/node/apply-changes.ts';
import { blankRoute } from '../../../../src/node/desired/block-routes.ts';
import { desiredHost } from '../../../../src/node/desired/desire.ts';
import type { DesiredHost } from '../../../../src/node/desired/desired-host.ts';
import {
  FELIX_PROTOCOL,
  type HostRoute,
  KERNEL_PROTOCOL,
  routeKey,
} from '../../../../src/node/host-route.ts';
import { recognised } from '../../../../src/node/kernel/after-steps.ts';
import { formatHostStep } from '../../../../src/node/reconcile/format-step.ts';
import type { ObservedHost } from '../../../../src/node/reconcile/observed-host.ts';
import { planChanges } from '../../../../src/node/reconcile/plan.ts';
import {
  optionsBeside,
  type PlanOptions,
  USUAL_OPTIONS,
} from '../../../../src/node/reconcile/plan-options.ts';
import { anyCluster } from '../cluster-arbitraries.ts';
import { afterStep, afterSteps, brokenRoutes, EMPTY_HOST } from '../host-model.ts';
import { blockRecord, clusterOf, deleted, endpointRecord, nodeRecord } from '../records.ts';
import { BLOCKS, factsOf, factsWith, link, NODES, vxlanPool } from '../three-hosts.ts';

const SETTLED: PlanOptions = { ...USUAL_OPTIONS, isDoubtSettled: true };
const facts = factsOf('node1', {
  links: [link('lo', 1), link('eth0', 2), link('cali1', 7), link('cali2', 8)],
});

function plan(desired: DesiredHost, observed: ObservedHost, options = SETTLED): readonly string[] {
  return planChanges(desired, observed, options).steps.map(formatHostStep);
}

function converged(desired: DesiredHost, from: ObservedHost = EMPTY_HOST): ObservedHost {
  return afterSteps(from, planChanges(desired, from, SETTLED).steps);
}

const always = clusterOf('node1', ...NODES, ...BLOCKS, vxlanPool('Always'));
const desired = desiredHost(always, facts);
const done = converged(desired);

const route = (destination: string, extras: Partial<HostRoute>): HostRoute => ({
  ...blankRoute(parseCidr(destination)),
  ...extras,
});

describe('planChanges()', () => {
  it('changes nothing once it has changed everything, from any state to any other', () => {
    fc.assert(
      fc.property(anyCluster(), anyCluster(), (before, after) => {
        const there = converged(desiredHost(before, facts));
        expect(planChanges(desiredHost(before, facts), there, SETTLED).steps).toEqual([]);
        const next = converged(desiredHost(after, facts), there);
        expect(planChanges(desiredHost(after, facts), next, SETTLED).steps).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it('plans the same for values that it knows and for equal ones that were read anew', () => {
    fc.assert(
      fc.property(anyCluster(), anyCluster(), fc.boolean(), (before, after, isAppended) => {
        const made = converged(desiredHost(before, facts));
        const twin = made.routes.slice(0, isAppended ? 1 : 0).map((one) => ({ ...one, mtu: 1300 }));
        const there = { ...made, routes: [...made.routes, ...twin] };
        const wish = desiredHost(after, facts);
        const known = { ...there, ...recognised(there, wish) };
        expect(known).toEqual(there);
        expect(plan(wish, known)).toEqual(plan(wish, copied(there)));
      }),
      { numRuns: 200 },
    );
  });

  it('has at no point a route to a gateway without its entries', () => {
    fc.assert(
      fc.property(anyCluster(), anyCluster(), (before, after) => {
        let host = EMPTY_HOST;
        for (const cluster of [before, after])
          for (const step of planChanges(desiredHost(cluster, facts), host, SETTLED).steps) {
            host = afterStep(host, step);
            expect(brokenRoutes(host)).toEqual([]);
          }
      }),
      { numRuns: 200 },
    );
  });

  it('ends where it would have come from nothing', () => {
    const state = ({ neighbours, fdb, routes, addresses }: ObservedHost) =>
      [
        neighbours,
        fdb,
        routes.filter(({ device }) => device !== 'tunl0'),
        addresses.filter(({ device }) => device !== 'tunl0'),
      ].map((entries) =>
        entries
          .map((entry) => JSON.stringify(entry, (_k, v) => (typeof v === 'bigint' ? `${v}` : v)))
          .toSorted(),
      );
    fc.assert(
      fc.property(anyCluster(), anyCluster(), (before, after) => {
        const wanted = desiredHost(after, facts);
        expect(state(converged(wanted, converged(desiredHost(before, facts))))).toEqual(
          state(converged(wanted)),
        );
      }),
      { numRuns: 150 },
    );
  });

  it('never touches routes of others', () => {
    const foreign = fc
      .tuple(
        fc.constantFrom('10.77.0.0/28', '10.77.1.1/32', '10.50.0.0/24', '0.0.0.0/0', '10.77.0.3/32'),
        fc.constantFrom(3, 4, 12, 80, KERNEL_PROTOCOL),
        fc.constantFrom(0, 32),
        fc.constantFrom('eth0', 'cali1', undefined),
      )
      .map(([destination, protocol, metric, device]) =>
        route(destination, {
          protocol,
          metric,
          device,
          type: device === undefined ? 'blackhole' : 'unicast',
        }),
      );
    const foreigns = fc.uniqueArray(foreign, { selector: routeKey, maxLength: 6 });
    fc.assert(
      fc.property(anyCluster(), anyCluster(), foreigns, (before, after, routes) => {
        const start = { ...EMPTY_HOST, routes };
        const first = converged(desiredHost(before, facts), start);
        const end = converged(desiredHost(after, facts), first);
        const untouched = routes.filter(({ protocol }) => protocol !== FELIX_PROTOCOL);
        expect(end.routes).toEqual(expect.arrayContaining(untouched));
        const wanted = new Set(
          [before, after].flatMap((cluster) => desiredHost(cluster, facts).routes.map(routeKey)),
        );
        const felix = routes.filter(
          (other) => other.protocol === FELIX_PROTOCOL && !wanted.has(routeKey(other)),
        );
        expect(end.routes).toEqual(expect.arrayContaining(felix));
      }),
      { numRuns: 200 },
    );
  });

  it('tells of a route in the place of ours', () => {
    const theirs = route('10.77.101.80/28', {
      protocol: 12,
      device: 'eth0',
      gateway: parseIpAddress('10.50.0.12'),
    });
    const { steps, findings } = planChanges(desired, { ...EMPTY_HOST, routes: [theirs] });
    expect(steps.map(formatHostStep).join('\n')).not.toContain('route replace 10.77.101.80/28');
    expect(findings).toMatchObject([{ kind: 'foreign-route', subject: '10.77.101.80/28' }]);
  });
});

describe('planChanges() repairs', () => {
  it.each<[string, ObservedHost, readonly string[]]>([
    [
      'a route',
      { ...done, routes: done.routes.slice(1) },
      ['ip route replace blackhole 10.77.180.112/28 proto 202'],
    ],
    [
      'a neighbour',
      { ...done, neighbours: done.neighbours.slice(1) },
      ['ip neigh replace 10.77.101.80 lladdr 66:2d:bf:44:a6:8b dev vxlan.calico nud permanent'],
    ],
    [
      'an FDB entry',
      { ...done, fdb: done.fdb.slice(1) },
      ['bridge fdb replace 66:2d:bf:44:a6:8b dev vxlan.calico dst 10.50.0.12 self permanent'],
    ],
    ['an address', { ...done, addresses: [] }, ['ip addr add 10.77.180.112/32 dev vxlan.calico']],
    [
      'a switch',
      { ...done, sysctls: new Map([['net/ipv4/ip_forward', '0']]) },
      ['sysctl -w net/ipv4/ip_forward=1'],
    ],
    [
      'an MTU',
      { ...done, links: done.links.map((found) => ({ ...found, mtu: 1500 })) },
      ['ip link set vxlan.calico mtu 1450'],
    ],
  ])('%s with one step', (_what, observed, expected) => {
    expect(plan(desired, observed)).toEqual(expected);
  });

  it('a device that leaves checksums to those below', () => {
    const made = plan(desired, EMPTY_HOST);
    expect(made.indexOf('ethtool -K vxlan.calico tx off')).toBeGreaterThan(0);
    expect(made.indexOf('ethtool -K vxlan.calico tx off')).toBeLessThan(
      made.indexOf('ip link set vxlan.calico up'),
    );
    const links = done.links.map((one) => ({ ...one, offloadsChecksums: true }));
    expect(plan(desired, { ...done, links })).toEqual(['ethtool -K vxlan.calico tx off']);
  });

  it('a device that is gone with everything on it', () => {
    const bare = {
      ...EMPTY_HOST,
      routes: done.routes.filter(({ type }) => type === 'blackhole'),
      sysctls: done.sysctls,
    };
    expect(plan(desired, bare)).toHaveLength(4 + 2 + 2 + 2);
  });

  it.each([
    ['which are seen to be gone', [], done.routes.filter(({ device }) => device === undefined)],
    ['which were seen before they went', done.neighbours, done.routes],
  ])('a device that is down, with neighbours and routes %s', (_what, neighbours, routes) => {
    const links = done.links.map((found) => ({ ...found, isUp: false }));
    const down = { ...done, links, neighbours, routes };
    expect(plan(desired, down).map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      'ip link set',
      ...Array(2).fill('ip neigh replace'),
      ...Array(2).fill('ip route replace'),
    ]);
  });

  it('a MAC, with the neighbours that go with the old one', () => {
    const mac = parseMacAddress('02:00:00:00:00:07');
    const other = { ...done, links: done.links.map((found) => ({ ...found, mac })) };
    expect(plan(desired, other).map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      'ip link set',
      ...Array(2).fill('ip neigh replace'),
    ]);
    expect(converged(desired, other)).toMatchObject({ links: done.links, routes: done.routes });
  });

  it.each([
    ['network identifier', { vni: 7 }],
    ['port', { port: 8472 }],
    ['local address', { local: parseIpAddress('10.50.0.99') }],
    ['parent', { parentIfIndex: 9 }],
    ['learning', { isLearning: true }],
    ['flags', { hasForeignFlags: true }],
  ])('a device of another %s by making it anew', (_what, change) => {
    const links = done.links.map((found) => ({
      ...found,
      vxlan: found.vxlan === undefined ? undefined : { ...found.vxlan, ...change },
    }));
    const lines = plan(desired, { ...done, links });
    expect(lines.slice(0, 2)).toEqual([
      'ip link del vxlan.calico',
      expect.stringContaining('ip link add vxlan.calico'),
    ]);
    expect(plan(desired, converged(desired, { ...done, links }))).toEqual([]);
  });

  it('what somebody put on our device, but not what the kernel puts there', () => {
    const device = 'vxlan.calico';
    const injected = {
      ...done,
      addresses: [
        ...done.addresses,
        { device, network: network('10.1.1.1/32'), scope: 'global' as const },
        { device, network: network('fe80::1/64'), scope: 'link' as const },
      ],
      routes: [
        ...done.routes,
        route('10.1.0.0/16', { device, protocol: 4 }),
        route('fe80::/64', { device, protocol: KERNEL_PROTOCOL, metric: 256 }),
        route('10.2.0.0/16', { device: 'eth0' }),
      ],
      fdb: [
        ...done.fdb,
        { device, mac: parseMacAddress('00:00:00:00:00:00'), remote: parseIpAddress('10.9.9.9') },
      ],
      neighbours: [
        ...done.neighbours,
        { device, address: parseIpAddress('10.1.0.1'), mac: parseMacAddress('00:00:00:00:00:01') },
      ],
    };
    expect(plan(desired, injected)).toEqual([
      'ip route del 10.1.0.0/16 dev vxlan.calico proto 4',
      'ip route del 10.2.0.0/16 dev eth0 proto 202',
      'ip neigh del 10.1.0.1 dev vxlan.calico',
      'bridge fdb del 00:00:00:00:00:00 dev vxlan.calico dst 10.9.9.9 self',
      'ip addr del 10.1.1.1/32 dev vxlan.calico',
    ]);
  });
});

describe('planChanges() in order', () => {
  it('adds a peer from the bottom, and takes it away from the top', () => {
    const [, , third] = NODES;
    const without = desiredHost(applyChanges(always, third === undefined ? [] : [deleted(third)]), facts);
    const adding = plan(desired, converged(without));
    expect(adding.map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      'bridge fdb replace',
      'ip neigh replace',
      'ip route replace',
    ]);
    expect(plan(without, done).map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
      'ip route del',
      'ip neigh del',
      'bridge fdb del',
    ]);
  });

  it('moves a peer to another tunnel address without a gap', () => {
    const moved = nodeRecord('node3', '10.60.0.13/24', { ipv4VXLANTunnelAddr: '10.77.161.195' });
    expect(plan(desiredHost(applyChanges(always, [moved]), facts), done)).toEqual([
      'ip neigh replace 10.77.161.195 lladdr 66:a4:6f:e0:c4:da dev vxlan.calico nud permanent',
      'ip route replace 10.77.161.192/28 via 10.77.161.195 dev vxlan.calico proto 202 onlink mtu 1450',
      'ip neigh del 10.77.161.192 dev vxlan.calico',
    ]);
  });

  it('moves a peer to another host with one replacement', () => {
    const moved = nodeRecord('node3', '10.60.0.14/24', { ipv4VXLANTunnelAddr: '10.77.161.192' });
    expect(plan(desiredHost(applyChanges(always, [moved]), facts), done)).toEqual([
      'bridge fdb replace 66:a4:6f:e0:c4:da dev vxlan.calico dst 10.60.0.14 self permanent',
    ]);
  });

  it('switches the mode by replacing routes, and takes the device away last', () => {
    const cross = desiredHost(applyChanges(always, [vxlanPool('CrossSubnet')]), facts);
    expect(plan(cross, done)).toEqual([
      'ip route replace 10.77.101.80/28 via 10.50.0.12 dev eth0 proto 202 onlink',
    ]);
    const never = desiredHost(applyChanges(always, [vxlanPool('Never')]), facts);
    expect(plan(never, done)).toEqual([
      'ip route replace 10.77.101.80/28 via 10.50.0.12 dev eth0 proto 202 onlink',
      'ip link del vxlan.calico',
    ]);
  });

  it('puts its new tunnel address there before the old one goes', () => {
    const own = nodeRecord('node1', '10.50.0.11/24', { ipv4VXLANTunnelAddr: '10.77.180.115' });
    expect(plan(desiredHost(applyChanges(always, [own]), facts), done)).toEqual([
      'ip addr add 10.77.180.115/32 dev vxlan.calico',
      'ip addr del 10.77.180.112/32 dev vxlan.calico',
    ]);
  });

  it('lowers the MTU of the device and of the routes when the parent has less', () => {
    const less = factsOf('node1', { links: [link('eth0', 2, { mtu: 1400 })] });
    expect(plan(desiredHost(always, less), done)).toEqual([
      'ip link set vxlan.calico mtu 1350',
      expect.stringMatching(/^ip route replace 10.77.101.80\/28 .* mtu 1350$/),
      expect.stringMatching(/^ip route replace 10.77.161.192\/28 .* mtu 1350$/),
    ]);
  });

  it('gives a released block to its next node in one step', () => {
    const [block] = BLOCKS;
    const taken = { key: block?.key ?? '', text: block?.text?.replaceAll('node1', 'node2') };
    expect(plan(desiredHost(applyChanges(always, [taken]), facts), done)).toEqual([
      'ip route replace 10.77.180.112/28 via 10.77.101.80 dev vxlan.calico proto 202 onlink mtu 1450',
    ]);
  });
});

describe('planChanges() holds back', () => {
  it('while the desired host is frozen, or in doubt that nobody has settled', () => {
    expect(plan(desiredHost({ ...always, isDatastoreReady: false }, facts), EMPTY_HOST)).toEqual([]);
    const doubtful = desiredHost({ ...always, pools: new Map() }, facts);
    expect(plan(doubtful, done, USUAL_OPTIONS)).toEqual([]);
    expect(plan(doubtful, done).at(-1)).toBe('ip link del vxlan.calico');
  });

  it('from an interface that has the name of ours and is another', () => {
    const dummy = {
      name: 'vxlan.calico',
      ifIndex: 9,
      kind: 'dummy',
      mac: undefined,
      mtu: 1500,
      isUp: true,
      vxlan: undefined,
    };
    const { steps, findings } = planChanges(desired, { ...EMPTY_HOST, links: [dummy] });
    expect(steps.map(formatHostStep)).toEqual([
      'sysctl -w net/ipv4/ip_forward=1',
      'ip route replace blackhole 10.77.180.112/28 proto 202',
    ]);
    expect(findings).toMatchObject([{ kind: 'foreign-link', subject: 'vxlan.calico' }]);
  });

  it('from the entries of a device that it does not know enough about', () => {
    const gone = factsWith([], { links: [link('vxlan.calico', 50, { kind: 'vxlan', mtu: 1450 })] });
    expect(plan(desiredHost(always, gone), done)).toEqual([]);
  });

  it('from addresses of tunl0 that are not of a pool', () => {
    const device = 'tunl0';
    const tunnel = {
      name: device,
      ifIndex: 9,
      kind: 'ipip',
      mac: undefined,
      mtu: 1480,
      isUp: true,
      vxlan: undefined,
    };
    const addresses = ['10.77.0.9/32', '192.0.2.1/32'].map((text) => ({
      device,
      network: network(text),
      scope: 'global' as const,
    }));
    const observed = {
      ...done,
      links: [...done.links, tunnel],
      addresses: [...done.addresses, ...addresses],
    };
    expect(plan(desired, observed)).toEqual(['ip addr del 10.77.0.9/32 dev tunl0']);
  });

  it('from routes of pods that the CNI plugin or Felix made, and makes missing ones only when asked', () => {
    const pod = endpointRecord('node1', 'a', 'cali1', ['10.77.180.113']);
    const wanted = desiredHost(applyChanges(always, [pod]), facts);
    expect(plan(wanted, done)).toEqual([]);
    const repairing = { ...SETTLED, lostPodRoutes: wanted.podRoutes };
    const repair = ['ip route replace 10.77.180.113/32 dev cali1 proto 3 scope link'];
    expect(plan(wanted, done, repairing)).toEqual(repair);
    const made = afterSteps(done, planChanges(wanted, done, repairing).steps);
    expect(plan(wanted, made)).toEqual([]);
    // It goes with the interface, as the plugin's own.
    expect(plan(desired, made)).toEqual([]);
  });
});

describe('planChanges() for an address that comes here', () => {
  it('takes the route to its former node away, so that the CNI plugin can make its own', () => {
    const borrowed = blockRecord('10.77.101.80/28', 'host:node2', { 4: 'node3' });
    const before = converged(desiredHost(applyChanges(always, [borrowed]), facts));
    const pod = endpointRecord('node1', 'a', 'cali1', ['10.77.101.84']);
    const moved = [blockRecord('10.77.101.80/28', 'host:node2', { 4: 'node1' }), pod];
    const gone = [
      'ip route del 10.77.101.84/32 via 10.77.161.192 dev vxlan.calico proto 202 onlink mtu 1450',
    ];
    expect(plan(desiredHost(applyChanges(always, moved), facts), before)).toEqual(gone);
    expect(plan(desiredHost(applyChanges(always, [borrowed, pod]), facts), before)).toEqual(gone);
  });
});

describe('planChanges() on a host that was Felix’s', () => {
  /** As Felix left it: 80 for blackholes and direct routes, boot for those of the tunnel. */
  const felix: ObservedHost = {
    ...done,
    routes: [
      ...done.routes.map((found) => ({
        ...found,
        protocol: found.device === undefined ? FELIX_PROTOCOL : 3,
      })),
      route('10.77.200.0/28', { type: 'blackhole', protocol: FELIX_PROTOCOL }),
    ],
  };

  it('replaces route by route, and makes nothing else anew', () => {
    expect(plan(desired, felix).map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual(
      Array(3).fill('ip route replace'),
    );
  });

  it('takes away what Felix left over only when it is asked to', () => {
    const owned = [...USUAL_OPTIONS.owned, FELIX_PROTOCOL];
    expect(plan(desired, felix, { ...USUAL_OPTIONS, owned }).slice(3)).toEqual([
      'ip route del blackhole 10.77.200.0/28 proto 80',
    ]);
  });
});

describe('planChanges() where BIRD’s routes are in the place of ours', () => {
  const bird: ObservedHost = {
    ...done,
    routes: done.routes.map((found) => (found.device === undefined ? { ...found, protocol: 12 } : found)),
  };

  it('leaves them alone while BIRD runs, and says so', () => {
    const { steps, findings } = planChanges(desired, bird, optionsBeside(true));
    expect(steps).toEqual([]);
    expect(findings).toMatchObject([{ kind: 'foreign-route', severity: 'error' }]);
  });

  it('replaces them when BIRD has gone', () => {
    const { steps, findings } = planChanges(desired, bird, optionsBeside(false));
    expect(steps.map(formatHostStep)).toEqual([
      expect.stringMatching(/^ip route replace blackhole .* proto 202$/),
    ]);
    expect(findings).toEqual([]);
  });
});

function copied({ routes, neighbours, fdb, ...host }: ObservedHost): ObservedHost {
  const copy = <Entry extends object>(entries: readonly Entry[]) => entries.map((entry) => ({ ...entry }));
  return { ...host, routes: copy(routes), neighbours: copy(neighbours), fdb: copy(fdb) };
}

function network(text: string) {
  const parsed = tryParseIpNetwork(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}
