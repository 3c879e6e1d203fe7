/** Records of the datastore in which one value is wrong, or of a version to come. */

import { afterAll, beforeAll, describe, it } from 'vitest';
import { type DamagedNode, damagedNode, type Expected, type RecordName } from '../../support/damaged-node.ts';
import { whyNoNetns } from '../../support/netns.ts';
import { type SimulatedNode, startNode } from '../../support/simulated-node.ts';

const why = whyNoNetns();

/** What replaces members of the record, or of its `spec`; `undefined` takes one away. */
type Row = readonly [what: string, record: RecordName, changes: object, add: Expected, del: Expected];

const FREE: readonly (number | null)[] = Array.from({ length: 64 }, () => null);
const ORDINALS = Array.from({ length: 63 }, (_unused, i) => i + 1);

/** An ADD takes another block, and the DEL does without this one. */
const BLOCKS: readonly Row[] = (
  [
    ['no CIDR', { cidr: undefined }],
    ['a number for a CIDR', { cidr: 5 }],
    ['the CIDR of another block', { cidr: '192.168.200.0/26' }],
    ['a CIDR of sixteen million addresses', { cidr: '10.0.0.0/8' }],
    ['an IPv4 CIDR written as IPv6', { cidr: '::ffff:192.168.0.0/122' }],
    ['a CIDR of the other family', { cidr: 'fd00::/122' }],
    ['allocations that are fewer', { allocations: [0] }],
    ['allocations that are more', { allocations: [...FREE, null] }],
    ['allocations that are none', { allocations: null }],
    ['allocations by name', { allocations: { 0: 0 } }],
    ['an allocation to nobody there is', { allocations: [9, ...FREE.slice(1)] }],
    ['an allocation below zero', { allocations: [-1, ...FREE.slice(1)] }],
    ['half an allocation', { allocations: [0.5, ...FREE.slice(1)] }],
    ['an allocation as text', { allocations: ['0', ...FREE.slice(1)] }],
    ['an ordinal below zero', { unallocated: [-1] }],
    ['an ordinal beyond the block', { unallocated: [64] }],
    ['an ordinal that is free twice', { unallocated: [1, 1] }],
    ['an ordinal that is free and taken', { allocations: FREE.with(1, 0), unallocated: ORDINALS }],
    ['no attributes', { attributes: null, allocations: FREE.with(0, 0) }],
    ['attributes that are texts', { attributes: ['x'] }],
    ['a holder that is a number', { attributes: [{ handle_id: 5 }] }],
    ['an owner that is a list', { attributes: [{ handle_id: 'x', secondary: ['node1'] }] }],
    ['an affinity that is a number', { affinity: 5 }],
    ['a sequence number as text', { sequenceNumber: '7' }],
    ['a sequence number below zero', { sequenceNumber: -7 }],
    ['a huge sequence number', { sequenceNumber: 1e30 }],
    ['sequence numbers of nothing', { sequenceNumberForAllocation: { '': 7 } }],
    ['sequence numbers that are a list', { sequenceNumberForAllocation: [1] }],
  ] as const
).map(([what, changes]) => [what, 'block', changes, undefined, undefined]);

