import { describe, expect, it } from 'vitest';
import { isCalicoError } from '../../../src/base/calico-error.ts';
import { formatCidr, formatIpNetwork, parseCidr } from '../../../src/base/cidr.ts';
import { parseIpAddress } from '../../../src/base/ip-address.ts';
import { ABSENT } from '../../../src/base/revision.ts';
import type { AllocationBlock } from '../../../src/ipam/allocation-block.ts';
import { releaseByHandle } from '../../../src/ipam/block/release.ts';
import { planAssignment } from '../../../src/ipam/plan-assignment.ts';
import { emptyBlock, filledBlock, take } from './support/blocks.ts';
import {
  type Assigned,
  add,
  affinityRecord,
  assignmentRequest,
  blockAt,
  blockRecord,
  type Cluster,
  cluster,
  commit,
  decide,
  firstFacts,
  handleRecord,
  NOW_NS,
  node,
  pool,
  put,
  withLook,
} from './support/cluster.ts';
import { clusterViolations } from './support/invariants.ts';

const LATER_NS = NOW_NS + 61_000_000_000n;
const NODE1 = { nodes: [node('node1')] };

function given(result: ReturnType<typeof add>): readonly string[] {
  return result.plan.addresses.map(formatIpNetwork);
}

/** What was written: `block 10.9.0.0/30`, `-affinity …` for a deletion, `=block …` for a mere guard. */
function written(result: ReturnType<typeof add>): readonly string[] {
  return result.plan.changes.map((change) => {
    const sign = change.to === undefined ? '-' : change.to === 'unchanged' ? '=' : '';
    if (change.record === 'handle') return `${sign}handle ${change.handleId}`;
    const of = change.record === 'affinity' ? ` of ${change.nodeName}` : '';
    return `${sign}${change.record} ${formatCidr(change.cidr)}${of}`;
  });
}

/** What was looked at, one line for each request. */
function looked({ looks }: ReturnType<typeof add>): readonly string[] {
  return looks.map(({ blocks, listings, affinities, handles }) =>
    [
      ...blocks.map(formatCidr),
      ...listings.map(({ family, withValues }) => `all IPv${family} ${withValues ? 'blocks' : 'names'}`),
      ...affinities.map(({ nodeName, cidr }) => `${nodeName}'s ${formatCidr(cidr)}`),
      ...handles.map((handleId) => `handle ${handleId}`),
    ].join(' '),
  );
}

/** A block of four addresses with the given number taken by others, and its node's affinity. */
function owned(
  before: Cluster,
  cidr: string,
  taken: number,
  nodeName = 'node1',
  claimedNs = NOW_NS,
): Cluster {
  const handles = Array.from({ length: taken }, (_, index) => `net1.${cidr.replace('/', '-')}.${index}`);
  const block: AllocationBlock = {
    ...filledBlock(handles, emptyBlock(cidr, `host:${nodeName}`)),
    affinityClaimTime: new Date(Number(claimedNs / 1_000_000n)).toISOString(),
    sequenceNumber: claimedNs + BigInt(taken),
  };
  const records = handles.map((handleId) => handleRecord(handleId, { [cidr]: 1 }));
  return put(before, blockRecord(ofNode(block, nodeName)), affinityRecord(nodeName, cidr), ...records);
}

function ofNode(block: AllocationBlock, nodeName: string): AllocationBlock {
  return {
    ...block,
    attributes: block.attributes.map((attribute) => ({ ...attribute, activeOwner: { node: nodeName } })),
  };
}

