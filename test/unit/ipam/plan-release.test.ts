import { describe, expect, it } from 'vitest';
import { formatCidr } from '../../../src/base/cidr.ts';
import { formatIpAddress, parseIpAddress } from '../../../src/base/ip-address.ts';
import { planRelease } from '../../../src/ipam/plan-release.ts';
import { emptyBlock, filledBlock, take } from './support/blocks.ts';
import {
  add,
  affinityRecord,
  assignmentRequest,
  blockAt,
  blockRecord,
  type Cluster,
  cluster,
  del,
  firstFacts,
  handleRecord,
  NOW_NS,
  node,
  pool,
  put,
} from './support/cluster.ts';
import { clusterViolations } from './support/invariants.ts';

const NODE1 = cluster({ nodes: [node('node1')] });

function withPods(before: Cluster, ...handleIds: readonly string[]): Cluster {
  return handleIds.reduce((now, handleId) => add(now, assignmentRequest('node1', handleId)).after, before);
}

function written(result: ReturnType<typeof del>): readonly string[] {
  return result.plan.changes.map((change) => {
    const name = change.record === 'handle' ? change.handleId : formatCidr(change.cidr);
    const sign = change.to === undefined ? '-' : change.to === 'unchanged' ? '=' : '';
    return `${sign}${change.record} ${name}`;
  });
}

function released(result: ReturnType<typeof del>): readonly string[] {
  return result.plan.released.map(formatIpAddress);
}

describe('planRelease()', () => {
  it('returns the address and deletes the handle; the block stays', () => {
    const result = del(withPods(NODE1, 'net1.c1', 'net1.c2'), 'node1', ['net1.c1']);
    expect(released(result)).toEqual(['10.9.0.8']);
    expect(written(result)).toEqual(['block 10.9.0.8/30', '-handle net1.c1']);
    expect(clusterViolations(result.after)).toEqual([]);
  });

  it('looks only at the blocks the handle names', () => {
    const other = put(
      withPods(NODE1, 'net1.c1'),
      affinityRecord('node1', '10.9.0.0/30'),
      blockRecord(emptyBlock('10.9.0.0/30')),
    );
    const { looks } = del(other, 'node1', ['net1.c1', 'c1']);
    expect(looks.map(({ blocks }) => blocks.map(formatCidr))).toEqual([['10.9.0.8/30']]);
  });

  it('has nothing to do the second time', () => {
    const { after } = del(withPods(NODE1, 'net1.c1'), 'node1', ['net1.c1']);
    const again = del(after, 'node1', ['net1.c1']);
    expect(again.plan.changes).toEqual([]);
    expect(released(again)).toEqual([]);
  });

  it('has nothing to do for a node that has nothing, without a look', () => {
    const result = del(NODE1, 'node1', ['net1.c1', 'c1']);
    expect(result.plan.changes).toEqual([]);
    expect(result.looks).toEqual([]);
  });

  it('releases all names of an owner in one update of their block', () => {
    const before = withPods(NODE1, 'net1.c1', 'default.pod1', 'net1.c2');
    const number = blockAt(before, '10.9.0.8/30').sequenceNumber;
    const result = del(before, 'node1', ['net1.c1', 'default.pod1']);
    expect(released(result)).toEqual(['10.9.0.8', '10.9.0.9']);
    expect(written(result)).toEqual(['block 10.9.0.8/30', '-handle net1.c1', '-handle default.pod1']);
    expect(blockAt(result.after, '10.9.0.8/30').sequenceNumber).toBe(number + 1n);
  });

  it('releases both families at once', () => {
    const pools = [pool('10.9.0.0/28', 30), pool('fd00::/124', 126)];
    const { after } = add(cluster({ pools }), assignmentRequest('node1', 'net1.c1', { families: [4, 6] }));
    expect(released(del(after, 'node1', ['net1.c1']))).toEqual(['10.9.0.8', 'fd00::8']);
  });

  it('returns a borrowed address and leaves the block to its node', () => {
    const block = { ...filledBlock(['net1.c1'], emptyBlock('10.9.0.4/30', 'host:node2')) };
    const before = put(
      NODE1,
      blockRecord(block),
      affinityRecord('node2', '10.9.0.4/30'),
      handleRecord('net1.c1', { '10.9.0.4/30': 1 }),
    );
    const { after } = del(before, 'node1', ['net1.c1']);
    expect(blockAt(after, '10.9.0.4/30').affinity).toBe('host:node2');
  });

  it('lets the address cool down', () => {
    const cooling = { ...withPods(NODE1, 'net1.c1'), config: { ...NODE1.config, cooldownSeconds: 20 } };
    const { after } = del(cooling, 'node1', ['net1.c1']);
    expect(blockAt(after, '10.9.0.8/30').unallocated).toEqual([1, 2, 3]);
    expect(after.handles.size).toBe(0);
  });

  it('says it is an internal error when a handle was never read', () => {
    const request = { handleIds: ['net1.c1'], nodeName: 'node1', nowNs: NOW_NS };
    expect(() => planRelease(request, firstFacts(NODE1, 'node1', []))).toThrow('was not read');
  });
});

