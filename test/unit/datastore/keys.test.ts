import { describe, expect, it } from 'vitest';
import { formatCidr, parseCidr } from '../../../src/base/cidr.ts';
import {
  affinityKey,
  blockKey,
  cidrOfKey,
  endpointOfKey,
  handleKey,
  nodeKey,
  profileKey,
  workloadEndpointKey,
} from '../../../src/datastore/keys.ts';

describe('keys', () => {
  it.each([
    [blockKey(parseCidr('10.77.0.160/28')), '/calico/ipam/v2/assignment/ipv4/block/10.77.0.160-28'],
    [blockKey(parseCidr('fd77::a0/124')), '/calico/ipam/v2/assignment/ipv6/block/fd77::a0-124'],
    [
      affinityKey('node1', parseCidr('10.77.0.160/28')),
      '/calico/ipam/v2/host/node1/ipv4/block/10.77.0.160-28',
    ],
    [handleKey('net1.abc'), '/calico/ipam/v2/handle/net1.abc'],
    [nodeKey('node1'), '/calico/resources/v3/projectcalico.org/nodes/node1'],
    [profileKey('net1'), '/calico/resources/v3/projectcalico.org/profiles/net1'],
    [
      workloadEndpointKey('default', 'node1-cni-'),
      '/calico/resources/v3/projectcalico.org/workloadendpoints/default/node1-cni-',
    ],
  ])('are laid out as Calico lays them out: %s', (key, expected) => {
    expect(key).toBe(expected);
  });

  it('give back the CIDR they end with', () => {
    for (const text of ['10.77.0.160/28', 'fd77::a0/124']) {
      const cidr = cidrOfKey(blockKey(parseCidr(text)));
      expect(cidr && formatCidr(cidr)).toBe(text);
    }
    for (const segment of ['nonsense', '10.0.0.0-8', '::-0', '10.9.0.1-30', 'fd77::a0-124', '']) {
      expect(cidrOfKey(`/calico/ipam/v2/assignment/ipv4/block/${segment}`)).toBeUndefined();
    }
  });

  it('give back the endpoint they end with', () => {
    expect(endpointOfKey(workloadEndpointKey('default', 'web'))).toEqual({
      namespace: 'default',
      name: 'web',
    });
    for (const rest of ['', 'default', 'default/', '/web', 'default/web/more'])
      expect(endpointOfKey(workloadEndpointKey('x', 'y').replace('x/y', rest))).toBeUndefined();
    expect(endpointOfKey(nodeKey('node1'))).toBeUndefined();
  });

  it.each(['../../etc', 'a/b', ''])('never leave their folder for a name like %j', (name) => {
    expect(() => handleKey(name)).toThrow(/must not be empty or hold a "\/"/);
    expect(() => nodeKey(name)).toThrow('node name');
  });
});