describe('planAssignment() for a node without blocks', () => {
  it('claims one with the address already inside: block, affinity and handle in one go', () => {
    const result = add(cluster(NODE1), assignmentRequest('node1', 'net1.c1'));
    expect(given(result)).toEqual(['10.9.0.8/30']);
    expect(written(result)).toEqual(['block 10.9.0.8/30', 'affinity 10.9.0.8/30 of node1', 'handle net1.c1']);
    expect(result.plan.changes.every(({ from }) => from === ABSENT)).toBe(true);
    expect(blockAt(result.after, '10.9.0.8/30')).toMatchObject({
      affinity: 'host:node1',
      affinityClaimTime: '2026-11-21T10:38:12Z',
      sequenceNumber: NOW_NS + 1n,
      sequenceNumberForAllocation: new Map([[0, NOW_NS]]),
    });
    expect(result.plan.notes).toEqual(['claimed block 10.9.0.8/30']);
  });

  it('needs a single look, at the first blocks of its order', () => {
    const result = add(cluster({ pools: [pool('10.9.0.0/24', 30)] }), assignmentRequest('node1', 'net1.c1'));
    expect(result.looks).toHaveLength(1);
    expect(result.looks[0]?.blocks).toHaveLength(8);
    expect(result.looks[0]?.listings).toEqual([]);
  });

  it('asks for the names of all blocks only when the first eight exist, for their values only when all do', () => {
    const [big, request] = [[pool('10.9.0.0/27', 31)], assignmentRequest('node1', 'net1.c1')];
    const full = Array.from({ length: 16 }, (_, index) => `10.9.0.${index * 2}/31`);
    const crowded = (cidrs: readonly string[]) =>
      cidrs.reduce((now, cidr) => owned(now, cidr, 2, 'node2'), cluster({ pools: big }));
    const probed = add(crowded([]), request).looks[0]?.blocks.map(formatCidr) ?? [];
    const others = full.filter((cidr) => !probed.includes(cidr));

    const found = add(crowded([...probed, ...others.slice(1)]), request);
    expect(looked(found)).toEqual([probed.join(' '), 'all IPv4 names']);
    expect(given(found)).toEqual([others[0]]);

    const borrowed = () => add(crowded(full), request);
    expect(borrowed).toThrow('No IPs available in pools: [10.9.0.0/27]');
    const loose = owned(crowded(full.slice(1)), full[0] ?? '', 1, 'node2');
    expect(given(add(loose, request))).toEqual(['10.9.0.1/31']);
    expect(looked(add(loose, request))).toEqual([
      probed.join(' '),
      'all IPv4 names',
      full
        .filter((cidr) => !probed.includes(cidr))
        .sort((a, b) => orderOf(probed, a) - orderOf(probed, b))
        .join(' '),
    ]);
  });

  it('lists all values instead of naming more than 64 blocks', () => {
    const cidrs = Array.from({ length: 128 }, (_, index) => `10.9.0.${index * 2}/31`);
    const full = cidrs.reduce(
      (now, cidr) => owned(now, cidr, 2, 'node2'),
      cluster({ pools: [pool('10.9.0.0/24', 31)] }),
    );
    const withRoom = owned(full, '10.9.0.66/31', 1, 'node3');
    const result = add(withRoom, assignmentRequest('node1', 'net1.c1'));
    expect(looked(result).slice(1)).toEqual(['all IPv4 names', 'all IPv4 blocks']);
    expect(given(result)).toEqual(['10.9.0.67/31']);
  });
});

/** The order goes on after the probes and wraps around. */
function orderOf(probed: readonly string[], cidr: string): number {
  const last = Number(probed.at(-1)?.split(/[./]/)[3]);
  return (Number(cidr.split(/[./]/)[3]) - last + 32) % 32;
}

describe('planAssignment() for a node with blocks', () => {
  it('looks at all of them at once and at nothing else, and writes block and handle only', () => {
    const before = owned(owned(cluster(NODE1), '10.9.0.0/30', 4), '10.9.0.12/30', 1);
    const result = add(before, assignmentRequest('node1', 'net1.c1'));
    expect(looked(result)).toEqual(['10.9.0.0/30 10.9.0.12/30']);
    expect(given(result)).toEqual(['10.9.0.13/30']);
    expect(written(result)).toEqual(['block 10.9.0.12/30', 'handle net1.c1']);
  });

  it('fills them in key order, which is text order', () => {
    const before = owned(owned(cluster(NODE1), '10.9.0.8/30', 0), '10.9.0.12/30', 0);
    expect(given(add(before, assignmentRequest('node1', 'net1.c1')))).toEqual(['10.9.0.12/30']);
  });

  it('needs no look when a block with room has been read along with the rest', () => {
    const before = owned(owned(cluster(NODE1), '10.9.0.0/30', 0), '10.9.0.4/30', 1);
    const hinted = withLook(firstFacts(before, 'node1', ['net1.c1']), before, {
      blocks: [parseCidr('10.9.0.4/30')],
      listings: [],
      affinities: [],
      handles: [],
    });
    const plan = planAssignment(assignmentRequest('node1', 'net1.c1'), hinted);
    expect(plan.outcome === 'assigned' && plan.addresses.map(formatIpNetwork)).toEqual(['10.9.0.5/30']);
  });

  it('claims another when all are full', () => {
    const before = owned(cluster(NODE1), '10.9.0.8/30', 4);
    const result = add(before, assignmentRequest('node1', 'net1.c1'));
    expect(given(result)).toEqual(['10.9.0.12/30']);
    expect(result.looks).toHaveLength(2);
  });

  it('finds room that a cooldown gives back, and stores that', () => {
    const before = owned(cluster({ ...NODE1, config: { cooldownSeconds: 20 } }), '10.9.0.8/30', 4);
    const cooling = releaseByHandle(blockAt(before, '10.9.0.8/30'), 'net1.10.9.0.8-30.2', NOW_NS, 20).block;
    const then = put(before, blockRecord(cooling));
    expect(given(add(then, assignmentRequest('node1', 'net1.c1')))).toEqual(['10.9.0.12/30']);
    expect(given(add(then, assignmentRequest('node1', 'net1.c1', { nowNs: LATER_NS })))).toEqual([
      '10.9.0.10/30',
    ]);
  });

  it('reads more than 64 blocks in several looks', () => {
    const cidrs = Array.from({ length: 70 }, (_, index) => `10.9.${index}.0/24`);
    const before = cidrs.reduce(
      (now, cidr) => put(now, affinityRecord('node1', cidr), blockRecord(full(cidr))),
      cluster({ ...NODE1, pools: [pool('10.9.0.0/16', 24)], config: { maxBlocksPerHost: 100 } }),
    );
    const { looks } = add(before, assignmentRequest('node1', 'net1.c1'));
    expect(looks.map(({ blocks }) => blocks.length)).toEqual([64, 6, 8]);
  });

  function full(cidr: string): AllocationBlock {
    return take(emptyBlock(cidr), 'net1.many', 256).block;
  }
});

