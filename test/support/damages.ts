/**
 * Each kind of damage that a check must find, written into a healthy cluster of {@link healthyCluster}, past our own code.
 */

import type { Damage } from '../../src/ipam/audit/damage.ts';
import { createMemoryStore, type MemoryStore } from './memory-store.ts';
import { addRecords } from './record-calls.ts';
import { smallCluster } from './small-cluster.ts';

const IPAM = '/calico/ipam/v2';
const RESOURCES = '/calico/resources/v3/projectcalico.org';

/** What can be written and removed: a store in memory, or etcd's values before they are put there. */
export type Values = Map<string, string>;

/** Two pods of node1, one of node2, one with both families; nothing is wrong with it. */
export async function healthyCluster(): Promise<Values> {
  const store: MemoryStore = createMemoryStore(smallCluster({ '10.9.0.0/24': 28, 'fd00:9::/120': 124 }));
  await addRecords({ containerId: 'c1', nodeName: 'node1', podName: 'web' })(store);
  await addRecords({ containerId: 'c2', nodeName: 'node1' })(store);
  await addRecords({ containerId: 'c3', nodeName: 'node2', families: [4, 6] })(store);
  return new Map(store.values());
}

export interface DamageCase {
  readonly damage: Damage;
  readonly what: string;
  /** Whether `ipam release --from-report` puts it right. */
  readonly isRepairable: boolean;
  /** The keys of the findings, or parts of them. */
  readonly inflict: (values: Values) => void;
}

