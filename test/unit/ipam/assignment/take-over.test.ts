/** A pod that names its addresses, in a new sandbox while the old one still holds them. */

import { describe, expect, it } from 'vitest';
import { isCalicoError } from '../../../../src/base/calico-error.ts';
import { formatCidr } from '../../../../src/base/cidr.ts';
import { formatIpAddress, parseIpAddress } from '../../../../src/base/ip-address.ts';
import { attributeOf } from '../../../../src/ipam/block/attribute.ts';
import type { AssignmentRequest } from '../../../../src/ipam/facts.ts';
import type { IpamChange } from '../../../../src/ipam/records.ts';
import {
  add,
  affinityRecord,
  assignmentRequest,
  blockAt,
  blockRecord,
  type Cluster,
  cluster,
  del,
  handleRecord,
  pool,
  put,
} from '../support/cluster.ts';
import { clusterViolations } from '../support/invariants.ts';

const DUAL = cluster({ pools: [pool('10.9.0.0/28', 30), pool('fd00::/124', 126)] });
const OWNER = { pod: 'web-1', namespace: 'test', node: 'node1', timestamp: 'later' };

function asking(handleId: string, addresses: readonly string[], changes: Partial<AssignmentRequest> = {}) {
  return assignmentRequest('node1', handleId, {
    families: [],
    owner: OWNER,
    requestedAddresses: addresses.map(parseIpAddress),
    ...changes,
  });
}

/** The request of the new sandbox: the pod's endpoint records the addresses of the old one, which is `net1.old`. */
function renewing(
  addresses: readonly string[],
  recorded: readonly string[] = addresses,
  changes: Partial<AssignmentRequest> = {},
) {
  const predecessor = { handleIds: ['net1.old', 'test.web-1'], addresses: recorded.map(parseIpAddress) };
  return asking('net1.new', addresses, { predecessor, ...changes });
}

function withOld(...addresses: readonly string[]): Cluster {
  const owner = { ...OWNER, timestamp: 'earlier' };
  return add(DUAL, asking('net1.old', addresses, { owner })).after;
}

function described(changes: readonly IpamChange[]): readonly string[] {
  return changes.map((change) => {
    const name = change.record === 'handle' ? change.handleId : formatCidr(change.cidr);
    return `${change.to === undefined ? '-' : ''}${change.record} ${name}`;
  });
}

/** Handle and timestamp of who holds the ordinal. */
function holderOf(of: Cluster, cidr: string, ordinal: number) {
  const attribute = attributeOf(blockAt(of, cidr), ordinal);
  return attribute && [attribute.handleId, attribute.activeOwner?.timestamp];
}

/** The block as an older plugin may have left it, with 10.9.0.6 held by this handle, or by none. */
function withLegacy(handleId: string | undefined, pod = 'web-1'): Cluster {
  const before = withOld('10.9.0.6');
  const block = blockAt(before, '10.9.0.4/30');
  const attributes = block.attributes.map((attribute) => ({
    ...attribute,
    handleId,
    activeOwner: { pod, namespace: 'test', node: 'node1' },
  }));
  const records = handleId === undefined ? [] : [handleRecord(handleId, { '10.9.0.4/30': 1 })];
  return put(
    { ...before, handles: new Map() },
    blockRecord({ ...block, attributes }),
    affinityRecord('node1', '10.9.0.4/30'),
    ...records,
  );
}