describe('planAssignment() asked again', () => {
  const request = assignmentRequest('node1', 'net1.c1', { families: [4, 6] });
  const pools = [pool('10.9.0.0/28', 30), pool('fd00::/124', 126)];

  it('returns what the handle has and writes nothing', () => {
    const first = add(cluster({ pools }), request);
    const second = add(first.after, request);
    expect(given(second)).toEqual(given(first));
    expect(written(second)).toEqual(['=block 10.9.0.8/30', '=block fd00::8/126', '=handle net1.c1']);
    expect(second.looks).toHaveLength(1);
  });

  it('does so also when the pool has been disabled meanwhile', () => {
    const { after } = add(cluster({ pools }), request);
    const disabled = { ...after, pools: pools.map((one) => ({ ...one, enabled: false })) };
    expect(written(add(disabled, request))).toEqual([
      '=block 10.9.0.8/30',
      '=block fd00::8/126',
      '=handle net1.c1',
    ]);
  });

  it('assigns only the family that is missing', () => {
    const { after } = add(cluster({ pools }), { ...request, families: [4] });
    const result = add(after, request);
    expect(given(result)).toEqual(['10.9.0.8/30', 'fd00::8/126']);
    expect(result.after.handles.get('net1.c1')?.value.addressCounts).toEqual(
      new Map([
        ['10.9.0.8/30', 1],
        ['fd00::8/126', 1],
      ]),
    );
  });

  it('writes a handle again that was lost', () => {
    const { after } = add(cluster({ pools }), request);
    const lost = put(after, { record: 'handle', handleId: 'net1.c1', from: '', to: undefined });
    const result = add(lost, request);
    expect(given(result)).toEqual(['10.9.0.8/30', 'fd00::8/126']);
    expect(written(result)).toEqual(['=block 10.9.0.8/30', '=block fd00::8/126', 'handle net1.c1']);
    expect(clusterViolations(result.after)).toEqual([]);
  });

  it.each([
    { what: 'a block that holds nothing of it', counts: { '10.9.0.0/30': 1 } },
    { what: 'a block that does not exist', counts: { '10.9.0.4/30': 1 } },
    { what: 'no block at all', counts: { nonsense: 1 } },
    { what: 'too many', counts: { '10.9.0.8/30': 3 } },
  ])('corrects a handle that counts $what', ({ counts }) => {
    const begun = owned(cluster({ pools }), '10.9.0.0/30', 4, 'node2');
    const before = put(begun, handleRecord('net1.c1', counts));
    const result = add(before, { ...request, families: [4] });
    const [block = ''] = result.plan.changes.flatMap((change) =>
      change.record === 'block' ? [formatCidr(change.cidr)] : [],
    );
    expect(result.after.handles.get('net1.c1')?.value.addressCounts).toEqual(new Map([[block, 1]]));
    expect(clusterViolations(result.after)).toEqual([]);
  });

  it('is an internal error when the handle was never read', () => {
    const facts = firstFacts(cluster({ pools }), 'node1', []);
    expect(() => planAssignment(request, facts)).toThrow(
      'handle "net1.c1" was not read before deciding on it',
    );
  });
});

