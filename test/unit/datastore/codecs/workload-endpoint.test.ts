/** Endpoints of pods as Calico stores them, and what others may have written into them. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cidrOf } from '../../../../src/base/cidr.ts';
import { addressBits, type IpFamily, parseIpAddress } from '../../../../src/base/ip-address.ts';
import { parseMacAddress } from '../../../../src/base/mac-address.ts';
import {
  decodeWorkloadEndpoint,
  encodeWorkloadEndpoint,
} from '../../../../src/datastore/codecs/workload-endpoint.ts';
import { podSettings } from '../../../../src/kubernetes/pod-settings.ts';
import { buildEndpoint } from '../../../../src/workload/build-endpoint.ts';
import { hostInterfaceName } from '../../../../src/workload/host-interface-name.ts';
import { QOS_LIMITS } from '../../../../src/workload/qos-controls.ts';
import type { WorkloadEndpoint } from '../../../../src/workload/workload-endpoint.ts';
import { namespace, pod } from '../../../support/pods.ts';
import { sha1Hex } from '../../../support/sha1.ts';

const KEY = '/calico/resources/v3/projectcalico.org/workloadendpoints/test/node1-k8s-web--1-eth0';

/** Written by Calico's own plugin. */
const BY_CALICO =
  '{"kind":"WorkloadEndpoint","apiVersion":"projectcalico.org/v3","metadata":{"name":"node1-k8s-web--1-eth0","generateName":"web-","namespace":"test","uid":"f15130c3-b810-4886-b0cb-1b7f319a4468","creationTimestamp":"2026-11-21T10:28:30Z","labels":{"app":"web","projectcalico.org/namespace":"test","projectcalico.org/orchestrator":"k8s","projectcalico.org/serviceaccount":"websa"}},"spec":{"orchestrator":"k8s","node":"node1","containerID":"sand1","pod":"web-1","endpoint":"eth0","serviceAccountName":"websa","ipNetworks":["10.77.0.119/32","fd77::304:6d0b:fc5f:a9a7/128"],"ipNATs":[{"internalIP":"10.77.0.119","externalIP":"1.1.1.1"},{"internalIP":"fd77::304:6d0b:fc5f:a9a7","externalIP":"2001:db8::5"}],"profiles":["kns.test","ksa.test.websa"],"interfaceName":"cali9aa35139ea0","mac":"da:2d:55:12:5a:a8","ports":[{"name":"http","protocol":"TCP","port":8080,"hostPort":0,"hostIP":""},{"name":"","protocol":"UDP","port":9000,"hostPort":9001,"hostIP":"1.2.3.4"},{"name":"ini","protocol":"TCP","port":55,"hostPort":0,"hostIP":""}],"allowSpoofedSourcePrefixes":["8.8.8.8/32","1.1.1.0/24"]}}';

const ids = {
  orchestrator: 'k8s',
  nodeName: 'node1',
  namespace: 'test',
  containerId: 'sand1',
  ifName: 'eth0',
  podName: 'web-1',
} as const;

function containerPort(changes: object) {
  return { name: '', containerPort: 80, hostPort: 0, hostIp: '', protocol: '', ...changes };
}

/** A pod that says all that the stored endpoint says. */
const web = pod({
  generateName: 'web-',
  serviceAccountName: 'websa',
  labels: { app: 'web' },
  annotations: {
    'cni.projectcalico.org/floatingIPs': '["1.1.1.1","2001:db8::5"]',
    'cni.projectcalico.org/allowedSourcePrefixes': '["8.8.8.8/32","1.1.1.7/24"]',
  },
  ports: [
    containerPort({ name: 'http', containerPort: 8080, protocol: 'TCP' }),
    containerPort({ containerPort: 9000, hostPort: 9001, hostIp: '1.2.3.4', protocol: 'UDP' }),
    containerPort({ containerPort: 7 }),
    containerPort({ name: 'ini', containerPort: 55 }),
  ],
});

function endpointOf(source: typeof web, existing?: WorkloadEndpoint): WorkloadEndpoint {
  const settings = podSettings(source, namespace());
  return buildEndpoint(
    {
      ids,
      addresses: ['10.77.0.119', 'fd77::304:6d0b:fc5f:a9a7'].map(parseIpAddress),
      profiles: settings.profiles,
      hostIfName: hostInterfaceName(ids, sha1Hex),
      mac: parseMacAddress('da:2d:55:12:5a:a8'),
      labels: {},
      settings,
      uid: 'f15130c3-b810-4886-b0cb-1b7f319a4468',
      creationTimestamp: '2026-11-21T10:28:30Z',
    },
    existing,
  );
}

describe('decodeWorkloadEndpoint()', () => {
  it.each(['{}', '{"metadata":{"name":"other","namespace":"elsewhere"}}'])(
    'takes the name that the key has, whatever is in %s',
    (text) => {
      const key = '/calico/resources/v3/projectcalico.org/workloadendpoints/default/node1-cni-a-eth0';
      expect(decodeWorkloadEndpoint(text, key)).toMatchObject({
        namespace: 'default',
        name: 'node1-cni-a-eth0',
      });
    },
  );
});

