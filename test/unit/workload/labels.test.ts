import { describe, expect, it } from 'vitest';
import {
  alternativeHostInterfaceName,
  hostInterfaceName,
} from '../../../src/workload/host-interface-name.ts';
import type { WorkloadIdentifiers } from '../../../src/workload/identifiers.ts';
import { mesosLabels, mesosNamespace, sanitizeMesosLabel } from '../../../src/workload/mesos-labels.ts';
import { sha1Hex } from '../../support/sha1.ts';

describe('sanitizeMesosLabel()', () => {
  it.each([
    ['k', 'k'],
    ['-my-val', 'my-val'],
    ['$my..val', 'my.val'],
    ['m$y.val', 'm-y.val'],
    ['//my/val/', 'my.val'],
    ['some_val-with.lots*of^weird#characters', 'some_val-with.lots-of-weird-characters'],
    ['/a/b/c', 'a.b.c'],
  ])('makes %s into %s', (text, sanitized) => {
    expect(sanitizeMesosLabel(text)).toBe(sanitized);
  });
});

describe('mesosLabels()', () => {
  const labels = [
    { key: 'projectcalico.org/namespace', value: '/team/a/' },
    { key: 'role', value: 'web server' },
  ];

  it('leaves out the namespace, which names where the endpoint lives', () => {
    expect(mesosLabels(labels)).toEqual({ role: 'web-server' });
    expect(mesosNamespace(labels)).toBe('team.a');
  });

  it('has no namespace where none is given', () => {
    expect(mesosNamespace([])).toBeUndefined();
    expect(mesosNamespace([{ key: 'projectcalico.org/namespace', value: '//' }])).toBeUndefined();
  });
});

describe('hostInterfaceName()', () => {
  const base: WorkloadIdentifiers = {
    orchestrator: 'cni',
    nodeName: 'n',
    namespace: 'default',
    containerId: 'cid-1x1x0',
    ifName: 'eth0',
    podName: undefined,
  };

  it.each([
    ['test', 'web-1', 'cali9aa35139ea0'],
    ['default', 'nginx', 'calic440f455693'],
    ['test', 'test-pod-1', 'cali618a041cd51'],
    ['kube-system', 'coredns-5d78c9869d-abcde', 'cali4d5f75c480c'],
  ])('of pod %s.%s is %s', (namespace, podName, name) => {
    expect(hostInterfaceName({ ...base, orchestrator: 'k8s', namespace, podName }, sha1Hex)).toBe(name);
  });

  it('of a pod begins with the prefix that Felix is told', () => {
    const ids: WorkloadIdentifiers = { ...base, orchestrator: 'k8s', namespace: 'test', podName: 'web-1' };
    expect(hostInterfaceName(ids, sha1Hex, 'eni')).toBe('eni9aa35139ea0');
    expect(hostInterfaceName({ ...ids, containerId: 'another' }, sha1Hex, 'eni')).toBe('eni9aa35139ea0');
  });

  it('of a container holds the first 11 characters of its ID', () => {
    expect(hostInterfaceName(base, sha1Hex)).toBe('calicid-1x1x0');
    expect(hostInterfaceName({ ...base, containerId: 'cnitool-12ce16abc' }, sha1Hex)).toBe('calicnitool-12c');
  });

  it('has an alternative that tells apart IDs which begin alike', () => {
    const names = ['cnitool-12ce1', 'cnitool-12ce2'].map((containerId) =>
      alternativeHostInterfaceName({ ...base, containerId }),
    );
    expect(new Set(names).size).toBe(2);
    for (const name of names) expect(name).toMatch(/^cali[0-9a-f]{11}$/);
  });
});