describe('planAssignment() for both families', () => {
  const request = assignmentRequest('node1', 'net1.c1', { families: [4, 6] });

  it('has both in the same changes, after one common look', () => {
    const result = add(cluster({ pools: [pool('10.9.0.0/28', 30), pool('fd00::/124', 126)] }), request);
    expect(result.looks).toHaveLength(1);
    expect(written(result)).toEqual([
      'block 10.9.0.8/30',
      'affinity 10.9.0.8/30 of node1',
      'block fd00::8/126',
      'affinity fd00::8/126 of node1',
      'handle net1.c1',
    ]);
  });

  it.each([
    { pools: [pool('10.9.0.0/28', 30)], message: 'cannot find a qualified ippool' },
    {
      pools: [pool('10.9.0.0/28', 30), pool('fd00::/127', 127)],
      message:
        'failed to request IPv6 addresses: Assigned 0 out of 1 requested IPv6 addresses; No IPs available in pools: [fd00::/127]',
    },
  ])('has neither when one cannot be had: $message', ({ pools, message }) => {
    const before = cluster({ pools, reservations: [parseCidr('fd00::/64')] });
    expect(() => add(before, request)).toThrow(message);
  });
});

describe('planAssignment() and affinities', () => {
  it.each(['pending', 'pendingDeletion'] as const)('confirms one that is %s', (state) => {
    const before = put(
      owned(cluster(NODE1), '10.9.0.0/30', 1),
      affinityRecord('node1', '10.9.0.0/30', state),
    );
    const result = add(before, assignmentRequest('node1', 'net1.c1'));
    expect(written(result)).toContain('affinity 10.9.0.0/30 of node1');
    expect(result.after.affinities.get('node1 10.9.0.0/30')?.value.state).toBe('confirmed');
  });

  it.each(['pending', 'confirmed'] as const)('creates the block that a %s one lacks', (state) => {
    const before = put(cluster(NODE1), affinityRecord('node1', '10.9.0.4/30', state));
    const result = add(before, assignmentRequest('node1', 'net1.c1'));
    expect(given(result)).toEqual(['10.9.0.4/30']);
    // Unchanged or not, the record is guarded: a block without it would be nobody's to find.
    expect(result.plan.changes.map(({ record }) => record)).toEqual(['block', 'affinity', 'handle']);
    expect(clusterViolations(result.after)).toEqual([]);
  });

  it('deletes some that are to blocks of others, and goes on', () => {
    const pools = [pool('10.9.0.0/27', 30)];
    const cidrs = [0, 4, 8, 12, 16, 20].map((last) => `10.9.0.${last}/30`);
    const stale = cidrs.reduce(
      (now, cidr) => put(owned(now, cidr, 1, 'node2'), affinityRecord('node1', cidr)),
      cluster({ pools, config: { maxBlocksPerHost: 1 } }),
    );
    const result = add(stale, assignmentRequest('node1', 'net1.c1'));
    expect(given(result)).toEqual(['10.9.0.24/30']);
    expect(written(result).filter((line) => line.startsWith('-affinity'))).toHaveLength(4);
    const again = add(result.after, assignmentRequest('node1', 'net1.c2'));
    const left = [...again.after.affinities.keys()].filter((id) => id.startsWith('node1 '));
    expect(left).toEqual(['node1 10.9.0.24/30']);
  });

  it('leaves one alone whose block cannot be judged', () => {
    const odd = { ...emptyBlock('10.9.0.8/30'), affinity: 'virtual:unreadable', unallocated: [] };
    const before = put(cluster(NODE1), blockRecord(odd), affinityRecord('node1', '10.9.0.8/30'));
    expect(written(add(before, assignmentRequest('node1', 'net1.c1')))).not.toContain(
      '-affinity 10.9.0.8/30 of node1',
    );
  });

  it.each([true, false])(
    'adopts an empty block that nobody claims, with strict affinity %s',
    (strictAffinity) => {
      const orphan = { ...emptyBlock('10.9.0.0/30'), affinity: undefined, affinityClaimTime: undefined };
      const before = put(
        cluster({ ...NODE1, pools: [pool('10.9.0.0/30', 30)], config: { strictAffinity } }),
        blockRecord(orphan),
      );
      const result = add(before, assignmentRequest('node1', 'net1.c1'));
      expect(given(result)).toEqual(['10.9.0.0/30']);
      expect(clusterViolations(result.after)).toEqual([]);
      expect(blockAt(result.after, '10.9.0.0/30').affinity).toBe('host:node1');
    },
  );

  it('takes back an unclaimed block in which only its own pods are left', () => {
    const mine = { ...blockAt(owned(cluster(), '10.9.0.0/30', 2), '10.9.0.0/30'), affinity: undefined };
    const before = put(owned(cluster(NODE1), '10.9.0.0/30', 2), blockRecord(mine));
    expect(given(add(before, assignmentRequest('node1', 'net1.c1')))).toEqual(['10.9.0.2/30']);
  });

  it('uses its own block although the affinity record was lost, and writes it again', () => {
    const before = put(owned(cluster({ ...NODE1, pools: [pool('10.9.0.0/30', 30)] }), '10.9.0.0/30', 1), {
      record: 'affinity',
      nodeName: 'node1',
      cidr: parseCidr('10.9.0.0/30'),
      from: '',
      to: undefined,
    });
    const result = add(before, assignmentRequest('node1', 'net1.c1'));
    expect(given(result)).toEqual(['10.9.0.1/30']);
    expect(written(result)).toContain('affinity 10.9.0.0/30 of node1');
  });
});