describe('planAssignment() of addresses the pod’s previous sandbox has', () => {
  it('moves them in one set of changes, both handles with them', () => {
    const { after, plan, looks } = add(withOld('10.9.0.6', 'fd00::5'), renewing(['10.9.0.6', 'fd00::5']));
    expect(described(plan.changes)).toEqual([
      'block 10.9.0.4/30',
      'block fd00::4/126',
      '-handle net1.old',
      'handle net1.new',
    ]);
    expect(looks).toHaveLength(1);
    expect(holderOf(after, '10.9.0.4/30', 2)).toEqual(['net1.new', 'later']);
    expect(clusterViolations(after)).toEqual([]);
  });

  it('never frees them: no cooldown, no place in the queue, and a sequence number of their own', () => {
    const before = { ...withOld('10.9.0.6'), config: { ...DUAL.config, cooldownSeconds: 60 } };
    const { after } = add(before, renewing(['10.9.0.6']));
    const [old, block] = [before, after].map((of) => blockAt(of, '10.9.0.4/30'));
    expect(block?.unallocated).toEqual(old?.unallocated);
    expect(block?.attributes).toHaveLength(1);
    expect(block?.sequenceNumberForAllocation.get(2)).toBe(old?.sequenceNumber);
    expect(block?.sequenceNumber).toBe((old?.sequenceNumber ?? 0n) + 1n);
  });

  it('says whose they were, for the log and for whoever takes the ADD back', () => {
    const { plan } = add(withOld('10.9.0.6'), renewing(['10.9.0.6']));
    expect(plan.takenOver.map(({ address, from }) => [formatIpAddress(address), from.handleId])).toEqual([
      ['10.9.0.6', 'net1.old'],
    ]);
    expect(plan.held).toEqual([]);
    expect(plan.notes).toEqual([
      'took 10.9.0.6 over from the sandbox before this one: it was in use by handle "net1.old" (pod test/web-1, node node1)',
    ]);
  });

  it('leaves the old handle what is not asked for', () => {
    const { after } = add(withOld('10.9.0.6', 'fd00::5'), renewing(['10.9.0.6'], ['10.9.0.6', 'fd00::5']));
    expect(after.handles.get('net1.old')?.value.addressCounts).toEqual(new Map([['fd00::4/126', 1]]));
    expect(clusterViolations(after)).toEqual([]);
  });

  it('takes a free one next to them', () => {
    const { after, plan } = add(withOld('10.9.0.6'), renewing(['10.9.0.6', 'fd00::5'], ['10.9.0.6']));
    expect(plan.takenOver).toHaveLength(1);
    expect(after.handles.get('net1.new')?.value.addressCounts.size).toBe(2);
    expect(clusterViolations(after)).toEqual([]);
  });

  it('counts a handle with a wrong count anew', () => {
    const before = put(withOld('10.9.0.6'), handleRecord('net1.old', { '10.9.0.4/30': 3 }));
    const { after } = add(before, renewing(['10.9.0.6']));
    expect([...after.handles.keys()]).toEqual(['net1.new']);
  });

  it('needs no record of the old handle', () => {
    const before = { ...withOld('10.9.0.6'), handles: new Map() };
    const { after } = add(before, renewing(['10.9.0.6']));
    expect([...after.handles.keys()]).toEqual(['net1.new']);
    expect(clusterViolations(after)).toEqual([]);
  });

  it.each([
    ['under the pod’s name', 'test.web-1'],
    ['without a handle', undefined],
    ['under a handle that a migration damaged', 'net1.old\r\n'],
  ])('takes over what an older plugin assigned %s', (_how, handleId) => {
    const { after, plan } = add(withLegacy(handleId), renewing(['10.9.0.6']));
    expect(plan.takenOver).toHaveLength(1);
    expect(holderOf(after, '10.9.0.4/30', 2)?.[0]).toBe('net1.new');
    expect([...after.handles.keys()].filter((id) => !id.includes('\r'))).toEqual(['net1.new']);
  });

  it('loses against whoever changed the old handle or the block meanwhile, and then sees what is so', () => {
    const before = withOld('10.9.0.6', 'fd00::5');
    const { plan } = add(before, renewing(['10.9.0.6']));
    const guards = plan.changes.map(({ record, from }) => `${record} at ${from}`);
    expect(guards).toEqual(['block at 2', 'handle at 2', 'handle at 0']);
    const { after } = del(before, 'node1', ['net1.old']);
    const again = add(after, renewing(['10.9.0.6']));
    expect(again.plan.takenOver).toEqual([]);
    expect(clusterViolations(again.after)).toEqual([]);
  });

  it('returns what it has when asked again', () => {
    const { after } = add(withOld('10.9.0.6'), renewing(['10.9.0.6']));
    const { plan } = add(after, renewing(['10.9.0.6']));
    expect(plan.changes.map(({ to }) => to)).toEqual(['unchanged', 'unchanged']);
    expect(plan.takenOver).toEqual([]);
    expect(plan.held.map(formatIpAddress)).toEqual(['10.9.0.6']);
  });

  it('reads no handle but its own when nothing that is asked for is recorded', () => {
    const { looks } = add(withOld('10.9.0.6'), renewing(['10.9.0.5'], ['10.9.0.6']));
    expect(looks.map(({ handles }) => handles)).toEqual([[]]);
  });
});

