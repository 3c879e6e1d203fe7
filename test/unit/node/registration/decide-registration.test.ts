import { describe, expect, it } from 'vitest';
import { tryParseIpNetwork } from '../../../../src/base/cidr.ts';
import { settle } from '../../../../src/datastore/settle.ts';
import {
  decideRegistration,
  registrationRanges,
} from '../../../../src/node/registration/decide-registration.ts';
import { readRegistrationSettings } from '../../../../src/node/registration/registration-settings.ts';
import { endlessDeadline, instantClock } from '../../../support/cut-line.ts';
import { createMemoryStore, type MemoryStore } from '../../../support/memory-store.ts';

const RESOURCES = '/calico/resources/v3/projectcalico.org';
const NODE = `${RESOURCES}/nodes/node1`;

function network(text: string) {
  const parsed = tryParseIpNetwork(text);
  if (parsed === undefined) throw new Error(text);
  return parsed;
}

function register(store: MemoryStore, env: Record<string, string> = {}, own = '10.50.0.11/24') {
  let uuids = 0;
  const request = {
    nodeName: 'node1',
    settings: readRegistrationSettings(env),
    host: {
      links: [
        { name: 'eth0', ifIndex: 2 },
        { name: 'docker0', ifIndex: 3 },
      ],
      addresses: [
        { ifIndex: 2, network: network(own) },
        { ifIndex: 3, network: network('172.17.0.1/16') },
      ],
    },
    detected: { 4: { ifName: 'eth0', network: network(own) }, 6: undefined },
    uuid: () => `00000000-0000-4000-8000-${String(uuids++).padStart(12, '0')}`,
    now: '2026-11-21T11:49:18Z',
  };
  return settle({
    store,
    ranges: registrationRanges('node1'),
    decide: (view) => decideRegistration(request, view),
    deadline: endlessDeadline(),
    clock: instantClock(0n),
    random: () => 0,
  });
}
const node = (spec: object, more: object = {}) => JSON.stringify({ metadata: { name: 'x' }, spec, ...more });
const specOf = (store: MemoryStore) => JSON.parse(store.values().get(NODE) ?? '{}').spec;