export const DAMAGE_CASES: readonly DamageCase[] = [
  {
    damage: 'leaked-address',
    what: 'an endpoint is gone, its address is not',
    isRepairable: true,
    inflict: (values) => remove(values, 'workloadendpoints/test/node1-k8s-web-eth0'),
  },
  {
    damage: 'leaked-handle',
    what: 'a handle of nothing',
    isRepairable: true,
    inflict: (values) =>
      values.set(
        `${IPAM}/handle/net1.ghost`,
        JSON.stringify({ block: { [blockOf(values)]: 1 }, deleted: false }),
      ),
  },
  {
    damage: 'leaked-handle',
    what: 'a handle that names a block which does not exist',
    isRepairable: true,
    inflict: (values) =>
      values.set(`${IPAM}/handle/net1.ghost`, '{"block":{"10.9.0.240/28":1},"deleted":false}'),
  },
  {
    damage: 'missing-handle',
    what: 'a handle is gone, its address is not',
    isRepairable: true,
    inflict: (values) => remove(values, `${IPAM}/handle/net1.c2`),
  },
  {
    damage: 'wrong-handle-count',
    what: 'a handle counts too many',
    isRepairable: true,
    inflict: (values) =>
      edit(values, `${IPAM}/handle/net1.c2`, (handle) => ({ ...handle, block: { [blockOf(values)]: 3 } })),
  },
  {
    damage: 'wrong-handle-count',
    what: 'a handle names another block as well',
    isRepairable: true,
    inflict: (values) =>
      edit(values, `${IPAM}/handle/net1.c2`, (handle) => ({
        ...handle,
        block: { ...handle.block, '10.9.0.240/28': 1 },
      })),
  },
  {
    damage: 'affinity-without-block',
    what: 'a confirmed affinity to no block',
    isRepairable: true,
    inflict: (values) => values.set(affinityKey('node3', '10.9.0.240-28'), affinity('confirmed')),
  },
  {
    damage: 'affinity-of-unknown-node',
    what: 'an affinity of a node that was removed',
    isRepairable: true,
    inflict: (values) => values.set(affinityKey('gone', '10.9.0.240-28'), affinity('confirmed')),
  },
  {
    damage: 'unsettled-affinity',
    what: 'a pending affinity to no block',
    isRepairable: true,
    inflict: (values) => values.set(affinityKey('node3', '10.9.0.240-28'), affinity('pending')),
  },
  {
    damage: 'unsettled-affinity',
    what: 'a pending affinity to its own block',
    isRepairable: true,
    inflict: (values) => values.set(affinityKey('node1', segment(blockOf(values))), affinity('pending')),
  },
  {
    damage: 'unsettled-affinity',
    what: 'an affinity that was being deleted',
    isRepairable: true,
    inflict: (values) =>
      values.set(affinityKey('node1', segment(blockOf(values))), affinity('pendingDeletion')),
  },
  {
    damage: 'affinity-of-other-block',
    what: "an affinity to another node's block",
    isRepairable: true,
    inflict: (values) => values.set(affinityKey('node3', segment(blockOf(values))), affinity('confirmed')),
  },
  {
    damage: 'block-without-affinity',
    what: 'the affinity of a block is gone',
    isRepairable: true,
    inflict: (values) => remove(values, affinityKey('node1', segment(blockOf(values)))),
  },
  {
    damage: 'block-without-owner',
    what: 'an empty block of nobody',
    isRepairable: true,
    inflict: (values) => addBlock(values, '10.9.0.240/28', null),
  },
  {
    damage: 'block-of-unknown-node',
    what: 'an empty block of a node that was removed',
    isRepairable: true,
    inflict: (values) => {
      addBlock(values, '10.9.0.240/28', 'host:gone');
      values.set(affinityKey('gone', '10.9.0.240-28'), affinity('confirmed'));
    },
  },
  {
    damage: 'block-outside-pools',
    what: 'a block of no pool',
    isRepairable: false,
    inflict: (values) => {
      addBlock(values, '10.10.0.0/28', 'host:node1');
      values.set(affinityKey('node1', '10.10.0.0-28'), affinity('confirmed'));
    },
  },
  {
    damage: 'wrong-block-size',
    what: 'a block of another size than its pool has',
    isRepairable: false,
    inflict: (values) => {
      addBlock(values, '10.9.0.248/29', 'host:node1');
      values.set(affinityKey('node1', '10.9.0.248-29'), affinity('confirmed'));
    },
  },
  {
    damage: 'overlapping-blocks',
    what: 'a block in a block',
    isRepairable: false,
    inflict: (values) => {
      const inner = blockOf(values).replace('/28', '/30');
      addBlock(values, inner, 'host:node1');
      values.set(affinityKey('node1', segment(inner)), affinity('confirmed'));
    },
  },
  {
    damage: 'overlapping-pools',
    what: 'a pool in a pool',
    isRepairable: false,
    inflict: (values) =>
      values.set(
        `${RESOURCES}/ippools/inner`,
        JSON.stringify({ metadata: { name: 'inner' }, spec: { cidr: '10.9.0.128/25', blockSize: 28 } }),
      ),
  },
  {
    damage: 'lost-address',
    what: 'an address is neither allocated nor free',
    isRepairable: true,
    inflict: (values) =>
      editBlock(values, (block) => ({ ...block, unallocated: block.unallocated.slice(1) })),
  },
  {
    damage: 'unused-attribute',
    what: 'an attribute of no address',
    isRepairable: true,
    inflict: (values) =>
      editBlock(values, (block) => ({
        ...block,
        attributes: [...block.attributes, { handle_id: 'net1.c9' }],
      })),
  },
  {
    damage: 'wrong-sequence-number',
    what: 'a free address has a number',
    isRepairable: true,
    inflict: (values) => editNumbers(values, '15', '1'),
  },
  {
    damage: 'wrong-sequence-number',
    what: 'an address has a number that the block has not reached',
    isRepairable: true,
    inflict: (values) => editNumbers(values, '0', '9000000000000000001'),
  },
  {
    damage: 'released-in-future',
    what: 'an address cools down from next year on',
    isRepairable: false,
    inflict: (values) => allocate(values, 15, { releasedAt: '2099-01-01T00:00:00Z' }),
  },
  {
    damage: 'address-without-handle',
    what: 'an address of nobody',
    isRepairable: false,
    inflict: (values) => allocate(values, 15, {}),
  },
  {
    damage: 'unallocated-address',
    what: 'an endpoint has a free address',
    isRepairable: false,
    inflict: (values) => addEndpoint(values, 'c9', ['10.9.0.250/32']),
  },
  {
    damage: 'address-outside-pools',
    what: 'an endpoint has an address of no pool',
    isRepairable: false,
    inflict: (values) => addEndpoint(values, 'c9', ['172.16.0.1/32']),
  },
  {
    damage: 'duplicate-address',
    what: 'two endpoints have one address',
    isRepairable: false,
    inflict: (values) => addEndpoint(values, 'c9', [addressOf(values)]),
  },
  {
    damage: 'foreign-address',
    what: "an endpoint has an address under another container's handle",
    isRepairable: false,
    inflict: (values) =>
      edit(values, endpointKey('c2'), (endpoint) => ({
        ...endpoint,
        spec: { ...endpoint.spec, containerID: 'c9' },
      })),
  },
  {
    damage: 'unreadable-record',
    what: 'a block is no JSON',
    isRepairable: false,
    inflict: (values) => values.set(`${IPAM}/assignment/ipv4/block/10.9.0.240-28`, '{"cidr":'),
  },
  {
    damage: 'unreadable-record',
    what: 'the key of a block is no CIDR',
    isRepairable: false,
    inflict: (values) => values.set(`${IPAM}/assignment/ipv4/block/nonsense`, '{}'),
  },
  {
    damage: 'unreadable-record',
    what: 'an affinity is in no state there is',
    isRepairable: false,
    inflict: (values) => values.set(affinityKey('node3', '10.9.0.240-28'), affinity('nonsense')),
  },
];