describe('planAssignment() refuses what is not the previous sandbox’s', () => {
  it.each([
    ['the endpoint does not record it', withOld('10.9.0.6'), renewing(['10.9.0.6'], ['10.9.0.7'])],
    ['the endpoint’s sandbox is another', withOld('10.9.0.6'), asking('net1.new', ['10.9.0.6'])],
    ['its holder is another container', withLegacy('net1.third'), renewing(['10.9.0.6'])],
    ['it is another pod’s, without a handle', withLegacy(undefined, 'web-2'), renewing(['10.9.0.6'])],
    ['it is in cooldown', cooling(), renewing(['10.9.0.6'])],
  ])('when %s', (_why, before, request) => {
    expect(() => add(before, request)).toThrow('Address already assigned in block: in ');
  });

  it('also under strict affinity, in a block of another node', () => {
    const old = {
      ...assignmentRequest('node2', 'net1.other'),
      requestedAddresses: [parseIpAddress('10.9.0.5')],
    };
    const borrowed = add(add(DUAL, old).after, asking('net1.old', ['10.9.0.6'])).after;
    const strict = { ...borrowed, config: { ...borrowed.config, strictAffinity: true } };
    expect(() => add(strict, renewing(['10.9.0.6']))).toThrow('Block host affinity does not match');
  });

  it('and takes none of the others then', () => {
    const before = add(withOld('10.9.0.6'), asking('net1.third', ['fd00::5'])).after;
    expect(() => add(before, renewing(['10.9.0.6', 'fd00::5']))).toThrow('in use by handle "net1.third"');
  });

  it('names handle, pod and node of the holder, and what to do', () => {
    const before = withOld('10.9.0.6');
    const refusal = (request: AssignmentRequest) => {
      try {
        add(before, request);
      } catch (error) {
        return isCalicoError(error) ? `${error.message}; ${error.details}` : error;
      }
      return undefined;
    };
    const owner = { ...OWNER, pod: 'web-2' };
    expect(refusal(asking('net1.new', ['10.9.0.6'], { owner }))).toBe(
      'resource already exists: 10.9.0.6 with error: Address already assigned in block: in use by handle "net1.old" (pod test/web-1, node node1); ask for another address, or release this one first if its holder is gone (calicoctl ipam release --ip=10.9.0.6)',
    );
    expect(refusal(asking('net1.new', ['10.9.0.6']))).toContain(
      'this pod has it from an earlier sandbox, whose deletion frees it',
    );
  });
});

function cooling(): Cluster {
  const before = withOld('10.9.0.6');
  const cooled = { ...before, config: { ...before.config, cooldownSeconds: 60 } };
  return del(cooled, 'node1', ['net1.old']).after;
}

