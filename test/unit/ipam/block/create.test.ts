import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../../../src/base/cidr.ts';
import { encodeBlock } from '../../../../src/datastore/codecs/block.ts';
import { createBlock } from '../../../../src/ipam/block/create.ts';
import { blockViolations } from '../support/invariants.ts';

describe('createBlock()', () => {
  it('makes the block that Calico makes', () => {
    const block = createBlock(parseCidr('10.77.0.160/30'), 'host:node-a', 1_795_257_492_707_231_238n);
    expect(encodeBlock(block)).toBe(
      '{"cidr":"10.77.0.160/30","affinity":"host:node-a","affinity_claim_time":"2026-11-21T10:38:12Z",' +
        '"allocations":[null,null,null,null],"unallocated":[0,1,2,3],"attributes":[],' +
        '"sequenceNumber":1795257492707231238,"sequenceNumberForAllocation":{},"deleted":false}',
    );
  });

  it.each(['10.0.0.0/20', '10.0.0.0/32', 'fd00::/116', 'fd00::/128'])('makes a sound block of %s', (cidr) => {
    expect(blockViolations(createBlock(parseCidr(cidr), 'host:node1', 1n))).toEqual([]);
  });
});
