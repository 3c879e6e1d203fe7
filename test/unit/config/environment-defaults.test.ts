import { describe, expect, it } from 'vitest';
import { datastoreConf } from '../../../src/config/datastore-conf.ts';
import { environmentDefaults, interfacePrefix } from '../../../src/config/environment-defaults.ts';

const VARIABLES = [
  ['DATASTORE_TYPE', 'datastoreType'],
  ['ETCD_ENDPOINTS', 'etcdEndpoints'],
  ['ETCD_DISCOVERY_SRV', 'etcdDiscoverySrv'],
  ['ETCD_KEY_FILE', 'etcdKeyFile'],
  ['ETCD_CERT_FILE', 'etcdCertFile'],
  ['ETCD_CA_CERT_FILE', 'etcdCaCertFile'],
  ['ETCD_USERNAME', 'etcdUsername'],
] as const;

describe('environmentDefaults()', () => {
  it.each(VARIABLES)('reads %s, and first of all CALICO_%s', (variable, field) => {
    expect(environmentDefaults({})[field]).toBeUndefined();
    expect(environmentDefaults({ [variable]: '' })[field]).toBeUndefined();
    expect(environmentDefaults({ [variable]: 'x' })[field]).toBe('x');
    expect(environmentDefaults({ [variable]: 'x', [`CALICO_${variable}`]: 'y' })[field]).toBe('y');
    expect(environmentDefaults({ [variable]: 'x', [`CALICO_${variable}`]: '' })[field]).toBe('x');
  });

  it('reads the password as a secret', () => {
    expect(environmentDefaults({ ETCD_PASSWORD: 'p' }).etcdPassword?.reveal()).toBe('p');
    expect(environmentDefaults({ CALICO_ETCD_PASSWORD: 'q' }).etcdPassword?.reveal()).toBe('q');
    expect(environmentDefaults({}).etcdPassword).toBeUndefined();
  });
});

describe('datastoreConf()', () => {
  const env = {
    ETCD_ENDPOINTS: 'http://env:1',
    ETCD_CERT_FILE: '/env/c',
    ETCD_KEY_FILE: '/env/k',
    ETCD_CA_CERT_FILE: '/env/ca',
    ETCD_USERNAME: 'u',
  };

  it('takes from the environment what the configuration leaves out', () => {
    expect(datastoreConf({ etcd_ca_cert_file: '' }, environmentDefaults(env))).toEqual({
      type: 'etcdv3',
      endpoints: ['http://env:1'],
      discoverySrv: undefined,
      caCertFile: '/env/ca',
      certFile: '/env/c',
      keyFile: '/env/k',
      user: { name: 'u', password: undefined },
    });
  });

  it('prefers the configuration', () => {
    const keys = {
      datastore_type: 'etcdv3',
      etcd_endpoints: 'http://conf:1',
      etcd_cert_file: '/c',
      etcd_key_file: '/k',
      etcd_ca_cert_file: '/ca',
    };
    const defaults = environmentDefaults({ ...env, DATASTORE_TYPE: 'kubernetes' });
    expect(datastoreConf(keys, defaults)).toMatchObject({
      endpoints: ['http://conf:1'],
      certFile: '/c',
      keyFile: '/k',
      caCertFile: '/ca',
    });
  });

  it('takes a discovery domain instead of endpoints', () => {
    expect(datastoreConf({ etcd_discovery_srv: 'example.com' }, environmentDefaults({}))).toMatchObject({
      endpoints: [],
      discoverySrv: 'example.com',
    });
  });

  it('refuses both, wherever each comes from', () => {
    const defaults = environmentDefaults({ ETCD_DISCOVERY_SRV: 'example.com' });
    expect(() => datastoreConf({ etcd_endpoints: 'http://a:1' }, defaults)).toThrow(
      'multiple discovery or bootstrap options specified',
    );
  });

  it('refuses the Kubernetes datastore of the environment', () => {
    const defaults = environmentDefaults({ DATASTORE_TYPE: 'kubernetes' });
    expect(() => datastoreConf({ etcd_endpoints: 'http://a:1' }, defaults)).toThrow(
      expect.objectContaining({ kind: 'unsupported' }),
    );
  });
});

describe('interfacePrefix()', () => {
  it.each([
    [undefined, 'cali'],
    ['', 'cali'],
    ['eni', 'eni'],
    ['eni,cali', 'eni'],
    [' eni , x', 'eni'],
    [',x', 'cali'],
  ])('of %j is %s', (value, prefix) => {
    expect(interfacePrefix({ FELIX_INTERFACEPREFIX: value })).toBe(prefix);
  });
});
