import { describe, expect, it } from 'vitest';
import { parseIpAddress } from '../../../src/base/ip-address.ts';
import { formatMismatch } from '../../../src/base/mismatch.ts';
import type { AllocationBlock } from '../../../src/ipam/allocation-block.ts';
import { releaseByHandle } from '../../../src/ipam/block/release.ts';
import { allocationMismatches } from '../../../src/ipam/check-allocation.ts';
import { emptyBlock, filledBlock, legacyBlock, take } from './support/blocks.ts';
import { NOW_NS } from './support/cluster.ts';

const OWN = 'net1.own';
const LEGACY = 'test.pod';
const block = filledBlock(['net1.other', OWN]);

interface Case {
  readonly addresses?: readonly string[];
  readonly blocks?: readonly AllocationBlock[];
  /** Counts of each handle that has a record. */
  readonly handles?: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** The container of handle net1.own uses 10.9.0.1, the second address of the block. */
function mismatches({
  addresses = ['10.9.0.1'],
  blocks = [block],
  handles = { [OWN]: { '10.9.0.0/29': 1 } },
}: Case): readonly string[] {
  const records = Object.entries(handles).map(
    ([handleId, counts]) =>
      [handleId, { addressCounts: new Map(Object.entries(counts)), unknownFields: {} }] as const,
  );
  const asked = {
    addresses: addresses.map(parseIpAddress),
    handleIds: [OWN, LEGACY],
    machinePrefix: 'net1.vmi.',
  };
  return allocationMismatches(asked, { blocks, handles: new Map(records) }).map(formatMismatch);
}

describe('allocationMismatches() accepts', () => {
  it.each<[string, Case]>([
    ['an address of the handle', {}],
    ['a container without addresses that has a record', { addresses: [] }],
    [
      'more addresses than the container uses',
      { handles: { [OWN]: { '10.9.0.0/29': 2, '10.8.0.0/29': 1 } } },
    ],
    [
      'an address under the name of plugins before 2018',
      { blocks: [filledBlock(['x', LEGACY])], handles: { [LEGACY]: { '10.9.0.0/29': 1 } } },
    ],
    [
      'an address of a virtual machine, whose record is its own',
      { blocks: [filledBlock(['x', 'net1.vmi.a.b'])], handles: {} },
    ],
    ['a handle that an old migration damaged', { blocks: [filledBlock(['x', `${OWN}\r\r`])] }],
    [
      'two addresses of one block',
      {
        addresses: ['10.9.0.0', '10.9.0.1'],
        blocks: [take(emptyBlock(), OWN, 2).block],
        handles: { [OWN]: { '10.9.0.0/29': 2 } },
      },
    ],
    ['an address in one of two blocks that overlap', { blocks: [emptyBlock('10.9.0.0/30'), block] }],
  ])('%s', (_what, asked) => {
    expect(mismatches(asked)).toEqual([]);
  });
});

describe('allocationMismatches() finds', () => {
  const expected = `expected allocated to handle ${OWN}`;

  it.each<[string, Case, readonly string[]]>([
    ['no block', { blocks: [] }, [`address 10.9.0.1: ${expected}, found no block that holds it`]],
    [
      'a free address',
      { blocks: [emptyBlock()] },
      [`address 10.9.0.1 in block 10.9.0.0/29: ${expected}, found free`],
    ],
    [
      'another owner',
      { addresses: ['10.9.0.0'] },
      [`address 10.9.0.0 in block 10.9.0.0/29: ${expected}, found allocated to handle net1.other`],
    ],
    [
      'nobody’s address',
      { blocks: [legacyBlock()] },
      [`address 10.9.0.1 in block 10.9.0.0/29: ${expected}, found allocated without a handle`],
    ],
    [
      'an address in its cooldown',
      { blocks: [releaseByHandle(block, OWN, NOW_NS, 60).block] },
      [expect.stringMatching(/^address 10\.9\.0\.1 in block 10\.9\.0\.0\/29: .*, found released at 20/)],
    ],
    ['no record of the handle', { handles: {} }, [`handle ${OWN}: expected present, found missing`]],
    [
      'neither address nor record',
      { blocks: [emptyBlock()], handles: {} },
      [
        `address 10.9.0.1 in block 10.9.0.0/29: ${expected}, found free`,
        `handle ${OWN}: expected present, found missing`,
      ],
    ],
    [
      'a record that counts another block',
      { handles: { [OWN]: { '10.8.0.0/29': 1 } } },
      [`handle ${OWN}: expected 1 of block 10.9.0.0/29, found 0 of block 10.9.0.0/29`],
    ],
    [
      'a record that counts too few',
      {
        addresses: ['10.9.0.0', '10.9.0.1'],
        blocks: [take(emptyBlock(), OWN, 2).block],
      },
      [`handle ${OWN}: expected 2 of block 10.9.0.0/29, found 1 of block 10.9.0.0/29`],
    ],
    [
      'a machine of another network',
      { blocks: [filledBlock(['x', 'net2.vmi.a.b'])] },
      [`address 10.9.0.1 in block 10.9.0.0/29: ${expected}, found allocated to handle net2.vmi.a.b`],
    ],
  ])('%s', (_what, asked, found) => {
    expect(mismatches(asked)).toEqual(found);
  });
});