describe('the endpoint of a pod', () => {
  it('is stored as Calico stores it, byte for byte', () => {
    expect(encodeWorkloadEndpoint(endpointOf(web))).toBe(BY_CALICO);
  });

  it('that Calico stored is read, and written back as it was', () => {
    const endpoint = decodeWorkloadEndpoint(BY_CALICO, KEY);
    expect(endpoint).toEqual(endpointOf(web));
    expect(encodeWorkloadEndpoint(endpoint)).toBe(BY_CALICO);
  });

  it('of a pod without anything of its own holds nothing more than its network', () => {
    const { spec } = JSON.parse(encodeWorkloadEndpoint(endpointOf(pod())));
    expect(Object.keys(spec)).toEqual([
      ...[
        'orchestrator',
        'node',
        'containerID',
        'pod',
        'endpoint',
        'ipNetworks',
        'profiles',
        'interfaceName',
        'mac',
      ],
    ]);
  });

  it('loses what the pod no longer says', () => {
    const annotations = { 'qos.projectcalico.org/ingressBandwidth': '1M' };
    const before = endpointOf({ ...web, annotations });
    expect(encodeWorkloadEndpoint(before)).toContain(
      '"qosControls":{"ingressBandwidth":1000000,"ingressBurst":4294967296}}}',
    );
    const { spec } = JSON.parse(encodeWorkloadEndpoint(endpointOf(pod(), before)));
    for (const name of ['qosControls', 'ports', 'ipNATs', 'allowSpoofedSourcePrefixes', 'serviceAccountName'])
      expect(spec).not.toHaveProperty(name);
  });

  it('names its limits in the order of Calico’s record', () => {
    const annotations = Object.fromEntries(
      [...QOS_LIMITS]
        .reverse()
        .map((name) => [`qos.projectcalico.org/${name}`, name.includes('Peak') ? '3k' : '2k']),
    );
    const endpoint = endpointOf(pod({ annotations: { 'qos.projectcalico.org/dscp': 'ef', ...annotations } }));
    const { spec } = JSON.parse(encodeWorkloadEndpoint(endpoint));
    expect(Object.keys(spec.qosControls)).toEqual([...QOS_LIMITS, 'dscp']);
    expect(spec.qosControls.dscp).toBe('EF');
  });
});

describe('the endpoint of a pod that kubelet started', () => {
  const containerId = 'ab362be4377b6c37d3829cdda9201cb765771ea17c962aea1c5bd96f62a23cac';
  const kubeletIds = { ...ids, namespace: 'default', containerId };
  const settings = podSettings(
    pod({
      namespace: 'default',
      labels: { app: 'web' },
      annotations: { 'kubernetes.io/ingress-bandwidth': '10M' },
      serviceAccountName: 'default',
      ports: [containerPort({ name: 'http', containerPort: 8080, hostPort: 18080, protocol: 'TCP' })],
    }),
    namespace(),
  );
  const endpoint = buildEndpoint(
    {
      ids: kubeletIds,
      addresses: [parseIpAddress('192.168.166.143')],
      profiles: settings.profiles,
      hostIfName: hostInterfaceName(kubeletIds, sha1Hex),
      mac: parseMacAddress('f2:74:04:59:e1:98'),
      labels: {},
      settings,
      uid: 'c73d424f-c681-454e-b8a0-fc8c18a1867b',
      creationTimestamp: '2026-11-21T11:41:02Z',
    },
    undefined,
  );

  it('is what calicoctl shows of Calico’s, and has the limits that Calico’s plugin forgets', () => {
    const { metadata, spec } = JSON.parse(encodeWorkloadEndpoint(endpoint));
    expect(metadata).toEqual({
      creationTimestamp: '2026-11-21T11:41:02Z',
      labels: {
        app: 'web',
        'projectcalico.org/namespace': 'default',
        'projectcalico.org/orchestrator': 'k8s',
        'projectcalico.org/serviceaccount': 'default',
      },
      name: 'node1-k8s-web--1-eth0',
      namespace: 'default',
      uid: 'c73d424f-c681-454e-b8a0-fc8c18a1867b',
    });
    expect(spec).toEqual({
      containerID: containerId,
      endpoint: 'eth0',
      interfaceName: 'cali0761ccbeace',
      ipNetworks: ['192.168.166.143/32'],
      mac: 'f2:74:04:59:e1:98',
      node: 'node1',
      orchestrator: 'k8s',
      pod: 'web-1',
      ports: [{ hostIP: '', hostPort: 18080, name: 'http', port: 8080, protocol: 'TCP' }],
      profiles: ['kns.default', 'ksa.default.default'],
      serviceAccountName: 'default',
      qosControls: { ingressBandwidth: 10_000_000, ingressBurst: 4_294_967_296 },
    });
  });
});

