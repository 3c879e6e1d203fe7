import { describe, expect, it } from 'vitest';
import { formatCidr } from '../../../src/base/cidr.ts';
import { parseIpAddress } from '../../../src/base/ip-address.ts';
import type { MustLook } from '../../../src/ipam/assignment/address-search.ts';
import { type Sandbox, type StillHeld, stillHeld } from '../../../src/ipam/still-held.ts';
import {
  add,
  assignmentRequest,
  type Cluster,
  cluster,
  decide,
  del,
  firstFacts,
  NOW_NS,
  pool,
} from './support/cluster.ts';

type Known = Exclude<StillHeld, MustLook>;

const DUAL = cluster({
  pools: [pool('10.9.0.0/28', 30), pool('fd00::/124', 126)],
  config: { cooldownSeconds: 60 },
});

function assigned(handleId: string, owner: Readonly<Record<string, string>> = {}): Cluster {
  const requestedAddresses = ['10.9.0.6', 'fd00::5'].map(parseIpAddress);
  return add(DUAL, assignmentRequest('node1', handleId, { owner, requestedAddresses })).after;
}

function ask(of: Cluster, addresses: readonly string[], changes: Partial<Sandbox> = {}) {
  const sandbox = {
    handleIds: ['net1.old', 'test.web-1'],
    addresses: addresses.map(parseIpAddress),
    pod: 'web-1',
    namespace: 'test',
    nowNs: NOW_NS,
    ...changes,
  };
  return decide<Known>(of, firstFacts(of, 'node2', []), (facts) => stillHeld(sandbox, facts));
}

const both = ['10.9.0.6', 'fd00::5'];
const web1 = { pod: 'web-1', namespace: 'test' };

describe('stillHeld()', () => {
  it.each([
    ['under its handle', assigned('net1.old'), both, true],
    ['under the handle of an older plugin', assigned('test.web-1'), both, true],
    ['under whatever handle, for its pod', assigned('net0.old', web1), both, true],
    ['for another pod', assigned('net1.third', { ...web1, pod: 'web-2' }), both, false],
    [
      'for a pod of the same name elsewhere',
      assigned('net1.third', { ...web1, namespace: 'prod' }),
      both,
      false,
    ],
    ['by nobody', DUAL, both, false],
    ['by nobody, in cooldown', del(assigned('net1.old'), 'node1', ['net1.old']).after, both, false],
    ['but for one', assigned('net1.old'), [...both, '10.9.0.5'], false],
    ['as far as there are pools for them', assigned('net1.old'), [...both, '192.0.2.1'], true],
    ['when there are none', DUAL, [], true],
  ])('of addresses that are held %s', (_how, of, addresses, isHeld) => {
    expect(ask(of, addresses).plan.isHeld).toBe(isHeld);
  });

  it('knows no pod outside Kubernetes', () => {
    expect(ask(assigned('net0.old', {}), both, { pod: undefined }).plan.isHeld).toBe(false);
  });

  it('reads all blocks at once, and guards them', () => {
    const { looks, plan } = ask(assigned('net1.old'), both);
    expect(looks).toHaveLength(1);
    expect(plan.guards.map((guard) => guard.record === 'block' && formatCidr(guard.cidr))).toEqual([
      '10.9.0.4/30',
      'fd00::4/126',
    ]);
    expect(plan.guards.every(({ to }) => to === 'unchanged')).toBe(true);
  });
});
