import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hostNetwork, parseCidr } from '../../../../src/base/cidr.ts';
import { formatIpAddress, parseIpAddress } from '../../../../src/base/ip-address.ts';
import { formatGoTime, formatRfc3339 } from '../../../../src/base/time.ts';
import type { AllocationBlock, Attribute } from '../../../../src/ipam/allocation-block.ts';
import { createBlock } from '../../../../src/ipam/block/create.ts';
import { addressOfAllocation } from '../../../../src/ipam/plan-collection.ts';
import { decideGc, type GcScope } from '../../../../src/plugins/garbage/decide-gc.ts';
import { buildEndpoint } from '../../../../src/workload/build-endpoint.ts';
import type { WorkloadEndpoint } from '../../../../src/workload/workload-endpoint.ts';

const NOW = 1_795_257_492_500_000_000n;
const HOUR = 3_600_000_000_000n;
const HEX = '0123456789abcdef'.repeat(4);

const SCOPE: GcScope = {
  network: 'net1',
  nodeName: 'node1',
  liveContainers: new Set(['live']),
  madeBeforeNs: undefined,
};

/** Ordinal n is held by attribute n. */
function block(...attributes: readonly Partial<Attribute>[]): AllocationBlock {
  const empty = createBlock(parseCidr('10.9.0.0/26'), 'host:node1', NOW);
  const nothing = {
    handleId: undefined,
    activeOwner: undefined,
    alternateOwner: undefined,
    releasedAt: undefined,
    unknownFields: {},
  };
  return {
    ...empty,
    attributes: attributes.map((attribute) => ({ ...nothing, ...attribute })),
    allocations: empty.allocations.map((_, ordinal) => (ordinal < attributes.length ? ordinal : null)),
    unallocated: empty.unallocated.slice(attributes.length),
  };
}

function held(handleId: string, owner: Readonly<Record<string, string>> = {}): Partial<Attribute> {
  return { handleId, activeOwner: { node: 'node1', timestamp: formatGoTime(NOW - HOUR), ...owner } };
}

function endpoint(containerId: string, changes: Partial<WorkloadEndpoint> = {}): WorkloadEndpoint {
  const { podName } = changes;
  const base = { nodeName: 'node1', namespace: 'default', containerId, ifName: 'eth0' };
  const built = buildEndpoint(
    {
      ids:
        podName === undefined
          ? { ...base, orchestrator: 'cni', podName }
          : { ...base, orchestrator: 'k8s', podName },
      addresses: [],
      profiles: ['net1'],
      hostIfName: `cali${containerId.slice(0, 11)}`,
      mac: '02:00:00:00:00:01' as never,
      labels: {},
      settings: undefined,
      uid: 'u',
      creationTimestamp: formatRfc3339(NOW - HOUR),
    },
    undefined,
  );
  return { ...built, ...changes };
}

const at = (ordinal: number) => [hostNetwork(parseIpAddress(`10.9.0.${ordinal}`))];

function collected(
  attributes: readonly Partial<Attribute>[],
  endpoints: readonly WorkloadEndpoint[] = [],
  scope: Partial<GcScope> = {},
) {
  const decision = decideGc({ ...SCOPE, ...scope }, { blocks: [block(...attributes)], endpoints });
  return {
    leaks: decision.leaks.map(({ containerId, allocations, endpoints: gone }) => [
      containerId,
      allocations.map((one) => formatIpAddress(addressOfAllocation(one))),
      gone.map(({ name }) => name),
    ]),
    notes: decision.notes,
    surviving: decision.surviving.map(({ name }) => name),
  };
}

