import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  endpointName,
  endpointNamePrefix,
  endpointNamePrefixOfId,
  isEndpointOf,
  splitEndpointName,
} from '../../../src/workload/endpoint-name.ts';
import type { WorkloadIdentifiers } from '../../../src/workload/identifiers.ts';

function container(containerId: string, nodeName = 'node1', ifName = 'eth0'): WorkloadIdentifiers {
  return { orchestrator: 'cni', nodeName, namespace: 'default', containerId, ifName, podName: undefined };
}

function pod(podName: string, nodeName = 'node1'): WorkloadIdentifiers {
  return { orchestrator: 'k8s', nodeName, namespace: 'test', containerId: 'c1', ifName: 'eth0', podName };
}

describe('endpointName()', () => {
  it.each([
    [pod('web-1'), 'node1-k8s-web--1-eth0'],
    [container('cid-0x1x0'), 'node1-cni-cid--0x1x0-eth0'],
    [container('f1c97f35-d8ff-28043f20', 'vm', 'c'), 'vm-cni-f1c97f35--d8ff--28043f20-c'],
    [container('labc1abcdefghijkl', 'node-a'), 'node--a-cni-labc1abcdefghijkl-eth0'],
  ])('doubles dashes inside a segment', (ids, name) => {
    expect(endpointName(ids)).toBe(name);
    expect(isEndpointOf(name, ids)).toBe(true);
  });

  it.each([
    [container('a-'), /workload "a-": field must not end with a '-'/],
    [container('a', '-n'), /node name "-n": field must not begin with a '-'/],
    [container('a', ''), /the node name is empty: field should be assigned/],
  ])('refuses a segment that would make the name ambiguous', (ids, message) => {
    expect(() => endpointName(ids)).toThrow(message);
  });

  it('can be taken apart again', () => {
    const segments = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?$/);
    fc.assert(
      fc.property(segments, segments, segments, (node, id, ifName) => {
        expect(splitEndpointName(endpointName(container(id, node, ifName)))).toEqual([
          node,
          'cni',
          id,
          ifName,
        ]);
      }),
    );
  });
});

describe('isEndpointOf()', () => {
  it('tells pod web from pod web-1, which a prefix search does not', () => {
    const name = endpointName(pod('web-1'));
    expect(name.startsWith('node1-k8s-web-')).toBe(true);
    expect(isEndpointOf(name, pod('web'))).toBe(false);
  });

  it('accepts every interface of the workload', () => {
    expect(isEndpointOf('node1-cni-abc-net1', container('abc'))).toBe(true);
  });

  it.each(['node2-cni-abc-eth0', 'node1-k8s-abc-eth0', 'node1-cni-abcd-eth0', 'node1-cni-abc', 'x'])(
    'refuses %s',
    (name) => {
      expect(isEndpointOf(name, container('abc'))).toBe(false);
    },
  );
});

describe('prefixes', () => {
  it('of a workload end where its interface begins', () => {
    expect(endpointNamePrefix(container('a-b'))).toBe('node1-cni-a--b-');
    expect(endpointNamePrefix(pod('web-1'))).toBe('node1-k8s-web--1-');
  });

  it('of an ID find every container whose ID begins alike', () => {
    expect(
      endpointName(container('cnitool-12ce16')).startsWith(
        endpointNamePrefixOfId(container('x'), 'cnitool-12c'),
      ),
    ).toBe(true);
  });
});
