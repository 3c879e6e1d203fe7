import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../../../src/base/cidr.ts';
import { parseIpAddress } from '../../../../src/base/ip-address.ts';
import { parseMacAddress } from '../../../../src/base/mac-address.ts';
import { sha1Hex } from '../../../../src/base/sha1.ts';
import { formatGoTime, formatRfc3339 } from '../../../../src/base/time.ts';
import type { SeenAllocation } from '../../../../src/ipam/plan-collection.ts';
import {
  type ContainerFacts,
  judgeContainers,
  leakId,
} from '../../../../src/node/garbage/judge-containers.ts';
import { buildEndpoint } from '../../../../src/workload/build-endpoint.ts';
import type { WorkloadEndpoint } from '../../../../src/workload/workload-endpoint.ts';

const NOW = 1_795_257_492_000_000_000n;
const HOUR = 3_600_000_000_000n;
const SCOPE = { naming: { nodeName: 'node1', sha1Hex, prefix: 'cali' }, madeBeforeNs: NOW - HOUR / 4n };
const BLOCK = parseCidr('10.9.0.0/26');

function address(ordinal: number, handleId: string, owner: object = {}): SeenAllocation {
  const usual = { node: 'node1', timestamp: formatGoTime(NOW - HOUR) };
  return { block: BLOCK, ordinal, handleId, sequenceNumber: BigInt(ordinal), owner: { ...usual, ...owner } };
}

interface EndpointChanges {
  readonly addresses?: readonly string[];
  readonly pod?: string;
  readonly madeNs?: bigint;
  readonly orchestrator?: string;
}

function endpoint(containerId: string, changes: EndpointChanges = {}): WorkloadEndpoint {
  const { addresses = ['10.9.0.1'], pod, madeNs = NOW - HOUR, orchestrator } = changes;
  const base = { nodeName: 'node1', namespace: 'default', containerId, ifName: 'eth0' };
  const built = buildEndpoint(
    {
      ids:
        pod === undefined
          ? { ...base, orchestrator: 'cni', podName: pod }
          : { ...base, orchestrator: 'k8s', podName: pod },
      addresses: addresses.map(parseIpAddress),
      profiles: ['net'],
      hostIfName: `cali${containerId}`,
      mac: parseMacAddress('02:00:00:00:00:01'),
      labels: {},
      settings: undefined,
      uid: `uid of ${containerId}`,
      creationTimestamp: formatRfc3339(madeNs),
    },
    undefined,
  );
  return { ...built, ...(orchestrator && { orchestrator }) };
}

function facts(changes: Partial<ContainerFacts>): ContainerFacts {
  return {
    ...{ allocations: [], endpoints: [], interfaces: new Set(), routed: new Set() },
    sandboxOf: () => 'unknown',
    ...changes,
  };
}

const leaksOf = (changes: Partial<ContainerFacts>) =>
  judgeContainers(SCOPE, facts(changes)).leaks.map(({ containerId, allocations, endpoints }) => [
    containerId,
    allocations.length,
    endpoints.length,
  ]);

const DEAD = { allocations: [address(1, 'net.dead')], endpoints: [endpoint('dead')] };
const PODS = { pod: 'web', namespace: 'default' };