describe('planRelease() that undoes a takeover', () => {
  function undone(before: Cluster, request: AssignmentRequest, meanwhile = (of: Cluster) => of) {
    const { after, plan } = add(before, request);
    const keep = plan.held;
    return del(meanwhile(after), 'node1', ['net1.new'], { keep, giveBack: plan.takenOver });
  }

  const addressing = ({ blocks }: Cluster) =>
    Array.from(blocks, ([text, { value }]) => [
      text,
      value.unallocated,
      value.allocations.map((_, ordinal) => attributeOf(value, ordinal)),
    ]);

  it('leaves every address with whom it was, to the letter', () => {
    const before = withOld('10.9.0.6', 'fd00::5');
    const { after, plan } = undone(before, renewing(['10.9.0.6', 'fd00::5']));
    expect(plan.released).toEqual([]);
    expect(addressing(after)).toEqual(addressing(before));
    expect([...after.handles].map(([id, { value }]) => [id, value])).toEqual(
      [...before.handles].map(([id, { value }]) => [id, value]),
    );
    expect(clusterViolations(after)).toEqual([]);
  });

  it('releases what was free before', () => {
    const { after, plan } = undone(withOld('10.9.0.6'), renewing(['10.9.0.6', 'fd00::5'], ['10.9.0.6']));
    expect(plan.released.map(formatIpAddress)).toEqual(['fd00::5']);
    expect(holderOf(after, '10.9.0.4/30', 2)).toEqual(['net1.old', 'earlier']);
    expect([...after.handles.keys()]).toEqual(['net1.old']);
    expect(clusterViolations(after)).toEqual([]);
  });

  it('adds to what the old handle kept', () => {
    const before = withOld('10.9.0.6', 'fd00::5');
    const { after } = undone(before, renewing(['10.9.0.6'], ['10.9.0.6', 'fd00::5']));
    expect(after.handles.get('net1.old')?.value.addressCounts.size).toBe(2);
    expect(clusterViolations(after)).toEqual([]);
  });

  it('gives back without a handle what was held without one', () => {
    const { after } = undone(withLegacy(undefined), renewing(['10.9.0.6']));
    expect(holderOf(after, '10.9.0.4/30', 2)).toEqual([undefined, undefined]);
    expect([...after.handles.keys()]).toEqual([]);
  });

  it('takes from nobody what has been given to another since', () => {
    const { after } = undone(
      withOld('10.9.0.6'),
      renewing(['10.9.0.6']),
      (now) => add(del(now, 'node1', ['net1.new']).after, asking('net1.third', ['10.9.0.6'])).after,
    );
    expect(holderOf(after, '10.9.0.4/30', 2)?.[0]).toBe('net1.third');
    expect([...after.handles.keys()]).toEqual(['net1.third']);
  });

  it('does nothing the second time', () => {
    const { after, plan } = add(withOld('10.9.0.6'), renewing(['10.9.0.6']));
    const giveBack = plan.takenOver;
    const once = del(after, 'node1', ['net1.new'], { giveBack }).after;
    expect(del(once, 'node1', ['net1.new'], { giveBack }).plan.changes).toEqual([]);
  });
});

describe('planRelease() of the old sandbox after a takeover', () => {
  it('finds nothing and is content', () => {
    const { after } = add(withOld('10.9.0.6', 'fd00::5'), renewing(['10.9.0.6', 'fd00::5']));
    const { plan } = del(after, 'node1', ['net1.old', 'test.web-1']);
    expect(plan.released).toEqual([]);
    expect(plan.changes).toEqual([]);
  });

  it('releases what was left to it', () => {
    const { after } = add(withOld('10.9.0.6', 'fd00::5'), renewing(['10.9.0.6'], ['10.9.0.6']));
    const { after: end, plan } = del(after, 'node1', ['net1.old', 'test.web-1']);
    expect(plan.released.map(formatIpAddress)).toEqual(['fd00::5']);
    expect([...end.handles.keys()]).toEqual(['net1.new']);
    expect(clusterViolations(end)).toEqual([]);
  });
});
