/** What a decision of IPAM may know of handles: read and there, read and absent, not read. */

import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../../src/base/cidr.ts';
import { ipamFacts, ipamRanges, lookRanges } from '../../../src/datastore/ipam-records.ts';
import type { Range } from '../../../src/datastore/store.ts';
import { EMPTY_VIEW, type View, withSnapshot } from '../../../src/datastore/view.ts';
import { endlessDeadline } from '../../support/cut-line.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { smallCluster } from '../../support/small-cluster.ts';

const subject = { nodeName: 'node1', handleIds: ['net1.new'] };

function store() {
  const of = createMemoryStore(smallCluster({ '10.9.0.0/28': 30 }));
  of.put('/calico/ipam/v2/handle/net1.old', '{"block":{"10.9.0.4/30":1},"deleted":false}');
  return of;
}

async function read(ranges: readonly Range[], before: View = EMPTY_VIEW): Promise<View> {
  return withSnapshot(before, ranges, await store().read(ranges, endlessDeadline()));
}

function handlesIn(view: View) {
  const { handles } = ipamFacts(view, subject, (text) => expect.unreachable(text));
  return Array.from(handles, ([id, stored]) => [id, stored && [...stored.value.addressCounts]]);
}

describe('ipamFacts()', () => {
  it('has an entry for every handle that was read, and none for others', async () => {
    const view = await read(ipamRanges(subject));
    expect(handlesIn(view)).toEqual([['net1.new', undefined]]);
  });

  it('has those that a decision asked to see as well', async () => {
    const first = await read(ipamRanges(subject));
    const look = { blocks: [], listings: [], affinities: [], handles: ['net1.old', 'test.web-1'] };
    expect(handlesIn(await read(lookRanges(look), first))).toEqual([
      ['net1.new', undefined],
      ['net1.old', [['10.9.0.4/30', 1]]],
      ['test.web-1', undefined],
    ]);
  });
});

describe('ipamFacts() of an affinity that cannot be understood', () => {
  it.each(['node1', 'node2'])(
    'has a claim of %s that nobody has confirmed, at its revision',
    async (owner) => {
      const key = `/calico/ipam/v2/host/${owner}/ipv4/block/10.9.0.4-30`;
      const damaged = createMemoryStore(new Map([[key, '{"state":']]));
      const ranges = [{ key }];
      const view = withSnapshot(EMPTY_VIEW, ranges, await damaged.read(ranges, endlessDeadline()));
      const warnings: string[] = [];
      const { affinities, otherAffinities } = ipamFacts(view, subject, (text) => warnings.push(text));
      const found = owner === 'node1' ? affinities[0] : otherAffinities.get('node2 10.9.0.4/30');
      expect(found).toMatchObject({ value: { state: 'pending' }, revision: expect.stringMatching(/^[1-9]/) });
      expect(warnings).toEqual([expect.stringContaining(key)]);
    },
  );
});

describe('lookRanges()', () => {
  it('asks for all of a look in one request', () => {
    const cidr = parseCidr('10.9.0.4/30');
    const look = {
      blocks: [cidr],
      listings: [{ family: 4 as const, withValues: false }],
      affinities: [{ nodeName: 'node2', cidr }],
      handles: ['net1.old'],
    };
    expect(lookRanges(look)).toEqual([
      { key: '/calico/ipam/v2/assignment/ipv4/block/10.9.0.4-30' },
      { key: '/calico/ipam/v2/handle/net1.old' },
      { key: '/calico/ipam/v2/host/node2/ipv4/block/10.9.0.4-30' },
      { prefix: '/calico/ipam/v2/assignment/ipv4/block/', keysOnly: true },
    ]);
  });
});
