import { describe, expect, it } from 'vitest';
import { secret } from '../../../src/base/secret.ts';
import {
  type ClientConfig,
  type ClientOverrides,
  checkConsistent,
  inClusterConfig,
  override,
} from '../../../src/kubernetes/client-config.ts';

const CONFIG: ClientConfig = {
  origin: 'kubeconfig /k',
  cluster: {
    server: 'https://a',
    certificateAuthority: { file: '/ca' },
    insecureSkipTlsVerify: false,
    tlsServerName: 'name',
  },
  user: {
    certificate: { file: '/c' },
    key: { file: '/k' },
    tokens: [{ file: '/t' }],
    username: undefined,
    password: undefined,
  },
};

const NONE: ClientOverrides = {
  server: undefined,
  token: undefined,
  clientCertificate: undefined,
  clientKey: undefined,
  certificateAuthority: undefined,
  insecureSkipTlsVerify: undefined,
};

describe('override()', () => {
  const overridden = (changes: Partial<ClientOverrides>) => override(CONFIG, { ...NONE, ...changes });

  it('changes nothing without overrides', () => {
    expect(overridden({})).toEqual(CONFIG);
  });

  it('replaces what is given, and nothing else', () => {
    expect(overridden({ server: 'https://b' })).toEqual({
      ...CONFIG,
      cluster: { ...CONFIG.cluster, server: 'https://b' },
    });
    expect(overridden({ clientCertificate: '/x', clientKey: '/y' })).toEqual({
      ...CONFIG,
      user: { ...CONFIG.user, certificate: { file: '/x' }, key: { file: '/y' } },
    });
    expect(overridden({ certificateAuthority: '/z' }).cluster.certificateAuthority).toEqual({ file: '/z' });
  });

  it('puts a token in the place of every other token and of a password', () => {
    const withPassword = { ...CONFIG, user: { ...CONFIG.user, username: 'me' } };
    const { tokens, username } = override(withPassword, { ...NONE, token: secret('t') }).user;
    expect(tokens).toMatchObject([{ from: 'policy.k8s_auth_token of the network configuration' }]);
    expect(username).toBeUndefined();
  });

  it('lets a CA and the will to trust anyone replace each other', () => {
    expect(overridden({ insecureSkipTlsVerify: true }).cluster).toMatchObject({
      certificateAuthority: undefined,
      insecureSkipTlsVerify: true,
    });
    const careless = {
      ...CONFIG,
      cluster: { ...CONFIG.cluster, certificateAuthority: undefined, insecureSkipTlsVerify: true },
    };
    expect(override(careless, { ...NONE, certificateAuthority: '/ca' }).cluster).toMatchObject({
      certificateAuthority: { file: '/ca' },
      insecureSkipTlsVerify: false,
    });
    expect(override(careless, NONE).cluster.insecureSkipTlsVerify).toBe(true);
  });
});

describe('inClusterConfig()', () => {
  it.each([
    ['10.96.0.1', 'https://10.96.0.1:443'],
    ['fd00::1', 'https://[fd00::1]:443'],
  ])('on %s is %s with the service account of the pod', (host, server) => {
    expect(inClusterConfig({ host, port: '443' })).toMatchObject({
      cluster: {
        server,
        certificateAuthority: { file: '/var/run/secrets/kubernetes.io/serviceaccount/ca.crt' },
      },
      user: { tokens: [{ file: '/var/run/secrets/kubernetes.io/serviceaccount/token' }] },
    });
  });
});

describe('checkConsistent()', () => {
  const { cluster, user } = CONFIG;

  it.each([
    ['no server has been defined', { cluster: { ...cluster, server: undefined } }],
    [
      'root certificates file with the insecure flag',
      { cluster: { ...cluster, insecureSkipTlsVerify: true } },
    ],
    ['client-certificate and client-key come together', { user: { ...user, key: undefined } }],
    ['client-certificate and client-key come together', { user: { ...user, certificate: undefined } }],
    ['more than one authentication method', { user: { ...user, username: 'me' } }],
  ])('refuses: %s', (why, changes) => {
    expect(() => checkConsistent(CONFIG)).not.toThrow();
    expect(() => checkConsistent({ ...CONFIG, ...changes })).toThrow(
      expect.objectContaining({ kind: 'config', message: expect.stringContaining(why) }),
    );
  });
});
