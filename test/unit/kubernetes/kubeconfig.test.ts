import { describe, expect, it } from 'vitest';
import { parseKubeconfig } from '../../../src/kubernetes/kubeconfig.ts';

const PATH = '/etc/cni/net.d/calico-kubeconfig';
const PEM = '-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n';
const PEM_DATA = Buffer.from(PEM).toString('base64');

/** As calico-node and its installer write it. */
const CALICO = `# Kubeconfig file for Calico CNI plugin.
apiVersion: v1
kind: Config
clusters:
- name: local
  cluster:
    server: https://[10.96.0.1]:443
    certificate-authority-data: "${PEM_DATA}"
users:
- name: calico
  user:
    token: eyJhbGciOiJSUzI1NiJ9.e30.c2ln
contexts:
- name: calico-context
  context:
    cluster: local
    user: calico
current-context: calico-context`;

/** JSON, with one cluster, user and context. */
function config(cluster: unknown, user: unknown, more: object = {}): string {
  return JSON.stringify({
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
    ...more,
  });
}

describe('parseKubeconfig()', () => {
  it("reads Calico's own", () => {
    const { origin, cluster, user } = parseKubeconfig(CALICO, PATH);
    expect(origin).toBe(`kubeconfig ${PATH}`);
    expect(cluster).toMatchObject({ server: 'https://[10.96.0.1]:443', insecureSkipTlsVerify: false });
    const { certificateAuthority: ca } = cluster;
    expect(ca && 'text' in ca && [ca.text.reveal(), ca.from]).toEqual([
      PEM,
      `certificate-authority-data of cluster "local" in ${PATH}`,
    ]);
    expect(user.tokens.map((token) => 'text' in token && [token.text.reveal(), token.from])).toEqual([
      ['eyJhbGciOiJSUzI1NiJ9.e30.c2ln', `token of user "calico" in ${PATH}`],
    ]);
  });

  it('is not finished while there is only a part of it', () => {
    for (let length = 0; length < CALICO.length; length++)
      expect(() => parseKubeconfig(CALICO.slice(0, length), PATH), `${length} bytes`).toThrow(
        expect.objectContaining({ kind: 'config' }),
      );
  });

  it('reads a client certificate and a CA in files, with the paths as they are written', () => {
    const text = config(
      { server: 'https://a', 'certificate-authority': 'ca.pem', 'tls-server-name': 'kubernetes' },
      { 'client-certificate': '../c.pem', 'client-key': '/k.pem' },
    );
    expect(parseKubeconfig(text, PATH)).toMatchObject({
      cluster: { certificateAuthority: { file: 'ca.pem' }, tlsServerName: 'kubernetes' },
      user: { certificate: { file: '../c.pem' }, key: { file: '/k.pem' }, tokens: [] },
    });
  });

  it('takes data rather than files, and a tokenFile rather than a token', () => {
    const user = {
      'client-certificate-data': PEM_DATA,
      'client-certificate': 'f',
      token: 't',
      tokenFile: 'g',
    };
    const parsed = parseKubeconfig(config({}, user), PATH);
    expect(parsed.user.certificate).not.toHaveProperty('file');
    expect(parsed.user.tokens).toMatchObject([{ file: 'g' }, { from: `token of user "u" in ${PATH}` }]);
  });

  it.each([
    ['true', true],
    ['True', true],
    ['false', false],
    ['', false],
    ['1', false],
  ])('takes insecure-skip-tls-verify: %s for %s', (written, expected) => {
    const text = CALICO.replace('    server:', `    insecure-skip-tls-verify: ${written}\n    server:`);
    expect(parseKubeconfig(text, PATH).cluster.insecureSkipTlsVerify).toBe(expected);
  });

  it('keeps a token of digits, and a user name, as they are written', () => {
    const text = CALICO.replace(/token: .*/, 'token: 0123\n    username: yes');
    const { tokens, username } = parseKubeconfig(text, PATH).user;
    expect(tokens.map((token) => 'text' in token && token.text.reveal())).toEqual(['0123']);
    expect(username).toBe('yes');
  });

  it('uses another context when it is named, and looks at no other', () => {
    const text = config({ server: 'https://a' }, null, {
      contexts: [{ name: 'x', context: 'broken' }, 7, { name: 'other', context: { cluster: 'c' } }],
    });
    expect(parseKubeconfig(text, PATH, 'other')).toMatchObject({
      cluster: { server: 'https://a' },
      user: { tokens: [], username: undefined },
    });
  });

  it.each([
    ['null', 'it must be an object'],
    ['[]', 'it must be an object'],
    ['', 'expected a document, but the input is empty'],
    ['a: [', 'unexpected end of the stream within a flow collection in line 1'],
    ['{}', 'current-context is not set'],
    [config({}, {}, { 'current-context': 'y' }), 'context "y" does not exist'],
    [config({}, {}, { contexts: null }), 'context "x" does not exist'],
    [config({}, {}, { clusters: [] }), 'cluster "c" does not exist'],
    [config({}, {}, { users: [] }), 'user "u" does not exist'],
    [config({}, {}, { users: {} }), 'users must be a list'],
    [config({ server: ['x'] }, {}), 'cluster "c": cluster.server must be a string'],
    [config({}, { token: { a: 1 } }), 'user "u": user.token must be a string'],
  ])('%j is invalid: %s', (text, why) => {
    expect(() => parseKubeconfig(text, PATH)).toThrow(
      expect.objectContaining({ kind: 'config', message: `invalid kubeconfig ${PATH}: ${why}` }),
    );
  });

  it.each([
    [{ 'proxy-url': 'http://p' }, {}, 'proxy-url of cluster "c"'],
    [{}, { exec: { command: 'aws' } }, 'exec of user "u"'],
    [{}, { 'auth-provider': { name: 'oidc' } }, 'auth-provider of user "u"'],
    [{}, { as: 'admin' }, 'as of user "u"'],
  ])('%j and %j are not supported', (cluster, user, what) => {
    expect(() => parseKubeconfig(config(cluster, user), PATH)).toThrow(
      expect.objectContaining({
        kind: 'unsupported',
        message: `kubeconfig ${PATH}: ${what} is not supported`,
      }),
    );
    // What is empty is not there.
    const empty = (object: object) => Object.fromEntries(Object.keys(object).map((key) => [key, null]));
    expect(() => parseKubeconfig(config(empty(cluster), empty(user)), PATH)).not.toThrow();
  });

  it('does not show the file when it is damaged', () => {
    const damaged = CALICO.replace('token: ', 'token: "');
    expect(() => parseKubeconfig(damaged, PATH)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('eyJ') }),
    );
  });
});
