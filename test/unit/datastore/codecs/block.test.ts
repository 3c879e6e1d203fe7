import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBlock, encodeBlock } from '../../../../src/datastore/codecs/block.ts';

const KEY = '/calico/ipam/v2/assignment/ipv4/block/10.9.0.0-30';
const fresh = {
  cidr: '10.9.0.0/30',
  affinity: 'host:node1',
  allocations: [null, null, null, null],
  unallocated: [0, 1, 2, 3],
  attributes: [],
  sequenceNumber: 7,
  sequenceNumberForAllocation: {},
  deleted: false,
};

function decode(changes: Record<string, unknown>) {
  return decodeBlock(JSON.stringify({ ...fresh, ...changes }), KEY);
}

describe('decodeBlock()', () => {
  it('reads a block of 2021: no sequence numbers, null fields, strictAffinity', () => {
    const text =
      '{"cidr":"10.9.0.0/30","affinity":"host:node-a","strictAffinity":false,"allocations":[0,1,null,null],"unallocated":[2,3],' +
      '"attributes":[{"handle_id":"net1.old","secondary":{"node":"node-a","pod":"p","namespace":"n"}},{"handle_id":null,"secondary":null}],"deleted":false}';
    const block = decodeBlock(text, KEY);
    expect(block).toMatchObject({ sequenceNumber: 0n, affinityClaimTime: undefined, unallocated: [2, 3] });
    expect(block.attributes[1]).toMatchObject({ handleId: undefined, activeOwner: undefined });
    expect(encodeBlock(block)).toBe(
      '{"cidr":"10.9.0.0/30","affinity":"host:node-a","allocations":[0,1,null,null],"unallocated":[2,3],' +
        '"attributes":[{"handle_id":"net1.old","secondary":{"namespace":"n","node":"node-a","pod":"p"}},{}],"sequenceNumber":0,"sequenceNumberForAllocation":{},"deleted":false}',
    );
  });

  it('reads null where Go writes null for empty', () => {
    const block = decode({ attributes: null, sequenceNumberForAllocation: null, affinity: null });
    expect(block).toMatchObject({ attributes: [], affinity: undefined });
  });

  it('keeps fields it does not know, in the block and in its attributes', () => {
    const text = JSON.stringify({
      ...fresh,
      allocations: [0, null, null, null],
      unallocated: [1, 2, 3],
      attributes: [{ future: [1] }],
      future: { a: 1 },
    });
    const again = JSON.parse(encodeBlock(decodeBlock(text, KEY)));
    expect(again.future).toEqual({ a: 1 });
    expect(again.attributes[0].future).toEqual([1]);
  });

  it('keeps every unsigned 64-bit number exact', () => {
    const edges = [2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n];
    const numbers = fc.oneof(fc.constantFrom(...edges), fc.bigInt(0n, 2n ** 64n - 1n));
    fc.assert(
      fc.property(numbers, numbers, (sequence, ordinal) => {
        const text = `{"cidr":"10.9.0.0/30","allocations":[null,null,null,null],"unallocated":[],"sequenceNumber":${sequence},"sequenceNumberForAllocation":{"3":${ordinal}}}`;
        const block = decodeBlock(text, KEY);
        expect(block.sequenceNumber).toBe(sequence);
        expect(block.sequenceNumberForAllocation.get(3)).toBe(ordinal);
        expect(encodeBlock(block)).toContain(
          `"sequenceNumber":${sequence},"sequenceNumberForAllocation":{"3":${ordinal}}`,
        );
      }),
    );
  });

  it('prints sequence numbers in byte order of their ordinals, as Go does', () => {
    const sequenceNumberForAllocation = new Map([2, 10, 1, 0, 11].map((ordinal) => [ordinal, 5n]));
    expect(encodeBlock({ ...decode({}), sequenceNumberForAllocation })).toContain(
      '{"0":5,"1":5,"10":5,"11":5,"2":5}',
    );
  });

  it.each([
    ['not JSON', '{', /Expected property name|JSON/],
    ['not an object', '[]', /not a JSON object/],
    [
      'nested deeper than any stack',
      `{"unknown":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
      /it is nested too deep/,
    ],
  ])('refuses text that is %s', (_name, text, message) => {
    expect(() => decodeBlock(text, KEY)).toThrow(message);
    expect(() => decodeBlock(text, KEY)).toThrow(KEY);
  });

  it.each([
    ['no CIDR', { cidr: undefined }, /cidr must be a CIDR, found undefined/],
    ['a CIDR that is none', { cidr: '10.9.0.0' }, /cidr must be a CIDR/],
    ['a huge CIDR', { cidr: '10.0.0.0/8' }, /more than 4096 addresses/],
    [
      'the CIDR of another block',
      { cidr: '10.9.0.4/30' },
      /its CIDR is 10\.9\.0\.4\/30, which is another block's/,
    ],
    ['too few allocations', { allocations: [null] }, /1 allocations in a block of 4/],
    ['an allocation out of range', { allocations: [3, null, null, null] }, /an index below 0, found 3/],
    ['an ordinal out of range', { unallocated: [4] }, /array of ordinals, found 4/],
    ['an ordinal queued twice', { unallocated: [0, 0] }, /names ordinal 0 twice/],
    [
      'an ordinal both free and taken',
      { allocations: [0, null, null, null], attributes: [{}] },
      /ordinal 0 is allocated and unallocated/,
    ],
    ['a negative sequence number', { sequenceNumber: -1 }, /unsigned 64-bit integer, found -1/],
    ['a quoted sequence number', { sequenceNumber: '7' }, /unsigned 64-bit integer, found "7"/],
    [
      'a sequence number of no ordinal',
      { sequenceNumberForAllocation: { '': 7 } },
      /map from ordinals, found ""/,
    ],
    ['a sequence number of another block', { sequenceNumberForAllocation: { 4: 7 } }, /ordinals, found "4"/],
    ['attributes that are no list', { attributes: {} }, /attributes must be an array/],
    ['an attribute that is no object', { attributes: [5] }, /array of objects, found 5/],
  ])('refuses a block with %s', (_name, changes, message) => {
    expect(() => decode(changes)).toThrow(message);
  });
});