describe('planAssignment() and blocks whose pool has changed', () => {
  const elsewhere = pool('10.8.0.0/28', 30, { nodeSelector: 'rack == "b"' });

  function withOldBlocks(...pools: readonly (typeof elsewhere)[]): Cluster {
    const start = cluster({ ...NODE1, pools: [pool('10.9.0.0/28', 30), ...pools] });
    return owned(owned(start, '10.8.0.0/30', 0), '10.8.0.4/30', 1);
  }

  it('gives an empty one back when the pool selects this node no longer', () => {
    const result = add(withOldBlocks(elsewhere), assignmentRequest('node1', 'net1.c1'));
    expect(given(result)).toEqual(['10.9.0.8/30']);
    expect(written(result)).toEqual([
      'block 10.9.0.8/30',
      'affinity 10.9.0.8/30 of node1',
      '-block 10.8.0.0/30',
      '-affinity 10.8.0.0/30 of node1',
      'handle net1.c1',
    ]);
  });

  it('also when the pool is gone', () => {
    expect(written(add(withOldBlocks(), assignmentRequest('node1', 'net1.c1')))).toContain(
      '-block 10.8.0.0/30',
    );
  });

  it.each([
    ['is disabled', { enabled: false }],
    ['is for tunnels', { nodeSelector: 'all()', allowedUses: ['Tunnel'] }],
    ['is not automatic', { nodeSelector: 'all()', automatic: false }],
  ])('keeps it when the pool %s', (_what, changes) => {
    const before = withOldBlocks({ ...elsewhere, ...changes });
    expect(written(add(before, assignmentRequest('node1', 'net1.c1')))).toHaveLength(3);
  });

  it('does not look at them on purpose', () => {
    const before = owned(withOldBlocks(elsewhere), '10.9.0.0/30', 1);
    const block = { blocks: [parseCidr('10.9.0.0/30')], listings: [], affinities: [], handles: [] };
    const facts = withLook(firstFacts(before, 'node1', ['net1.c1']), before, block);
    expect(planAssignment(assignmentRequest('node1', 'net1.c1'), facts).outcome).toBe('assigned');
  });

  it('takes nothing from them although they have room', () => {
    expect(
      given(add(withOldBlocks({ ...elsewhere, enabled: false }), assignmentRequest('node1', 'x'))),
    ).toEqual(['10.9.0.8/30']);
  });
});

