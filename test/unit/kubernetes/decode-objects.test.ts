import { describe, expect, it } from 'vitest';
import {
  decodeNamespace,
  decodeNode,
  decodePod,
  decodeStatus,
  decodeVersion,
} from '../../../src/kubernetes/decode-objects.ts';

const pod = (metadata: object, spec?: unknown) => JSON.stringify({ kind: 'Pod', metadata, spec });

describe('decodePod()', () => {
  it('takes what matters, ports of containers before those of init containers', () => {
    const metadata = {
      name: 'web-1',
      namespace: 'default',
      uid: '94b3f9b7',
      generateName: 'web-',
      labels: { app: 'web' },
      annotations: { 'kubernetes.io/ingress-bandwidth': '10M' },
      managedFields: [{ manager: 'kubectl' }],
    };
    const web = { name: 'http', containerPort: 8080, hostPort: 18080, hostIP: '127.0.0.1', protocol: 'TCP' };
    const spec = {
      serviceAccountName: 'robot',
      initContainers: [{ ports: [{ containerPort: 9 }] }],
      containers: [{ name: 'c', ports: [web] }, { name: 'd' }],
    };
    const { managedFields: _, ...expected } = metadata;
    expect(decodePod(pod(metadata, spec), '')).toEqual({
      ...expected,
      serviceAccountName: 'robot',
      ports: [
        { name: 'http', containerPort: 8080, hostPort: 18080, hostIp: '127.0.0.1', protocol: 'TCP' },
        { name: '', containerPort: 9, hostPort: 0, hostIp: '', protocol: '' },
      ],
    });
  });

  it.each([
    undefined,
    null,
    {},
    { containers: null, initContainers: null },
    { containers: [{ ports: null }] },
    { containers: [] },
  ])('fills in what is absent or null: %j', (spec) => {
    const metadata = { name: 'a', labels: null, annotations: null, generateName: '' };
    expect(decodePod(pod(metadata, spec), '')).toEqual({
      name: 'a',
      namespace: '',
      uid: '',
      generateName: undefined,
      labels: {},
      annotations: {},
      serviceAccountName: undefined,
      ports: [],
    });
  });

  it.each([
    ['{', 'the answer is not JSON: is this a Kubernetes API server?'],
    ['[]', 'it must be an object'],
    ['{"kind":"Pod"}', 'metadata must be an object'],
    ['{"kind":"Status"}', 'kind must be "Pod"'],
    [pod({}), 'metadata.name must be a string'],
    [pod({ name: 'a', labels: { app: 1 } }), 'metadata.labels.app must be a string'],
    [pod({ name: 'a', labels: [] }), 'metadata.labels must be an object'],
    [pod({ name: 'a' }, { containers: {} }), 'spec.containers must be a list'],
    [
      pod({ name: 'a' }, { containers: [{ ports: [{ containerPort: '80' }] }] }),
      'spec.containers[0].ports[0].containerPort must be a number',
    ],
    [
      pod({ name: 'a' }, { containers: [{ ports: [{ hostPort: 1.5 }] }] }),
      'spec.containers[0].ports[0].hostPort must be an integer',
    ],
  ])('%s: %s', (json, why) => {
    expect(() => decodePod(json, 'error getting pod a')).toThrow(
      expect.objectContaining({ kind: 'corrupt', message: `error getting pod a: ${why}` }),
    );
  });
});

describe('decodeNamespace()', () => {
  it('takes name, labels and annotations', () => {
    const json = JSON.stringify({ kind: 'Namespace', metadata: { name: 'a', labels: { b: 'c' } } });
    expect(decodeNamespace(json, '')).toEqual({ name: 'a', labels: { b: 'c' }, annotations: {} });
  });
});

describe('decodeNode()', () => {
  it.each([
    [{ podCIDR: '10.0.0.0/24', podCIDRs: ['10.0.0.0/24', 'fd00::/64'] }, ['10.0.0.0/24', 'fd00::/64']],
    [{ podCIDR: '10.0.0.0/24' }, ['10.0.0.0/24']],
    [{ podCIDR: '', podCIDRs: [] }, []],
    [null, []],
  ])('of %j has the pod CIDRs %j', (spec, podCidrs) => {
    const json = JSON.stringify({ kind: 'Node', metadata: { name: 'n' }, spec });
    expect(decodeNode(json, '')).toEqual({ name: 'n', podCidrs, internalIps: [] });
  });

  it('of Node has its InternalIPs, in their order', () => {
    const addresses = [
      { type: 'InternalIP', address: '10.0.0.1' },
      { type: 'Hostname', address: 'n' },
      { type: 'InternalIP', address: 'fd00::1' },
      { type: 'InternalIP' },
    ];
    const json = JSON.stringify({ kind: 'Node', metadata: { name: 'n' }, status: { addresses } });
    expect(decodeNode(json, '').internalIps).toEqual(['10.0.0.1', 'fd00::1']);
  });
});

describe('decodeVersion()', () => {
  it('takes the one with all its parts', () => {
    expect(decodeVersion('{"major":"1","gitVersion":"v1.34.2"}', '')).toBe('v1.34.2');
    expect(() => decodeVersion('{}', 'x')).toThrow('x: gitVersion must be a string');
  });
});

describe('decodeStatus()', () => {
  it.each([
    [
      '{"kind":"Status","reason":"NotFound","message":"pods \\"a\\" not found"}',
      { reason: 'NotFound', message: 'pods "a" not found' },
    ],
    ['{"kind":"Status"}', { reason: '', message: '' }],
    ['{"kind":"Pod"}', undefined],
    ['404 page not found', undefined],
  ])('of %s is %j', (json, expected) => {
    expect(decodeStatus(json)).toEqual(expected);
  });
});