describe('decideGc() collects', () => {
  it('addresses and endpoint of a container that is not in the list, and keeps those of one that is', () => {
    const endpoints = [endpoint('dead', { ipNetworks: at(0) }), endpoint('live', { ipNetworks: at(1) })];
    expect(collected([held('net1.dead'), held('net1.live')], endpoints)).toEqual({
      leaks: [['dead', ['10.9.0.0'], ['node1-cni-dead-eth0']]],
      notes: [],
      surviving: ['node1-cni-live-eth0'],
    });
  });

  it.each([
    ['an address alone', [held('net1.dead')], [], ['dead', ['10.9.0.0'], []]],
    ['an endpoint alone', [], [endpoint('dead')], ['dead', [], ['node1-cni-dead-eth0']]],
    [
      'all addresses of a container',
      [held('net1.dead'), held('net1.live'), held('net1.dead')],
      [],
      ['dead', ['10.9.0.0', '10.9.0.2'], []],
    ],
    ['a handle that an old migration damaged', [held('net1.dead\r\nrest')], [], ['dead', ['10.9.0.0'], []]],
    [
      "a pod's endpoint whose address tells the network",
      [held('net1.dead', { pod: 'web', namespace: 'default' })],
      [endpoint('dead', { podName: 'web', profiles: ['kns.default'], ipNetworks: at(0) })],
      ['dead', ['10.9.0.0'], ['node1-k8s-web-eth0']],
    ],
    [
      'what has no time, however long the grace',
      [held('net1.dead', { timestamp: 'yesterday' })],
      [],
      ['dead', ['10.9.0.0'], []],
    ],
  ])('%s', (_, attributes, endpoints, leak) => {
    expect(collected(attributes, endpoints, { madeBeforeNs: NOW - HOUR / 2n }).leaks).toEqual([leak]);
  });

  it.each([
    ['by the runtime’s form of the ID', held(`a.b.${HEX}`), [], HEX],
    ['by the attribute', held('a.b.x', { network: 'a.b' }), [], 'x'],
    ['by the endpoint', held('a.b.x'), [endpoint('x', { ipNetworks: at(0), profiles: ['a.b'] })], 'x'],
  ])('the network whose name has a dot, %s', (_, attribute, endpoints, containerId) => {
    expect(collected([attribute], endpoints, { network: 'a.b' }).leaks.map(([id]) => id)).toEqual([
      containerId,
    ]);
    expect(collected([attribute], endpoints, { network: 'a' }).leaks).toEqual([]);
  });
});