describe('planAssignment() when every block exists', () => {
  const tiny = { pools: [pool('10.9.0.0/29', 30)] };
  const request = assignmentRequest('node1', 'net1.c1', { nowNs: LATER_NS });

  it('takes over an empty block that another node has had for a minute', () => {
    const before = owned(owned(cluster(tiny), '10.9.0.0/30', 0, 'node2'), '10.9.0.4/30', 1, 'node2');
    const result = add(before, request);
    expect(given(result)).toEqual(['10.9.0.0/30']);
    expect(written(result)).toEqual([
      'block 10.9.0.0/30',
      '-affinity 10.9.0.0/30 of node2',
      'affinity 10.9.0.0/30 of node1',
      'handle net1.c1',
    ]);
    expect(looked(result).at(-1)).toBe("node2's 10.9.0.0/30");
    expect(clusterViolations(result.after)).toEqual([]);
  });

  it('guards an affinity of the other node that does not exist', () => {
    const before = put(owned(owned(cluster(tiny), '10.9.0.0/30', 0, 'node2'), '10.9.0.4/30', 1, 'node2'), {
      record: 'affinity',
      nodeName: 'node2',
      cidr: parseCidr('10.9.0.0/30'),
      from: '',
      to: undefined,
    });
    const theirs = add(before, request).plan.changes.find(
      (change) => change.record === 'affinity' && change.nodeName === 'node2',
    );
    expect(theirs).toMatchObject({ from: ABSENT, to: undefined });
  });

  it('lets the numbers of a block it takes over go on, also when its own clock is behind', () => {
    const ahead = { ...emptyBlock('10.9.0.0/30', 'host:node2'), affinityClaimTime: undefined };
    const before = put(
      owned(cluster(tiny), '10.9.0.4/30', 4, 'node2'),
      blockRecord({ ...ahead, sequenceNumber: LATER_NS * 2n }),
      affinityRecord('node2', '10.9.0.0/30'),
    );
    const after = blockAt(add(before, request).after, '10.9.0.0/30');
    expect(after.sequenceNumber).toBe(LATER_NS * 2n + 2n);
    expect(after.sequenceNumberForAllocation.get(0)).toBe(LATER_NS * 2n + 1n);
  });

  it('borrows when none is old enough, and the block stays the other node’s', () => {
    const before = owned(owned(cluster(tiny), '10.9.0.0/30', 0, 'node2'), '10.9.0.4/30', 3, 'node2');
    const result = add(before, { ...request, nowNs: NOW_NS });
    expect(written(result)).toEqual(['block 10.9.0.0/30', 'handle net1.c1']);
    const block = blockAt(result.after, '10.9.0.0/30');
    expect(block.affinity).toBe('host:node2');
    expect(block.attributes[0]?.activeOwner?.node).toBe('node1');
    expect(result.plan.notes).toEqual(['borrowed from block 10.9.0.0/30, whose affinity is host:node2']);
  });

  it('uses the stale affinity it has to a block it takes over, and leaves the one to a block it borrows from', () => {
    const full = owned(cluster(tiny), '10.9.0.4/30', 4, 'node2');
    const before = put(owned(full, '10.9.0.0/30', 0, 'node2'), affinityRecord('node1', '10.9.0.0/30'));
    const { after } = add(before, request);
    expect([...after.affinities.keys()].sort()).toEqual(['node1 10.9.0.0/30', 'node2 10.9.0.4/30']);
    const borrowed = add(before, { ...request, nowNs: NOW_NS });
    expect(written(borrowed)).toEqual(['block 10.9.0.0/30', 'handle net1.c1']);
  });

  it('needs no listing of a pool that it has read as a whole', () => {
    const before = owned(owned(cluster(tiny), '10.9.0.0/30', 1, 'node2'), '10.9.0.4/30', 1, 'node2');
    expect(looked(add(before, request))).toEqual(['10.9.0.0/30 10.9.0.4/30']);
  });

  it('tries the pools in their order', () => {
    const pools = [pool('10.9.0.0/30', 30), pool('10.8.0.0/30', 30)];
    const before = owned(owned(cluster({ pools }), '10.9.0.0/30', 4, 'node2'), '10.8.0.0/30', 2, 'node2');
    expect(given(add(before, request))).toEqual(['10.8.0.2/30']);
  });

  it.each([
    {
      strictAffinity: false,
      reason: 'No IPs available in pools: [10.9.0.0/29]',
    },
    {
      strictAffinity: true,
      reason: 'No more free affine blocks and strict affinity enabled',
    },
  ])('says so when nothing is left, with strict affinity $strictAffinity', ({ strictAffinity, reason }) => {
    const room = strictAffinity ? 1 : 4;
    const before = owned(
      owned(cluster({ ...tiny, config: { strictAffinity } }), '10.9.0.0/30', room, 'node2'),
      '10.9.0.4/30',
      room,
      'node3',
    );
    expect(() => add(before, request)).toThrow(
      `failed to request IPv4 addresses: Assigned 0 out of 1 requested IPv4 addresses; ${reason}`,
    );
    expect(() => add(before, request)).toThrow(
      expect.toSatisfy((error) => isCalicoError(error, 'no-address')),
    );
  });

  it('gives up at once on a pool of 2^108 blocks that is reserved as a whole', () => {
    const before = cluster({ pools: [pool('fd00::/16', 124)], reservations: [parseCidr('fd00::/15')] });
    expect(() => add(before, assignmentRequest('node1', 'net1.c1', { families: [6] }))).toThrow(
      'No IPs available in pools: [fd00::/16]',
    );
  });
});