// biome-ignore lint/suspicious/noExplicitAny: whatever the records hold
type Json = any;

function remove(values: Values, part: string): void {
  const key = [...values.keys()].find((name) => name.includes(part));
  if (key === undefined) throw new Error(`nothing has ${part} in its key`);
  values.delete(key);
}

function edit(values: Values, key: string, change: (value: Json) => Json): void {
  const value = values.get(key);
  if (value === undefined) throw new Error(`there is no ${key}`);
  // Sequence numbers of these clusters begin at the time of the test, beyond 2^53: they are kept as text.
  const quoted = value.replace(/:(\d{16,})/g, ':"#$1"');
  values.set(key, JSON.stringify(change(JSON.parse(quoted))).replace(/"#(\d+)"/g, '$1'));
}

/** CIDR of the first block of node1. */
function blockOf(values: Values): string {
  return JSON.parse(values.get(blockKeyOf(values)) ?? '{}').cidr;
}

function blockKeyOf(values: Values): string {
  const key = [...values].find(
    ([name, value]) => name.includes('/ipv4/block/') && value.includes('"host:node1"'),
  )?.[0];
  if (key === undefined) throw new Error('node1 has no block');
  return key;
}

function editBlock(values: Values, change: (block: Json) => Json): void {
  edit(values, blockKeyOf(values), change);
}

function editNumbers(values: Values, ordinal: string, number: string): void {
  editBlock(values, (block) => ({
    ...block,
    sequenceNumberForAllocation: { ...block.sequenceNumberForAllocation, [ordinal]: `#${number}` },
  }));
}

function allocate(values: Values, ordinal: number, attribute: object): void {
  editBlock(values, (block) => ({
    ...block,
    allocations: block.allocations.map((index: number | null, at: number) =>
      at === ordinal ? block.attributes.length : index,
    ),
    unallocated: block.unallocated.filter((free: number) => free !== ordinal),
    attributes: [...block.attributes, attribute],
  }));
}

function addBlock(values: Values, cidr: string, owner: string | null): void {
  const size = 2 ** (32 - Number(cidr.split('/')[1]));
  const ordinals = Array.from({ length: size }, (_, ordinal) => ordinal);
  const block = {
    cidr,
    affinity: owner,
    allocations: ordinals.map(() => null),
    unallocated: ordinals,
    attributes: [],
    sequenceNumber: 1,
    sequenceNumberForAllocation: {},
    deleted: false,
  };
  values.set(`${IPAM}/assignment/ipv4/block/${segment(cidr)}`, JSON.stringify(block));
}

function addEndpoint(values: Values, containerId: string, ipNetworks: readonly string[]): void {
  const name = `node1-cni-${containerId}-eth0`;
  const spec = { orchestrator: 'cni', node: 'node1', containerID: containerId, endpoint: 'eth0', ipNetworks };
  values.set(endpointKey(containerId), JSON.stringify({ metadata: { name, namespace: 'default' }, spec }));
}

function endpointKey(containerId: string): string {
  return `${RESOURCES}/workloadendpoints/default/node1-cni-${containerId}-eth0`;
}

/** The address of the container c2, with its mask. */
function addressOf(values: Values): string {
  return JSON.parse(values.get(endpointKey('c2')) ?? '{}').spec.ipNetworks[0];
}

function affinityKey(node: string, place: string): string {
  return `${IPAM}/host/${node}/ipv4/block/${place}`;
}

function affinity(state: string): string {
  return JSON.stringify({ state, deleted: false });
}

function segment(cidr: string): string {
  return cidr.replace('/', '-');
}