describe('decideGc() leaves alone', () => {
  it.each([
    ['another network', held('net2.dead')],
    ['a network whose name begins alike', held('net11.dead')],
    ['another node', held('net1.dead', { node: 'node2' })],
    ['nobody’s node', { handleId: 'net1.dead', activeOwner: undefined }],
    ['what nobody holds by a handle', held('')],
    ['a tunnel', held('vxlan-tunnel-addr-node1', { type: 'vxlanTunnelAddress' })],
    ['a tunnel of a node with dots', held('net1.tunnel', { type: 'ipipTunnelAddress' })],
    ['a virtual machine', held('net1.vmi.default.vm1')],
    ['a load balancer', held('lb-0123456789')],
    ['Windows', held('windows-reserved-ipam-handle')],
    ['a pod of a plugin before 2018', held('net1.web', { namespace: 'net1', pod: 'web' })],
    ['an address in cooldown', { ...held('net1.dead'), releasedAt: '2026-11-21T10:00:00Z' }],
    ['what has two owners', { ...held('net1.dead'), alternateOwner: { node: 'node2' } }],
    ['a container that lives', held('net1.live')],
  ])('%s', (_, attribute) => {
    expect(collected([attribute])).toEqual({ leaks: [], notes: [], surviving: [] });
  });

  it.each([
    ['of another node', endpoint('dead', { nodeName: 'node2' }), 0],
    ['of another orchestrator', endpoint('dead', { orchestrator: 'openstack' }), 0],
    ['without a container ID', endpoint('dead', { containerId: undefined }), 0],
    ['of another network', endpoint('dead', { profiles: ['net2'] }), 0],
    ['of two networks', endpoint('dead', { profiles: ['net1', 'net2'] }), 1],
    ['of a pod whose addresses are elsewhere', endpoint('dead', { profiles: ['kns.default'] }), 1],
    ['of a container that lives', endpoint('live'), 0],
  ])('an endpoint %s', (_, one, notes) => {
    const decision = collected([], [one]);
    expect(decision.leaks).toEqual([]);
    expect(decision.notes).toHaveLength(notes);
  });

  it('a handle that can be read two ways, and says so', () => {
    expect(collected([held('net1.x.y')])).toMatchObject({
      leaks: [],
      notes: [
        'left 10.9.0.0 of handle "net1.x.y" alone: the handle does not tell the network from the container ID',
      ],
    });
  });

  it('an address that an endpoint of a living container has', () => {
    const decision = collected([held('net1.dead')], [endpoint('live', { ipNetworks: at(0) })]);
    expect(decision.leaks).toEqual([]);
    expect(decision.notes).toEqual([
      'left 10.9.0.0 of handle "net1.dead" alone: it is an address of default/node1-cni-live-eth0, which lives',
    ]);
  });

  it('the endpoint of a pod whose new sandbox lives, and collects the old one’s address', () => {
    const pod = { pod: 'web', namespace: 'default' };
    const reused = endpoint('live', { podName: 'web', profiles: ['kns.default'], ipNetworks: at(1) });
    expect(collected([held('net1.dead', pod), held('net1.live', pod)], [reused])).toMatchObject({
      leaks: [['dead', ['10.9.0.0'], []]],
      surviving: ['node1-k8s-web-eth0'],
    });
  });

  it('all of a container of which anything is younger than the grace', () => {
    const young = { timestamp: formatGoTime(NOW - HOUR / 4n) };
    const decision = collected(
      [held('net1.dead', young), held('net1.dead'), held('net1.older')],
      [endpoint('dead', { ipNetworks: at(0) })],
      { madeBeforeNs: NOW - HOUR / 2n },
    );
    expect(decision.leaks).toEqual([['older', ['10.9.0.2'], []]]);
    expect(decision.notes).toEqual([
      'left 10.9.0.0 of handle "net1.dead" alone: it is younger than gc_grace_seconds',
    ]);
    const fresh = endpoint('dead', { creationTimestamp: formatRfc3339(NOW) });
    expect(collected([held('net1.dead')], [fresh], { madeBeforeNs: NOW - HOUR / 2n }).leaks).toEqual([]);
  });
});

describe('decideGc()', () => {
  it('takes nothing of the living, of others, and all that is known to be dead, whatever there is', () => {
    const network = fc.constantFrom('a', 'a.b', 'net');
    const id = fc.constantFrom('c', 'b.c', 'd', HEX);
    const node = fc.constantFrom('node1', 'node2');
    const container = fc.record({ network, id, node, isStated: fc.boolean(), hasEndpoint: fc.boolean() });
    fc.assert(
      fc.property(fc.array(container, { maxLength: 20 }), fc.array(id), network, (all, live, asked) => {
        const attributes = all.map((one) =>
          held(`${one.network}.${one.id}`, {
            node: one.node,
            ...(one.isStated ? { network: one.network } : {}),
          }),
        );
        const endpoints = all.flatMap((one, i) =>
          one.hasEndpoint
            ? [
                endpoint(one.id, {
                  nodeName: one.node,
                  profiles: [one.network],
                  ipNetworks: at(i),
                  name: `e${i}`,
                }),
              ]
            : [],
        );
        const { leaks } = decideGc(
          { network: asked, nodeName: 'node1', liveContainers: new Set(live), madeBeforeNs: undefined },
          { blocks: [block(...attributes)], endpoints },
        );
        const gone = new Set(leaks.flatMap(({ allocations }) => allocations.map(({ ordinal }) => ordinal)));
        for (const [i, one] of all.entries()) {
          const isDead = one.node === 'node1' && one.network === asked && !live.includes(one.id);
          if (gone.has(i)) expect(isDead).toBe(true);
          if (isDead && (one.isStated || one.hasEndpoint)) expect(gone.has(i)).toBe(true);
        }
      }),
    );
  });
});