describe('planAssignment() and its limits', () => {
  it.each([
    { maxBlocksPerHost: 2, owns: 2, may: false },
    { maxBlocksPerHost: 2, owns: 1, may: true },
    { maxBlocksPerHost: 0, owns: 19, may: true },
    { maxBlocksPerHost: 0, owns: 20, may: false },
  ])('claims with $owns blocks of $maxBlocksPerHost: $may', ({ maxBlocksPerHost, owns, may }) => {
    const cidrs = Array.from({ length: owns }, (_, index) => `10.9.0.${index * 4}/30`);
    const before = cidrs.reduce(
      (now, cidr) => owned(now, cidr, 4),
      cluster({ pools: [pool('10.9.0.0/24', 30)], config: { maxBlocksPerHost } }),
    );
    const act = () => add(before, assignmentRequest('node1', 'net1.c1'));
    if (may) expect(given(act())).toHaveLength(1);
    else expect(act).toThrow('cannot allocate new block due to per host block limit');
  });

  it('names limit and blocks in the details', () => {
    const before = owned(cluster({ config: { maxBlocksPerHost: 1 } }), '10.9.0.0/30', 4);
    expect(() => add(before, assignmentRequest('node1', 'net1.c1'))).toThrow(
      expect.toSatisfy(
        (error) =>
          isCalicoError(error) &&
          error.details?.includes(
            'limit of 1 blocks reached for this node; node node1 owns 1 IPv4 blocks',
          ) === true &&
          error.details.includes('[10.9.0.0/30]'),
      ),
    );
  });

  it('counts only the blocks of the pools in question, and keeps filling them', () => {
    const pools = [pool('10.9.0.0/28', 30), pool('10.8.0.0/28', 30, { automatic: false })];
    const before = owned(cluster({ pools, config: { maxBlocksPerHost: 1 } }), '10.8.0.0/30', 0);
    const { after } = add(before, assignmentRequest('node1', 'net1.c1'));
    expect(given(add(after, assignmentRequest('node1', 'net1.c2')))).toEqual(['10.9.0.9/30']);
  });

  it('claims nothing when blocks are not to be allocated automatically', () => {
    const config = { autoAllocateBlocks: false };
    expect(() => add(cluster({ config }), assignmentRequest('node1', 'net1.c1'))).toThrow(
      'failed to find or claim a block',
    );
    const before = owned(cluster({ config }), '10.9.0.0/30', 1);
    expect(given(add(before, assignmentRequest('node1', 'net1.c1')))).toEqual(['10.9.0.1/30']);
  });

  it('passes over reserved addresses and blocks', () => {
    const reservations = ['10.9.0.8/30', '10.9.0.12/32'].map(parseCidr);
    const result = add(cluster({ ...NODE1, reservations }), assignmentRequest('node1', 'net1.c1'));
    expect(given(result)).toEqual(['10.9.0.13/30']);
  });

  it('takes from the requested pool only', () => {
    const pools = [pool('10.8.0.0/28', 30), pool('10.9.0.0/28', 30)];
    const requestedPools = [parseCidr('10.9.0.0/28')];
    const before = owned(cluster({ pools }), '10.8.0.0/30', 1);
    expect(given(add(before, assignmentRequest('node1', 'net1.c1', { requestedPools })))).toEqual([
      '10.9.0.8/30',
    ]);
  });
});