describe('planRelease() of what a crash left behind', () => {
  it.each([
    ['names a block that does not exist', { '10.9.0.0/30': 1 }, ['=block 10.9.0.0/30']],
    ['names a block without addresses of it', { '10.9.0.8/30': 1 }, ['=block 10.9.0.8/30']],
    ['names something that is no block', { nonsense: 1 }, []],
    ['names nothing', {}, []],
  ])('deletes a handle that %s, as long as that is so', (_what, counts, guards) => {
    const before = put(withPods(NODE1, 'net1.c2'), handleRecord('net1.c1', counts));
    const result = del(before, 'node1', ['net1.c1']);
    expect(written(result)).toEqual(['-handle net1.c1', ...guards]);
    expect(clusterViolations(result.after)).toEqual([]);
  });

  it.each([{ nonsense: 1 }, { '10.9.0.0/30': 1 }, {}])(
    'finds an address that is not in its handle %j, where the owner is known to have had it',
    (counts) => {
      const block = filledBlock(['net1.c1'], emptyBlock('10.9.0.4/30', 'host:node2'));
      const before = put(NODE1, blockRecord(block), handleRecord('net1.c1', counts));
      const result = del(before, 'node1', ['net1.c1'], { known: [parseIpAddress('10.9.0.4')] });
      expect(released(result)).toEqual(['10.9.0.4']);
      expect(result.after.handles.size).toBe(0);
    },
  );

  it('finds an address whose handle was lost, in the node’s own blocks', () => {
    const lost = put(withPods(NODE1, 'net1.c1'), {
      record: 'handle',
      handleId: 'net1.c1',
      from: '',
      to: undefined,
    });
    const result = del(lost, 'node1', ['net1.c1', 'c1']);
    expect(released(result)).toEqual(['10.9.0.8']);
    expect(clusterViolations(result.after)).toEqual([]);
  });

  it('releases more than the handle counts', () => {
    const many = take(emptyBlock('10.9.0.8/30'), 'net1.c1', 3).block;
    const before = put(NODE1, blockRecord(many), affinityRecord('node1', '10.9.0.8/30'));
    const counted = put(before, handleRecord('net1.c1', { '10.9.0.8/30': 1 }));
    expect(released(del(counted, 'node1', ['net1.c1']))).toHaveLength(3);
  });
});

