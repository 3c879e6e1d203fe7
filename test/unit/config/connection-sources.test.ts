import { describe, expect, it } from 'vitest';
import { secret } from '../../../src/base/secret.ts';
import type { KubernetesConf } from '../../../src/config/calico-conf.ts';
import { connectionSources } from '../../../src/config/connection-sources.ts';
import { environmentDefaults } from '../../../src/config/environment-defaults.ts';

const NOTHING: KubernetesConf = {
  kubeconfig: undefined,
  apiRoot: undefined,
  authToken: undefined,
  clientCertificate: undefined,
  clientKey: undefined,
  certificateAuthority: undefined,
  nodeName: undefined,
};

const ENVIRONMENT = {
  KUBECONFIG: '/env/kubeconfig',
  K8S_API_ENDPOINT: 'https://env',
  K8S_CERT_FILE: '/env/c',
  K8S_KEY_FILE: '/env/k',
  K8S_CA_FILE: '/env/ca',
  K8S_CURRENT_CONTEXT: 'other',
  KUBERNETES_SERVICE_HOST: '10.96.0.1',
  KUBERNETES_SERVICE_PORT: '443',
};

describe('connectionSources()', () => {
  it('takes from the environment what the configuration leaves out', () => {
    expect(connectionSources(NOTHING, environmentDefaults(ENVIRONMENT))).toEqual({
      kubeconfig: '/env/kubeconfig',
      context: 'other',
      server: 'https://env',
      token: undefined,
      clientCertificate: '/env/c',
      clientKey: '/env/k',
      certificateAuthority: '/env/ca',
      insecureSkipTlsVerify: undefined,
      inCluster: { host: '10.96.0.1', port: '443' },
    });
  });

  it('prefers the configuration, and the variables with a prefix', () => {
    const conf = {
      ...NOTHING,
      kubeconfig: '/conf',
      apiRoot: 'https://conf',
      authToken: secret('t'),
      clientCertificate: '/c',
      clientKey: '/k',
      certificateAuthority: '/ca',
    };
    const defaults = environmentDefaults({ ...ENVIRONMENT, CALICO_K8S_CURRENT_CONTEXT: 'mine' });
    expect(connectionSources(conf, defaults)).toMatchObject({
      kubeconfig: '/conf',
      context: 'mine',
      server: 'https://conf',
      token: conf.authToken,
      clientCertificate: '/c',
      clientKey: '/k',
      certificateAuthority: '/ca',
    });
  });

  it.each([
    ['true', true],
    ['1', true],
    ['T', true],
    ['false', false],
    ['yes', false],
    ['', undefined],
  ])('takes K8S_INSECURE_SKIP_TLS_VERIFY=%s for %s', (value, expected) => {
    const defaults = environmentDefaults({ K8S_INSECURE_SKIP_TLS_VERIFY: value });
    expect(connectionSources(NOTHING, defaults).insecureSkipTlsVerify).toBe(expected);
  });

  it('is in a cluster only with host and port', () => {
    const defaults = environmentDefaults({ KUBERNETES_SERVICE_HOST: 'a' });
    expect(connectionSources(NOTHING, defaults).inCluster).toBeUndefined();
  });
});
