/** What the Kubernetes API answers, and what is read to reach it. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { secret } from '../../src/base/secret.ts';
import { refusalError } from '../../src/kubernetes/api-failure.ts';
import {
  decodeNamespace,
  decodeNode,
  decodePod,
  decodeStatus,
  decodeVersion,
} from '../../src/kubernetes/decode-objects.ts';
import { tokenExpiryNs } from '../../src/kubernetes/expiry.ts';
import { parseKubeconfig } from '../../src/kubernetes/kubeconfig.ts';
import type { Namespace, Pod } from '../../src/kubernetes/objects.ts';
import { podSettings } from '../../src/kubernetes/pod-settings.ts';
import { retryPauseMs } from '../../src/kubernetes/retry-pause.ts';
import { parseServerUrl } from '../../src/kubernetes/server-url.ts';
import { validateEndpoint } from '../../src/workload/validate-endpoint.ts';
import { isRefusal, survives } from '../support/fuzz.ts';
import { mangledJson, mangledText } from '../support/mangled.ts';

const METADATA = {
  name: 'web-1',
  namespace: 'default',
  uid: 'u',
  labels: { app: 'web' },
  annotations: { a: 'b' },
};
const CONTAINERS = [
  { ports: [{ name: 'http', containerPort: 80, hostPort: 8080, hostIP: '10.0.0.1', protocol: 'TCP' }] },
];
const POD = {
  kind: 'Pod',
  metadata: { ...METADATA, generateName: 'web-' },
  spec: { serviceAccountName: 'default', containers: CONTAINERS, initContainers: CONTAINERS },
};
const NOW_NS = 1_700_000_000_000_000_000n;

describe('an answer', () => {
  it.each<[string, unknown, (json: string, what: string) => unknown]>([
    ['pod', POD, decodePod],
    ['namespace', { kind: 'Namespace', metadata: METADATA }, decodeNamespace],
    [
      'node',
      { kind: 'Node', metadata: METADATA, spec: { podCIDR: '10.1.0.0/24', podCIDRs: ['fd00::/80'] } },
      decodeNode,
    ],
    ['version', { gitVersion: 'v1.34.2' }, decodeVersion],
    ['status', { kind: 'Status', reason: 'NotFound', message: 'no' }, decodeStatus],
  ])('is a %s, or is refused', (what, sample, decode) => {
    survives(mangledJson([sample]), (json) => decode(json, what));
  });

  it('is a refusal that can be told', () => {
    const status = { kind: 'Status', reason: 'NotFound', message: 'no' };
    const claims = fc.oneof(
      mangledJson([{ exp: 1_700_000_000, sub: 'x' }]).map((json) => Buffer.from(json).toString('base64url')),
      mangledText(['e30']),
    );
    const answers = fc.record({
      status: fc.constantFrom(401, 403, 404, 418, 429, 500, 503),
      body: mangledJson([status]),
      token: claims.map((payload) => `Bearer e30.${payload}.c2ln`),
      retryAfter: fc.option(mangledText(['3', 'Wed, 21 Oct 2015 07:28:00 GMT']), { nil: undefined }),
    });
    survives(answers, ({ status: code, body, token, retryAfter }) => {
      const settings = {
        server: parseServerUrl('https://10.96.0.1', true),
        certificateAuthority: undefined,
        insecureSkipTlsVerify: false,
        tlsServerName: undefined,
        certificate: undefined,
        authorization: { text: secret(token), from: 'token' },
      };
      const headers = retryAfter === undefined ? {} : { 'retry-after': retryAfter };
      const answer = { status: code, headers, body: Buffer.from(body) };
      const pauseMs = retryPauseMs(answer, NOW_NS);
      expect(pauseMs === undefined || pauseMs >= 0).toBe(true);
      throw refusalError({ object: 'pod default/web-1', settings, nowNs: NOW_NS }, answer);
    });
  });
});

describe('annotations', () => {
  const PREFIX = 'cni.projectcalico.org/';
  const QOS = 'qos.projectcalico.org/';
  const values: Readonly<Record<string, readonly string[]>> = {
    [`${PREFIX}ipAddrs`]: ['["10.9.0.1","fd00::1"]'],
    [`${PREFIX}ipAddrsNoIpam`]: ['["10.9.0.1"]'],
    [`${PREFIX}floatingIPs`]: ['["172.16.0.1"]'],
    [`${PREFIX}ipv4pools`]: ['["pool-1","10.9.0.0/16"]'],
    [`${PREFIX}ipv6pools`]: ['["fd00::/64"]'],
    [`${PREFIX}ipFamilies`]: ['["IPv4","IPv6"]'],
    [`${PREFIX}hwAddr`]: ['aa:bb:cc:dd:ee:ff'],
    [`${PREFIX}allowedSourcePrefixes`]: ['["10.0.0.0/8"]'],
    [`${QOS}ingressBandwidth`]: ['10M'],
    [`${QOS}egressBurst`]: ['1Gi'],
    [`${QOS}ingressPacketRate`]: ['1e3'],
    [`${QOS}dscp`]: ['EF', '46'],
    'kubernetes.io/egress-bandwidth': ['1G'],
  };
  const annotations = fc.record<Record<string, string>>(
    Object.fromEntries(Object.entries(values).map(([key, samples]) => [key, mangledText(samples)])),
    { requiredKeys: [] },
  );

  it('ask for what a pod can have, or are refused', () => {
    const ids = {
      orchestrator: 'k8s',
      nodeName: 'n',
      namespace: 'd',
      containerId: 'c',
      ifName: 'eth0',
      podName: 'p',
    } as const;
    survives(fc.tuple(annotations, annotations), ([ofPod, ofNamespace]) => {
      const pod: Pod = { ...decodePod(JSON.stringify(POD), 'pod'), annotations: ofPod };
      const namespace: Namespace = { name: 'default', labels: {}, annotations: ofNamespace };
      const settings = podSettings(pod, namespace);
      return validateEndpoint(ids, settings.profiles, settings);
    });
  });
});

describe('a kubeconfig', () => {
  const YAML = `# Kubeconfig file for Calico CNI plugin.
apiVersion: v1
clusters:
- name: local
  cluster: {server: "https://[10.96.0.1]:443", certificate-authority-data: "TUlJ", insecure-skip-tls-verify: false}
users:
- name: calico
  user:
    token: |
      eyJhbGciOiJSUzI1NiJ9.e30.c2ln
    password: &p !!str hunter2
    username: *p
contexts:
- name: calico-context
  context: {cluster: local, user: calico}
current-context: calico-context
`;
  const JSON_FORM = {
    clusters: [{ name: 'c', cluster: { server: 'https://a', 'certificate-authority': '/ca' } }],
    users: [{ name: 'u', user: { token: 't', tokenFile: '/t', 'client-key-data': 'a', exec: null } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  const bombs = [
    `a: &a [x, x, x, x, x, x, x, x]\n${Array.from({ length: 9 }, (_unused, i) => `b${i}: &b${i} [${'*a, '.repeat(8)}]`).join('\n')}`,
    '{ '.repeat(20_000),
    '- '.repeat(20_000),
    `${'? '.repeat(5_000)}x`,
    'a: &a [*a]\n',
    `a: "${'\\x00'.repeat(5_000)}"`,
    `${'<<: {a: 1}\n'.repeat(2_000)}`,
  ];

  it('is read or refused', () => {
    const texts = fc.oneof(mangledText([YAML]), mangledJson([JSON_FORM]), fc.constantFrom(...bombs));
    survives(texts, (text) => parseKubeconfig(text, '/kubeconfig'));
  });

  it('is never quoted with its secrets', () => {
    survives(mangledText([YAML]), (text) => {
      try {
        parseKubeconfig(text, '/kubeconfig');
      } catch (error) {
        if (!isRefusal(error)) throw error;
        expect(String(error)).not.toMatch(/hunter2|eyJhbGci/);
      }
    });
  });
});

describe('an expiry', () => {
  it('is that of a token, or unknown', () => {
    const payload = Buffer.from('{"exp":1700000000}').toString('base64url');
    survives(mangledText([`e30.${payload}.c2ln`]), tokenExpiryNs);
  });
});