describe('planRelease() of the last address of a block', () => {
  function withBlock(affinity: string | undefined, ...pools: readonly ReturnType<typeof pool>[]): Cluster {
    const block = { ...filledBlock(['net1.c1'], emptyBlock('10.9.0.0/30')), affinity };
    return put(
      cluster({ nodes: [node('node1', { rack: 'a' })], pools }),
      blockRecord(block),
      affinityRecord('node1', '10.9.0.0/30'),
      handleRecord('net1.c1', { '10.9.0.0/30': 1 }),
    );
  }

  it.each([
    ['selects the node', pool('10.9.0.0/28', 30)],
    ['is disabled', pool('10.9.0.0/28', 30, { enabled: false, nodeSelector: '!all()' })],
    ['has a selector that cannot be read', pool('10.9.0.0/28', 30, { nodeSelector: '(' })],
  ])('keeps the block when its pool %s', (_what, of) => {
    expect(written(del(withBlock('host:node1', of), 'node1', ['net1.c1']))).toEqual([
      'block 10.9.0.0/30',
      '-handle net1.c1',
    ]);
  });

  it('gives the block back when its pool selects the node no longer', () => {
    const before = withBlock('host:node1', pool('10.9.0.0/28', 30, { nodeSelector: 'rack == "b"' }));
    expect(written(del(before, 'node1', ['net1.c1']))).toEqual([
      '-block 10.9.0.0/30',
      '-affinity 10.9.0.0/30',
      '-handle net1.c1',
    ]);
  });

  it('keeps it while the last address cools down', () => {
    const before = withBlock('host:node1', pool('10.9.0.0/28', 30, { nodeSelector: 'rack == "b"' }));
    const cooling = { ...before, config: { ...before.config, cooldownSeconds: 20 } };
    expect(written(del(cooling, 'node1', ['net1.c1']))).toContain('block 10.9.0.0/30');
  });

  it('deletes a block that nobody claims', () => {
    const before = withBlock(undefined, pool('10.9.0.0/28', 30));
    const result = del(before, 'node1', ['net1.c1']);
    expect(written(result)).toEqual(['-block 10.9.0.0/30', '-handle net1.c1']);
  });

  it('also one that was left empty, when a handle leads there', () => {
    const before = put(withBlock(undefined, pool('10.9.0.0/28', 30)), {
      ...blockRecord({ ...emptyBlock('10.9.0.0/30'), affinity: undefined }),
    });
    expect(written(del(before, 'node1', ['net1.c1']))).toEqual(['-block 10.9.0.0/30', '-handle net1.c1']);
  });
});

describe('planRelease() that undoes an ADD', () => {
  it('keeps what the handle had before', () => {
    const pools = [pool('10.9.0.0/28', 30), pool('fd00::/124', 126)];
    const first = add(cluster({ pools }), assignmentRequest('node1', 'net1.c1'));
    const second = add(first.after, assignmentRequest('node1', 'net1.c1', { families: [4, 6] }));
    const undone = del(second.after, 'node1', ['net1.c1'], { keep: [parseIpAddress('10.9.0.8')] });
    expect(released(undone)).toEqual(['fd00::8']);
    expect(written(undone)).toEqual(['block fd00::8/126', 'handle net1.c1', '=block 10.9.0.8/30']);
    expect(clusterViolations(undone.after)).toEqual([]);
  });

  it('keeps everything when the ADD had assigned nothing new', () => {
    const { after, plan } = add(NODE1, assignmentRequest('node1', 'net1.c1'));
    const keep = plan.addresses.map(({ address }) => address);
    expect(del(after, 'node1', ['net1.c1'], { keep }).plan.changes).toEqual([]);
  });
});

describe('parallel releases', () => {
  it('come to the same in any order', () => {
    const before = withPods(NODE1, 'net1.c1', 'net1.c2', 'net1.c3');
    const delAll = (...order: readonly string[]) =>
      order.reduce((now, handleId) => del(now, 'node1', [handleId]).after, before);
    const [one, other] = [delAll('net1.c1', 'net1.c2'), delAll('net1.c2', 'net1.c1')];
    const block = (of: Cluster) => {
      const { unallocated, ...rest } = blockAt(of, '10.9.0.8/30');
      return { ...rest, unallocated: [...unallocated].sort() };
    };
    expect(block(one)).toEqual(block(other));
    expect([...one.handles]).toEqual([...other.handles]);
  });
});