const OTHERS: readonly Row[] = [
  ['a version to come', 'block', { apiVersion: 'v9', later: { a: [1] } }, undefined, undefined],
  ['a CIDR written as IPv6', 'pool', { spec: { cidr: '::ffff:192.168.0.0/112' } }, 102, undefined],
  ['a CIDR without a mask', 'pool', { spec: { cidr: '192.168.0.0' } }, 102, undefined],
  ['blocks of sixteen million', 'pool', { spec: { cidr: '10.0.0.0/8', blockSize: 8 } }, 102, undefined],
  ['blocks below zero', 'pool', { spec: { cidr: '10.0.0.0/8', blockSize: -(2 ** 40) } }, 102, undefined],
  ['a block size as text', 'pool', { spec: { cidr: '10.0.0.0/8', blockSize: '26' } }, 102, undefined],
  ['half a block size', 'pool', { spec: { cidr: '10.0.0.0/8', blockSize: 26.5 } }, 102, undefined],
  ['a text for a list', 'pool', { spec: { cidr: '10.0.0.0/8', allowedUses: 'Workload' } }, 102, undefined],
  ['a text for a boolean', 'pool', { spec: { cidr: '10.0.0.0/8', disabled: 'no' } }, 102, undefined],
  [
    'a selector nobody can read',
    'pool',
    { spec: { cidr: '10.0.0.0/8', nodeSelector: 'rack ==' } },
    7,
    undefined,
  ],
  ['labels in a list', 'node', { metadata: { labels: ['a'] } }, 105, 105],
  ['a label that is a number', 'node', { metadata: { labels: { a: 1 } } }, 105, 105],
  ['a text for a boolean', 'cluster information', { spec: { datastoreReady: 'yes' } }, 105, 105],
  ['readiness to come', 'cluster information', { spec: { later: true } }, undefined, undefined],
  ['a text for a boolean', 'IPAM configuration', { strict_affinity: 'yes' }, 105, 105],
  ['a text for a number', 'IPAM configuration', { maxBlocksPerHost: 'many' }, 105, 105],
  ['a huge number', 'IPAM configuration', { ipCooldownSeconds: 1e300 }, 105, 105],
  [
    'numbers below zero',
    'IPAM configuration',
    { maxBlocksPerHost: -1, ipCooldownSeconds: -1 },
    undefined,
    undefined,
  ],
  ['a text for a list', 'reservation', { spec: { reservedCIDRs: '192.168.0.0/16' } }, undefined, undefined],
  [
    'what is no CIDR',
    'reservation',
    { spec: { reservedCIDRs: ['x', '', '300.1.1.1'] } },
    undefined,
    undefined,
  ],
  ['a state to come', 'affinity', { state: 'hibernating' }, undefined, undefined],
  ['a state that is a number', 'affinity', { state: 1 }, undefined, undefined],
  ['a list of blocks', 'handle', { block: ['192.168.0.0/26'] }, undefined, 105],
  ['a count as text', 'handle', { block: { '192.168.0.0/26': 'one' } }, undefined, 105],
  ['a block that is none', 'handle', { block: { x: 1 } }, undefined, undefined],
  ['a block there is not', 'handle', { block: { '192.168.9.0/26': 1 } }, undefined, undefined],
  ['what no JSON object is', 'handle to be', { block: 5 }, 105, undefined],
  ['another name', 'endpoint', { metadata: { name: '../x', namespace: 'a/b' } }, undefined, undefined],
  ['an address without a mask', 'endpoint', { spec: { ipNetworks: ['192.168.0.1'] } }, undefined, 105],
  ['a number for a list', 'endpoint', { spec: { ipNetworks: 5 } }, undefined, 105],
  ['labels in a list', 'endpoint', { metadata: { labels: [1] } }, undefined, 105],
  ['a number for a text', 'endpoint to be', { spec: { node: 5 } }, 105, undefined],
  ['a huge block', 'affinity to what is no block', { state: 'confirmed' }, undefined, undefined],
  ['a huge block', 'block that is none', { cidr: '0.0.0.0/0' }, undefined, undefined],
];

function changed(value: string, changes: object): string {
  return JSON.stringify({ ...(value === '' ? {} : JSON.parse(value)), ...changes });
}

describe.skipIf(why !== undefined)(`wrong values${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let node: SimulatedNode;
  let damaged: DamagedNode;

  beforeAll(async () => {
    node = await startNode();
    damaged = damagedNode(node);
  });
  afterAll(async () => {
    await node.stop();
  });

  it.each([...BLOCKS, ...OTHERS])('%s in the %s', (_what, record, changes, add, del) =>
    damaged.suffer({ record, damage: (value) => changed(value, changes), add, del }),
  );
});
