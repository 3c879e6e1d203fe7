import { describe, expect, it } from 'vitest';
import { handleIdsOf } from '../../../src/plugins/handle-id.ts';

const CONTAINER = { orchestrator: 'cni', nodeName: 'node1', containerId: 'c1', ifName: 'eth0' } as const;

function ofPod(namespace: string, podName: string) {
  return { ...CONTAINER, orchestrator: 'k8s', namespace, podName } as const;
}

describe('handleIdsOf()', () => {
  it.each([
    ['a pod', ofPod('test', 'web-1'), ['net1.c1', 'test.web-1']],
    ['no pod', { ...CONTAINER, namespace: 'default', podName: undefined }, ['net1.c1', 'c1']],
  ])('knows the names of today and of plugins before 2018 for %s', (_, ids, expected) => {
    expect(handleIdsOf('net1', ids)).toEqual(expected);
  });

  it.each([
    ['net1', ofPod('net1', 'c2')],
    ['a.b', ofPod('a', 'b.c2')],
    ['net1', { ...CONTAINER, containerId: 'net1.c2', namespace: 'default', podName: undefined }],
  ])('never gives the handle of another container of network %s', (network, ids) => {
    expect(handleIdsOf(network, ids)).toEqual([`${network}.${ids.containerId}`]);
  });
});
