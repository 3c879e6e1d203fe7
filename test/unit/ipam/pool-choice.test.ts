import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../../src/base/cidr.ts';
import { choosePools, isDeselected, type PoolRequest } from '../../../src/ipam/pool-choice.ts';
import type { IpPool } from '../../../src/ipam/records.ts';
import { node, pool } from './support/cluster.ts';

const NODE = node('node1', { rack: 'a' });
const REQUEST: PoolRequest = {
  nodeName: 'node1',
  requestedPools: [],
  namespaceLabels: { team: 'blue' },
  use: 'Workload',
};

function chosen(pools: readonly IpPool[], request: Partial<PoolRequest> = {}): readonly string[] {
  return choosePools({ ...REQUEST, ...request }, 4, pools, NODE).map(({ name }) => name);
}

describe('choosePools()', () => {
  it.each<[string, Partial<IpPool>, boolean]>([
    ['all defaults', {}, true],
    ['disabled', { enabled: false }, false],
    ['the other family', { cidr: parseCidr('fd00::/120'), blockSize: 124 }, false],
    ['a block size that no address has', { blockSize: 33 }, false],
    ['manual assignment', { automatic: false }, false],
    ['a nodeSelector that matches', { nodeSelector: 'rack == "a"' }, true],
    ['a nodeSelector that does not', { nodeSelector: 'rack == "b"' }, false],
    ['a namespaceSelector that matches', { namespaceSelector: 'team == "blue"' }, true],
    ['a namespaceSelector that does not', { namespaceSelector: '!has(team)' }, false],
    ['tunnels only', { allowedUses: ['Tunnel'] }, false],
  ])('a pool with %s', (_what, changes, usable) => {
    const pools = [
      pool('10.1.0.0/24', 26, { name: 'other' }),
      pool('10.2.0.0/24', 26, { name: 'it', ...changes }),
    ];
    expect(chosen(pools)).toEqual(usable ? ['other', 'it'] : ['other']);
  });

  it('takes the requested pools in the order of the request, whatever their selectors', () => {
    const pools = [
      pool('10.1.0.0/24', 26, { name: 'a', nodeSelector: '!all()', automatic: false }),
      pool('10.2.0.0/24', 26, { name: 'b' }),
      pool('10.3.0.0/24', 26, { name: 'c' }),
    ];
    const requestedPools = ['10.3.0.0/24', '10.1.0.0/24', 'fd00::/64'].map(parseCidr);
    expect(chosen(pools, { requestedPools })).toEqual(['c', 'a']);
  });

  it('evaluates namespaceSelector on no labels outside Kubernetes', () => {
    const pools = [pool('10.1.0.0/24', 26, { namespaceSelector: 'team == "blue"' }), pool('10.2.0.0/24', 26)];
    expect(chosen(pools, { namespaceLabels: {} })).toEqual(['10.2.0.0/24']);
  });

  it.each<[string, readonly IpPool[], Partial<PoolRequest>]>([
    ['cannot find a qualified ippool', [], {}],
    ['cannot find a qualified ippool', [pool('10.1.0.0/24', 26, { enabled: false })], {}],
    ['no configured Calico pools for node node1', [pool('10.1.0.0/24', 26, { nodeSelector: '!all()' })], {}],
    [
      'cannot find a qualified ippool, no pools match the required use (Workload)',
      [pool('10.1.0.0/24', 26, { allowedUses: ['Tunnel'] })],
      {},
    ],
    [
      'the given pool (10.9.0.0/24) does not exist, or is not enabled',
      [pool('10.1.0.0/24', 26)],
      { requestedPools: [parseCidr('10.9.0.0/24')] },
    ],
    [
      'the given pool (10.9.0.0/24) does not exist, or is not enabled',
      [pool('10.1.0.0/24', 26), pool('10.9.0.0/24', 26, { enabled: false })],
      { requestedPools: [parseCidr('10.9.0.0/24')] },
    ],
    [
      'IP pool "10.1.0.0/24": invalid selector "rack =="',
      [pool('10.1.0.0/24', 26, { nodeSelector: 'rack ==' })],
      {},
    ],
  ])('says: %s', (message, pools, request) => {
    expect(() => chosen(pools, request)).toThrow(message);
  });

  it('says which node is missing', () => {
    expect(() => choosePools(REQUEST, 4, [pool('10.1.0.0/24', 26)], undefined)).toThrow(
      'resource does not exist: Node(node1) with error: <nil>',
    );
  });
});

describe('isDeselected()', () => {
  const block = parseCidr('10.1.0.64/26');

  it.each<[string, readonly IpPool[], boolean]>([
    ['selects the node', [pool('10.1.0.0/24', 26, { nodeSelector: 'rack == "a"' })], false],
    ['does not', [pool('10.1.0.0/24', 26, { nodeSelector: 'rack == "b"' })], true],
    ['is disabled', [pool('10.1.0.0/24', 26, { nodeSelector: 'rack == "b"', enabled: false })], false],
    ['has a selector that cannot be read', [pool('10.1.0.0/24', 26, { nodeSelector: '(' })], false],
    ['does not exist', [], false],
  ])('when the pool of the block %s', (_when, pools, expected) => {
    expect(isDeselected(block, pools, NODE)).toBe(expected);
  });

  it('is not known without a Node object', () => {
    expect(isDeselected(block, [pool('10.1.0.0/24', 26, { nodeSelector: '!all()' })], undefined)).toBe(false);
  });
});