describe('what others have written', () => {
  const stored = (spec: object) =>
    JSON.stringify({
      ...JSON.parse(BY_CALICO),
      spec: { orchestrator: 'k8s', node: 'node1', pod: 'web-1', endpoint: 'eth0', ...spec },
    });

  it.each([
    { ports: [{ name: 'http', protocol: 6, port: 80, hostPort: 0, hostIP: '' }] },
    { ports: [{ name: 'http', protocol: 'TCP', port: 80 }] },
    { ports: [{ name: 'http', protocol: 'TCP', port: 80, hostPort: 0, hostIP: '', extra: 1 }] },
    { ports: ['http'] },
    { ports: 'http' },
    { ipNATs: [{ internalIP: '10.0.0.1', externalIP: '2001:DB8::1' }] },
    { ipNATs: [{ internalIP: '10.0.0.1' }] },
    { ipNATs: [{ internalIP: '10.0.0.1', externalIP: '1.1.1.1', more: true }] },
    { allowSpoofedSourcePrefixes: ['10.0.0.1/8'] },
    { allowSpoofedSourcePrefixes: [1] },
    { qosControls: { ingressBandwidth: 1, newLimit: 2 } },
    { qosControls: { ingressBandwidth: '1M' } },
    { qosControls: [1] },
    { ports: [{ name: 'http', protocol: 'TCP', port: 80, hostPort: 0, hostIP: '' }], newField: { a: [1] } },
  ])('is kept where we do not own it: %o', (spec) => {
    const text = stored(spec);
    const endpoint = decodeWorkloadEndpoint(text, KEY);
    expect(encodeWorkloadEndpoint(endpoint)).toBe(text);
    expect(decodeWorkloadEndpoint(encodeWorkloadEndpoint(endpoint), KEY)).toEqual(endpoint);
  });

  it('gives way to what the pod says, and fields we know nothing of stay', () => {
    const odd = decodeWorkloadEndpoint(
      stored({
        ports: 'http',
        ipNATs: 1,
        qosControls: { newLimit: 1 },
        allowSpoofedSourcePrefixes: {},
        newField: 7,
      }),
      KEY,
    );
    const { spec } = JSON.parse(encodeWorkloadEndpoint(endpointOf(web, odd)));
    const { spec: fresh } = JSON.parse(BY_CALICO);
    expect(spec).toEqual({ ...fresh, newField: 7 });
  });
});

describe('encode and decode', () => {
  const address = fc
    .tuple(fc.constantFrom<IpFamily>(4, 6), fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }))
    .map(([family, bits]) => ({ family, value: family === 4 ? bits & 0xffffffffn : bits | (1n << 127n) }));
  const prefix = fc
    .tuple(address, fc.nat(128))
    .map(([ip, length]) => cidrOf(ip, Math.min(length, addressBits(ip.family))));
  const port = fc.record({
    name: fc.string(),
    protocol: fc.constantFrom('TCP' as const, 'UDP' as const, 'SCTP' as const),
    port: fc.nat(65535),
    hostPort: fc.nat(65535),
    hostIp: fc.constantFrom('', '1.2.3.4', '::1'),
  });
  const limits = fc.dictionary(fc.constantFrom(...QOS_LIMITS), fc.nat(), { noNullPrototype: true });
  const dscp = fc.constantFrom({}, { dscp: 46 }, { dscp: 'EF' });
  const endpoints = fc
    .record({
      labels: fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true }),
      profiles: fc.array(fc.string({ minLength: 1 })),
      ports: fc.array(port),
      ipNats: fc.array(fc.record({ internalIp: address, externalIp: address })),
      allowedSourcePrefixes: fc.array(prefix),
      qosControls: fc.tuple(limits, dscp).map(([some, more]) => ({ ...some, ...more })),
    })
    .map((parts): WorkloadEndpoint => ({ ...endpointOf(web), ...parts }));

  it('are each other’s inverse', () => {
    fc.assert(
      fc.property(endpoints, (endpoint) => {
        const text = encodeWorkloadEndpoint(endpoint);
        const decoded = decodeWorkloadEndpoint(text, KEY);
        expect(decoded).toEqual(endpoint);
        expect(encodeWorkloadEndpoint(decoded)).toBe(text);
      }),
    );
  });

  it('give any JSON in those parts back as it was', () => {
    const anything = fc.record(
      {
        ports: fc.jsonValue(),
        ipNATs: fc.jsonValue(),
        allowSpoofedSourcePrefixes: fc.jsonValue(),
        qosControls: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(anything, (spec) => {
        const text = encodeWorkloadEndpoint(decodeWorkloadEndpoint(JSON.stringify({ spec }), KEY));
        const again = encodeWorkloadEndpoint(decodeWorkloadEndpoint(text, KEY));
        expect(again).toBe(text);
        for (const [name, value] of Object.entries(spec)) {
          const isEmpty =
            value === null || value === '' || (typeof value === 'object' && Object.keys(value).length === 0);
          if (!isEmpty) expect(JSON.parse(text).spec[name]).toEqual(JSON.parse(JSON.stringify(value)));
        }
      }),
    );
  });
});
