import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cidrOf } from '../../../src/base/cidr.ts';
import { parseIpAddress } from '../../../src/base/ip-address.ts';
import { allocationFacts, allocationRanges } from '../../../src/datastore/allocation-records.ts';
import { encodeBlock } from '../../../src/datastore/codecs/block.ts';
import { blockKey, handleKey } from '../../../src/datastore/keys.ts';
import { readAll } from '../../../src/datastore/read-all.ts';
import { createBlock } from '../../../src/ipam/block/create.ts';
import { deadline } from '../../support/clock.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { addresses } from '../../support/network-arbitraries.ts';

const asked = (...texts: readonly string[]) => ({
  addresses: texts.map(parseIpAddress),
  handleIds: ['net1.own', 'own'],
  machinePrefix: 'net1.vmi.',
});

/** What is known of the allocation when the datastore holds these values. */
async function factsOf(values: ReadonlyMap<string, string>, question: ReturnType<typeof asked>) {
  const store = createMemoryStore(values);
  const view = await readAll(store, allocationRanges(question), deadline());
  return { facts: allocationFacts(view, question), requests: store.requests() };
}

describe('allocationRanges()', () => {
  it('asks for both handles and the blocks of every size around an address', () => {
    const keys = allocationRanges(asked('192.168.166.130')).map((range) =>
      'key' in range ? range.key : range,
    );
    expect(keys).toHaveLength(2 + 13);
    expect(keys).toContain('/calico/ipam/v2/handle/net1.own');
    expect(keys).toContain('/calico/ipam/v2/handle/own');
    expect(keys).toContain('/calico/ipam/v2/assignment/ipv4/block/192.168.166.128-26');
    expect(keys).toContain('/calico/ipam/v2/assignment/ipv4/block/192.168.160.0-20');
    expect(keys).toContain('/calico/ipam/v2/assignment/ipv4/block/192.168.166.130-32');
  });

  it('finds the block of any address and size with one read', async () => {
    await fc.assert(
      fc.asyncProperty(addresses, fc.nat(12), async (address, hostBits) => {
        const cidr = cidrOf(address, (address.family === 4 ? 32 : 128) - hostBits);
        const value = encodeBlock(createBlock(cidr, 'host:node1', 1n));
        const question = { ...asked(), addresses: [address] };
        const { facts, requests } = await factsOf(new Map([[blockKey(cidr), value]]), question);
        expect(facts.blocks.map((block) => block.cidr)).toEqual([cidr]);
        expect(requests).toBe(1);
      }),
      { numRuns: 50 },
    );
  });

  it('needs two reads for a pod with many addresses', async () => {
    const texts = Array.from({ length: 16 }, (_unused, i) => `10.${i}.0.1`);
    expect((await factsOf(new Map(), asked(...texts))).requests).toBe(2);
  });
});

describe('allocationFacts()', () => {
  it('knows the handles that have a record', async () => {
    const values = new Map([[handleKey('own'), '{"block":{"10.0.0.0/26":1},"deleted":false}']]);
    const { facts } = await factsOf(values, asked('10.0.0.1'));
    expect([...facts.handles.keys()]).toEqual(['own']);
    expect(facts.handles.get('own')?.addressCounts.get('10.0.0.0/26')).toBe(1);
    expect(facts.blocks).toEqual([]);
  });

  it('names the key of a record that cannot be understood', async () => {
    const key = '/calico/ipam/v2/assignment/ipv4/block/10.0.0.0-26';
    await expect(factsOf(new Map([[key, '{']]), asked('10.0.0.1'))).rejects.toMatchObject({
      kind: 'corrupt',
      message: expect.stringContaining(key),
    });
  });
});
