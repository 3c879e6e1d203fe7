import { describe, expect, it } from 'vitest';
import { parseConfigFile, readConfigFile } from '../../../src/cli/config-file.ts';
import { type DatastoreOptions, datastoreSettings } from '../../../src/cli/datastore-options.ts';

const HEAD = 'apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nmetadata:\nspec:\n';
const PEM = '|\n    -----BEGIN CERTIFICATE-----\n    x\n    -----END CERTIFICATE-----';
const parse = (spec: string) => parseConfigFile(HEAD + spec, '/f');

function settings(options: DatastoreOptions, file: string | undefined, env = {}) {
  return datastoreSettings(options, file === undefined ? undefined : parse(file), env);
}

describe('parseConfigFile()', () => {
  it('reads what calicoctl reads', () => {
    const spec = `  datastoreType: "etcdv3"
  etcdEndpoints: "https://a:2379,https://b:2379"
  etcdKeyFile: /k
  etcdCertFile: /c
  etcdCACertFile: /ca
  etcdUsername: u
  etcdPassword: p
  k8sAPIEndpoint: ""
  kubeconfig: /x
`;
    expect(settings({}, spec)).toEqual({
      type: 'etcdv3',
      endpoints: ['https://a:2379', 'https://b:2379'],
      discoverySrv: undefined,
      caCertFile: '/ca',
      certFile: '/c',
      keyFile: '/k',
      pem: undefined,
      user: { name: 'u', password: 'p' },
    });
  });

  it('reads certificates that are in the file itself', () => {
    const spec = `  etcdEndpoints: https://a\n  etcdCACert: ${PEM}\n  etcdCert: ${PEM}\n  etcdKey: ${PEM}\n`;
    const text = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n';
    expect(settings({}, spec)).toMatchObject({ pem: { ca: text, cert: text, key: text } });
    expect(settings({ etcdCaCertFile: '/ca' }, spec)).not.toHaveProperty('pem');
  });

  it('reads JSON', () => {
    const text =
      '{"apiVersion":"projectcalico.org/v3","kind":"CalicoAPIConfig","spec":{"datastoreType":"embedded","datastorePath":"/d"}}';
    expect(datastoreSettings({}, parseConfigFile(text, '/f'), {})).toEqual({ type: 'embedded', path: '/d' });
  });

  it.each([
    ['a:', 'it must be an object, found', 'x'],
    ['another version', 'apiVersion must be projectcalico.org/v3, found string "v1"', 'apiVersion: v1'],
    [
      'another kind',
      'kind must be CalicoAPIConfig, found string "Node"',
      'apiVersion: projectcalico.org/v3\nkind: Node',
    ],
    ['an unknown field', 'spec.etcdEndpoint is not a field of CalicoAPIConfig', `${HEAD}  etcdEndpoint: x`],
    [
      'a number',
      'spec.etcdPassword must be a string, found one that is not: put it in quotes',
      `${HEAD}  etcdPassword: 123`,
    ],
    [
      'files and texts',
      'Cannot mix inline certificate-key and certificate / key files',
      `${HEAD}  etcdKeyFile: /x\n  etcdKey: x`,
    ],
    ['a text alone', 'etcdCACert, etcdCert and etcdKey come together', `${HEAD}  etcdKey: x`],
    [
      'no PEM',
      'no PEM in spec.etcdKey',
      `${HEAD}  etcdCACert: ${PEM}\n  etcdCert: ${PEM}\n  etcdKey: secret`,
    ],
  ])('refuses %s', (_what, message, text) => {
    expect(() => parseConfigFile(text, '/f')).toThrow(`invalid config file /f: ${message}`);
  });

  it('keeps a password out of its errors', () => {
    const broken = `${HEAD}  etcdPassword: "hunter2\n  x: [`;
    expect(() => parseConfigFile(broken, '/f')).toThrow(/^(?!.*hunter2)/s);
  });
});

describe('readConfigFile()', () => {
  it('does without the usual one, and not without one that is named', () => {
    expect(() => readConfigFile('/nowhere')).toThrow('Error reading config file: /nowhere');
  });
});

describe('datastoreSettings()', () => {
  const env = { ETCD_ENDPOINTS: 'http://env:1', ETCD_USERNAME: 'u', ETCD_PASSWORD: 'p' };
  const endpoints = (options: DatastoreOptions, file?: string) => {
    const found = settings(options, file, env);
    return found.type === 'etcdv3' ? [...found.endpoints, found.discoverySrv, found.user?.name] : [];
  };

  it('takes options before the file, and the file in place of the environment', () => {
    expect(endpoints({})).toEqual(['http://env:1', undefined, 'u']);
    expect(endpoints({}, '  etcdEndpoints: http://file:1')).toEqual(['http://file:1', undefined, undefined]);
    expect(endpoints({ etcdEndpoints: 'http://option:1' }, '  etcdEndpoints: http://file:1')).toEqual([
      'http://option:1',
      undefined,
      undefined,
    ]);
  });

  it('lets an option replace the other way to find etcd', () => {
    expect(endpoints({ etcdDiscoverySrv: 'x.org' })).toEqual(['x.org', 'u']);
    expect(endpoints({ etcdEndpoints: 'http://o:1' }, '  etcdDiscoverySrv: x.org')).toEqual([
      'http://o:1',
      undefined,
      undefined,
    ]);
  });

  it('says where endpoints can be written', () => {
    expect(() => settings({}, undefined)).toThrow('no etcd endpoints specified');
  });
});