describe('decideRegistration()', () => {
  it('begins a cluster: its own record, our Node with its interfaces, no pool unasked', async () => {
    const store = createMemoryStore();
    const { written, addresses } = await register(store);
    expect(written).toEqual(['node node1 with 10.50.0.11/24', 'cluster information']);
    expect(addresses).toEqual({ 4: '10.50.0.11/24', 6: undefined });
    expect(specOf(store)).toEqual({
      bgp: { ipv4Address: '10.50.0.11/24' },
      interfaces: [{ name: 'eth0', addresses: ['10.50.0.11'] }],
    });
    expect([...store.values().keys()].sort()).toEqual([`${RESOURCES}/clusterinformations/default`, NODE]);
  });

  it('writes nothing the second time', async () => {
    const store = createMemoryStore();
    await register(store);
    const before = store.values();
    expect((await register(store)).written).toEqual([]);
    expect(store.values()).toEqual(before);
  });

  it('makes the pools it is asked for where their family has none', async () => {
    const env = { CALICO_IPV4POOL_CIDR: '10.65.0.0/16', CALICO_IPV6POOL_CIDR: 'fd65::/48' };
    const store = createMemoryStore(new Map([[`${RESOURCES}/ippools/mine`, node({ cidr: '10.1.0.0/16' })]]));
    expect((await register(store, env)).written).toContain('pool default-ipv6-ippool');
    expect([...store.values().keys()].filter((key) => key.includes('/ippools/'))).toEqual([
      `${RESOURCES}/ippools/mine`,
      `${RESOURCES}/ippools/default-ipv6-ippool`,
    ]);
  });

  it('keeps what others have written of our Node', async () => {
    const spec = {
      bgp: { ipv4Address: '10.50.0.9/24', extra: 1 },
      ipv4VXLANTunnelAddr: '10.77.0.1',
      wireguard: { a: 1 },
    };
    const store = createMemoryStore(new Map([[NODE, node(spec, { status: { x: 1 } })]]));
    await register(store, { IP: 'autodetect', CALICO_K8S_NODE_REF: 'k1' });
    expect(specOf(store)).toEqual({
      ...spec,
      bgp: { ipv4Address: '10.50.0.11/24', extra: 1 },
      orchRefs: [{ nodeName: 'k1', orchestrator: 'k8s' }],
      interfaces: [{ name: 'eth0', addresses: ['10.50.0.11'] }],
    });
    expect(JSON.parse(store.values().get(NODE) ?? '{}').status).toEqual({ x: 1 });
  });

  it('loses no edit that somebody makes meanwhile', async () => {
    const inner = createMemoryStore(new Map([[NODE, node({ bgp: { ipv4Address: '10.50.0.9/24' } })]]));
    let edits = 0;
    const store: MemoryStore = {
      ...inner,
      commit: async (...args) => {
        if (edits++ < 3) inner.put(NODE, node({ bgp: { ipv4Address: '10.50.0.9/24' }, edits }));
        return inner.commit(...args);
      },
    };
    await register(store, { IP: 'autodetect' });
    expect(specOf(store)).toMatchObject({ edits: 3, bgp: { ipv4Address: '10.50.0.11/24' } });
  });

  it.each([
    ['the same', '10.50.0.11/24'],
    ['another mask', '10.50.0.11/16'],
    ['none', '10.50.0.11'],
  ])('refuses an address that another node has, with %s', async (_mask, theirs) => {
    const other = `${RESOURCES}/nodes/node2`;
    const store = createMemoryStore(
      new Map([
        [other, node({ bgp: { ipv4Address: theirs } })],
        [`${RESOURCES}/nodes/node3`, 'damaged'],
      ]),
    );
    const { conflict, written } = await register(store);
    expect(conflict).toBe("Calico node 'node2' is already using the IPv4 address 10.50.0.11");
    expect(written).toEqual([]);
    expect(store.values().size).toBe(2);
  });

  it('takes it all the same when it is told not to look', async () => {
    const store = createMemoryStore(
      new Map([[`${RESOURCES}/nodes/node2`, node({ bgp: { ipv4Address: '10.50.0.11/24' } })]]),
    );
    expect((await register(store, { DISABLE_NODE_IP_CHECK: 'true' })).conflict).toBeUndefined();
    expect(specOf(store).bgp).toEqual({ ipv4Address: '10.50.0.11/24' });
  });

  it('gives up the address it had when what was found now is another’s', async () => {
    const store = createMemoryStore(
      new Map([
        [NODE, node({ bgp: { ipv4Address: '10.50.0.9/24' }, ipv4VXLANTunnelAddr: '10.77.0.1' })],
        [`${RESOURCES}/nodes/node2`, node({ bgp: { ipv4Address: '10.50.0.11/24' } })],
      ]),
    );
    const { conflict } = await register(store, { IP: 'autodetect' });
    expect(conflict).toContain('node2');
    expect(specOf(store)).toEqual({ ipv4VXLANTunnelAddr: '10.77.0.1' });
  });

  it('does not look at other nodes while its address stays', async () => {
    const store = createMemoryStore(
      new Map([
        [NODE, node({ bgp: { ipv4Address: '10.50.0.11/24' } })],
        [`${RESOURCES}/nodes/node2`, node({ bgp: { ipv4Address: '10.50.0.11/24' } })],
        [`${RESOURCES}/clusterinformations/default`, node({ datastoreReady: true })],
      ]),
    );
    expect(await register(store)).toMatchObject({ conflict: undefined, written: [] });
    expect(store.requests()).toBe(1);
  });

  it('writes nothing while the datastore is not ready', async () => {
    const store = createMemoryStore(
      new Map([[`${RESOURCES}/clusterinformations/default`, node({ datastoreReady: false })]]),
    );
    await expect(register(store)).rejects.toMatchObject({ kind: 'unavailable', message: /not ready/ });
    expect(store.values().size).toBe(1);
  });

  it('leaves a Node alone that it cannot understand', async () => {
    const store = createMemoryStore(new Map([[NODE, '{"spec":7}']]));
    await expect(register(store)).rejects.toMatchObject({ kind: 'corrupt' });
    expect(store.values().get(NODE)).toBe('{"spec":7}');
  });
});
