import { describe, expect, it } from 'vitest';
import { CalicoError } from '../../../../src/base/calico-error.ts';
import { parseIpAddress } from '../../../../src/base/ip-address.ts';
import type { Attribute } from '../../../../src/ipam/allocation-block.ts';
import { assignAddress } from '../../../../src/ipam/block/assign.ts';
import { nextVersion } from '../../../../src/ipam/block/next-version.ts';
import { releaseByHandle } from '../../../../src/ipam/block/release.ts';
import { emptyBlock, filledBlock } from '../support/blocks.ts';
import { NOW_NS } from '../support/cluster.ts';
import { blockViolations } from '../support/invariants.ts';

const owner = { handleId: 'net1.c1', owner: { node: 'node1' } };

describe('assignAddress()', () => {
  it('takes the address wherever it is in the queue', () => {
    const block = assignAddress(emptyBlock(), parseIpAddress('10.9.0.5'), owner);
    expect(block.allocations[5]).toBe(0);
    expect(block.unallocated).toEqual([0, 1, 2, 3, 4, 6, 7]);
  });

  it('names the holder of an address that is taken', () => {
    const block = filledBlock(['net1.c9']);
    expect(() => assignAddress(block, parseIpAddress('10.9.0.0'), owner)).toThrow(
      'resource already exists: 10.9.0.0 with error: Address already assigned in block: in use by handle "net1.c9" (node node1)',
    );
  });

  it('names the pod of a holder without a handle', () => {
    const block = assignAddress(emptyBlock(), parseIpAddress('10.9.0.0'), {
      handleId: undefined,
      owner: { node: 'node1', pod: 'web-1', namespace: 'test' },
    });
    expect(() => assignAddress(block, parseIpAddress('10.9.0.0'), owner)).toThrow(
      'in use without a handle (pod test/web-1, node node1)',
    );
  });

  it('takes an address from its holder where that is allowed, and from that one only', () => {
    const block = filledBlock(['net1.c8', 'net1.c9']);
    const mayTakeFrom = ({ handleId }: Attribute) => handleId === 'net1.c9';
    const after = assignAddress(block, parseIpAddress('10.9.0.1'), { ...owner, mayTakeFrom });
    expect(after.attributes.map(({ handleId }) => handleId)).toEqual(['net1.c8', 'net1.c1']);
    expect(after.unallocated).toEqual(block.unallocated);
    expect(blockViolations(nextVersion(after))).toEqual([]);
    expect(() => assignAddress(block, parseIpAddress('10.9.0.0'), { ...owner, mayTakeFrom })).toThrow(
      'net1.c8',
    );
  });

  it('refuses an address in cooldown and says since when', () => {
    const { block } = releaseByHandle(filledBlock(['net1.c9']), 'net1.c9', NOW_NS, 20);
    expect(() => assignAddress(block, parseIpAddress('10.9.0.0'), owner)).toThrow(
      'Address already assigned in block: in cooldown, released at 2026-11-21T10:38:12Z',
    );
  });

  it('refuses a block of another node under strict affinity', () => {
    const strict = { ...owner, affinityCheck: 'host:node2' };
    expect(() => assignAddress(emptyBlock(), parseIpAddress('10.9.0.0'), strict)).toThrow(
      'Block host affinity does not match',
    );
  });

  it('has no use for an address of another block', () => {
    expect(() => assignAddress(emptyBlock(), parseIpAddress('10.9.1.0'), owner)).toThrow(CalicoError);
  });
});