describe('planAssignment() of requested addresses', () => {
  function asking(...addresses: readonly string[]) {
    return assignmentRequest('node1', 'net1.c1', {
      families: [],
      requestedAddresses: addresses.map(parseIpAddress),
    });
  }

  it('claims the block it takes for that', () => {
    const result = add(cluster(NODE1), asking('10.9.0.6'));
    expect(given(result)).toEqual(['10.9.0.6/32']);
    expect(looked(result)).toEqual(['10.9.0.4/30']);
    expect(blockAt(result.after, '10.9.0.4/30').allocations).toEqual([null, null, 0, null]);
    expect(clusterViolations(result.after)).toEqual([]);
  });

  it('takes several at once, two of one block with one update', () => {
    const pools = [pool('10.9.0.0/28', 30), pool('fd00::/124', 126)];
    const result = add(cluster({ pools }), asking('10.9.0.6', 'fd00::5', '10.9.0.5'));
    expect(given(result)).toEqual(['10.9.0.6/32', 'fd00::5/128', '10.9.0.5/32']);
    expect(blockAt(result.after, '10.9.0.4/30').sequenceNumber).toBe(NOW_NS + 1n);
    expect(result.after.handles.get('net1.c1')?.value.addressCounts).toEqual(
      new Map([
        ['10.9.0.4/30', 2],
        ['fd00::4/126', 1],
      ]),
    );
  });

  it('takes one of another node’s block, unless affinity is strict', () => {
    const before = owned(cluster(), '10.9.0.4/30', 1, 'node2');
    expect(written(add(before, asking('10.9.0.6')))).toEqual(['block 10.9.0.4/30', 'handle net1.c1']);
    const strict = { ...before, config: { ...before.config, strictAffinity: true } };
    expect(() => add(strict, asking('10.9.0.6'))).toThrow('Block host affinity does not match');
  });

  it('asks neither selectors nor reservations nor limits, nor whether the Node exists', () => {
    const before = cluster({
      nodes: [],
      pools: [pool('10.9.0.0/28', 30, { nodeSelector: '!all()', automatic: false })],
      reservations: [parseCidr('10.9.0.0/28')],
      config: { autoAllocateBlocks: false },
    });
    expect(given(add(before, asking('10.9.0.6')))).toEqual(['10.9.0.6/32']);
  });

  it('returns what it has when asked again', () => {
    const { after } = add(cluster(), asking('10.9.0.6'));
    expect(written(add(after, asking('10.9.0.6')))).toEqual(['=block 10.9.0.4/30', '=handle net1.c1']);
  });

  it('names the holder of an address that is taken, and then gives none of the others', () => {
    const { after } = add(cluster(), { ...asking('10.9.0.6'), handleId: 'net1.other' });
    expect(() => add(after, asking('10.9.0.5', '10.9.0.6'))).toThrow(
      'resource already exists: 10.9.0.6 with error: Address already assigned in block: in use by handle "net1.other" (node node1)',
    );
  });

  it('refuses an address of no enabled pool, with Calico’s line feed', () => {
    const disabled = cluster({ pools: [pool('10.9.0.0/28', 30, { enabled: false })] });
    for (const before of [disabled, cluster({ pools: [] })]) {
      expect(() => add(before, asking('10.9.0.6'))).toThrow(
        /^The provided IP address is not in a configured pool\n$/,
      );
    }
  });

  it('refuses an address of a pool for another use', () => {
    const before = cluster({ pools: [pool('10.9.0.0/28', 30, { allowedUses: ['Tunnel'] })] });
    expect(() => add(before, asking('10.9.0.6'))).toThrow(
      'IP address 10.9.0.6 is in IP pool "10.9.0.0/28", which is not allowed for use "Workload" (allowedUses: [Tunnel])',
    );
  });
});

describe('planAssignment() on facts that are old', () => {
  it('loses against whoever was faster, and then takes the next address', () => {
    const before = owned(cluster(NODE1), '10.9.0.8/30', 1);
    const old = firstFacts(before, 'node1', ['net1.c1']);
    const { after } = add(before, assignmentRequest('node1', 'net1.faster'));
    const late = decide<Assigned>(before, old, (facts) =>
      planAssignment(assignmentRequest('node1', 'net1.c1'), facts),
    );
    expect(commit(after, late.plan.changes)).toBeUndefined();
    expect(given(add(after, assignmentRequest('node1', 'net1.c1')))).toEqual(['10.9.0.10/30']);
  });

  it('never claims a block that has appeared meanwhile', () => {
    const start = cluster();
    const request = assignmentRequest('node1', 'net1.c1');
    const { plan } = add(start, request);
    const taken = owned(start, '10.9.0.8/30', 0, 'node2');
    expect(commit(taken, plan.changes)).toBeUndefined();
  });

  it('uses the block that another call of this node has claimed since the affinities were read', () => {
    const old = firstFacts(cluster(NODE1), 'node1', ['net1.c1']);
    const { after } = add(cluster(NODE1), assignmentRequest('node1', 'net1.faster'));
    const { plan } = decide<Assigned>(after, old, (facts) =>
      planAssignment(assignmentRequest('node1', 'net1.c1'), facts),
    );
    expect(plan.addresses.map(formatIpNetwork)).toEqual(['10.9.0.9/30']);
    // The affinity it did not see makes it lose once, after which it knows.
    expect(commit(after, plan.changes)).toBeUndefined();
  });

  it('trusts what it read of a block more than an older listing', () => {
    const before = owned(cluster(NODE1), '10.9.0.8/30', 4, 'node2');
    const facts = {
      ...withLook(firstFacts(before, 'node1', ['net1.c1']), before, {
        blocks: [parseCidr('10.9.0.8/30'), parseCidr('10.9.0.12/30')],
        listings: [],
        affinities: [],
        handles: [],
      }),
      blockListings: new Map([[4, new Set(['10.9.0.12/30'])]] as const),
    };
    const plan = planAssignment(assignmentRequest('node1', 'net1.c1'), facts);
    expect(plan.outcome === 'assigned' && plan.addresses.map(formatIpNetwork)).toEqual(['10.9.0.12/30']);
  });
});