describe('judgeContainers()', () => {
  it.each([
    ['has no interface, and the runtime has forgotten it', DEAD],
    ['has lost its network namespace', { ...DEAD, sandboxOf: () => 'gone' as const }],
  ])('finds a container gone that %s', (_what, found) => {
    expect(leaksOf(found)).toEqual([['dead', 1, 1]]);
  });

  it('takes all addresses of a container together', () => {
    const allocations = [address(1, 'net.dead'), address(2, 'net.dead'), address(3, 'net.other')];
    const endpoints = [
      endpoint('dead', { addresses: ['10.9.0.1', '10.9.0.2'] }),
      endpoint('other', { addresses: ['10.9.0.3'] }),
    ];
    expect(leaksOf({ allocations, endpoints, interfaces: new Set(['caliother']) })).toEqual([['dead', 2, 1]]);
  });

  it('finds an address gone whose endpoint was removed, where the network’s containers have endpoints', () => {
    const allocations = [address(1, 'net.dead'), address(2, 'net.live')];
    const endpoints = [endpoint('live', { addresses: ['10.9.0.2'] })];
    expect(leaksOf({ allocations, endpoints, interfaces: new Set(['calilive']) })).toEqual([['dead', 1, 0]]);
  });

  it('finds the address of a pod gone that has no endpoint', () => {
    const allocations = [address(1, 'net.dead', PODS)];
    expect(leaksOf({ allocations, sandboxOf: () => 'gone' })).toEqual([['dead', 1, 0]]);
  });

  it.each<[string, Partial<ContainerFacts>]>([
    ['its interface is there', { ...DEAD, interfaces: new Set(['calidead']) }],
    ['the host has a route to its address', { ...DEAD, routed: new Set(['10.9.0.1']) }],
    ['the runtime has its sandbox', { ...DEAD, sandboxOf: () => 'alive' }],
    ['it is another node’s', { ...DEAD, allocations: [address(1, 'net.dead', { node: 'node2' })] }],
    [
      'its address is young',
      { ...DEAD, allocations: [address(1, 'net.dead', { timestamp: formatGoTime(NOW) })] },
    ],
    [
      'one of its addresses is young',
      {
        ...DEAD,
        allocations: [...DEAD.allocations, address(2, 'net.dead', { timestamp: formatGoTime(NOW) })],
      },
    ],
    ['its endpoint is young', { ...DEAD, endpoints: [endpoint('dead', { madeNs: NOW })] }],
    [
      'its time is in the future',
      { ...DEAD, allocations: [address(1, 'net.dead', { timestamp: formatGoTime(NOW + HOUR) })] },
    ],
    [
      'it is the end of a tunnel',
      { allocations: [address(1, 'vxlan-tunnel-addr-node1', { type: 'vxlanTunnelAddress' })] },
    ],
    [
      'its endpoint is an orchestrator’s',
      { ...DEAD, endpoints: [endpoint('dead', { orchestrator: 'openstack' })] },
    ],
    [
      'its endpoint has another address as well',
      { ...DEAD, endpoints: [endpoint('dead', { addresses: ['10.9.0.1', '10.9.0.9'] })] },
    ],
    ['another container’s endpoint has its address', { ...DEAD, endpoints: [endpoint('other')] }],
    [
      'it is a pod that has an endpoint',
      {
        allocations: [address(1, 'net.dead', PODS)],
        endpoints: [endpoint('dead', { pod: 'web' })],
        sandboxOf: () => 'gone',
      },
    ],
    [
      'its pod has an endpoint for another sandbox',
      {
        allocations: [address(1, 'net.dead', PODS)],
        endpoints: [endpoint('new', { pod: 'web', addresses: ['10.9.0.2'] })],
        sandboxOf: () => 'gone',
      },
    ],
    [
      'an endpoint without a container has its address',
      { ...DEAD, endpoints: [{ ...endpoint('dead'), containerId: undefined }] },
    ],
    [
      'another plugin has wired its sandbox',
      { allocations: [address(1, 'bridge.x')], sandboxOf: () => 'alive' },
    ],
    ['no container of its network has an endpoint', { allocations: [address(1, 'bridge.dead')] }],
    [
      'its handle is of the old form',
      { allocations: [address(1, 'default.web', PODS)], sandboxOf: () => 'gone' },
    ],
    [
      'its handle can be read in two ways',
      { allocations: [address(1, 'a.b.dead')], sandboxOf: () => 'gone' },
    ],
  ])('keeps a container: %s', (_why, found) => {
    expect(leaksOf(found)).toEqual([]);
  });

  it.each<[string, Partial<ContainerFacts>, RegExp]>([
    [
      'whose sandbox is there without an interface',
      { ...DEAD, sandboxOf: () => 'alive' },
      /the runtime has its sandbox/,
    ],
    [
      'whose network has no endpoint',
      { allocations: [address(1, 'bridge.dead')] },
      /another plugin may have wired it/,
    ],
    [
      'of a pod with an endpoint',
      {
        allocations: [address(1, 'net.dead', PODS)],
        endpoints: [endpoint('dead', { pod: 'web' })],
        sandboxOf: () => 'gone',
      },
      /pods of an orchestrator/,
    ],
  ])('tells why it keeps one %s', (_what, found, why) => {
    expect(judgeContainers(SCOPE, facts(found)).held).toEqual([
      {
        handleId: found.allocations?.[0]?.handleId,
        addresses: ['10.9.0.1'],
        why: expect.stringMatching(why),
      },
    ]);
  });

  it('says nothing of containers that live', () => {
    const wiredByOthers = { allocations: [address(1, 'bridge.x')], sandboxOf: () => 'alive' as const };
    expect(judgeContainers(SCOPE, facts(wiredByOthers)).held).toEqual([]);
    expect(judgeContainers(SCOPE, facts({ ...DEAD, interfaces: new Set(['calidead']) })).held).toEqual([]);
  });

  it('asks the runtime only about containers that are nowhere else', () => {
    const asked: string[] = [];
    const allocations = [address(1, 'net.dead'), address(2, 'net.live')];
    const endpoints = [endpoint('dead'), endpoint('live', { addresses: ['10.9.0.2'] })];
    const sandboxOf = (id: string) => {
      asked.push(id);
      return 'unknown' as const;
    };
    judgeContainers(SCOPE, facts({ allocations, endpoints, interfaces: new Set(['calilive']), sandboxOf }));
    expect(asked).toEqual(['dead']);
  });
});

describe('leakId()', () => {
  const leak = { containerId: 'c', allocations: [address(1, 'net.c')], endpoints: [endpoint('c')] };
  it.each([
    ['the sequence number', { ...leak, allocations: [{ ...address(1, 'net.c'), sequenceNumber: 9n }] }],
    ['the address', { ...leak, allocations: [{ ...address(2, 'net.c'), sequenceNumber: 1n }] }],
    ['the time', { ...leak, allocations: [address(1, 'net.c', { timestamp: formatGoTime(NOW) })] }],
    ['the endpoint', { ...leak, endpoints: [endpoint('d')] }],
    ['that the endpoint is gone', { ...leak, endpoints: [] }],
    ['that there is another address', { ...leak, allocations: [address(1, 'net.c'), address(2, 'net.c')] }],
  ])('changes with %s', (_what, changed) => {
    expect(leakId(changed)).not.toBe(leakId(leak));
  });

  it('is the same for what is the same', () => {
    expect(leakId(structuredClone(leak))).toBe(leakId(leak));
  });
});
