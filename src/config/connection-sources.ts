/** Where the Kubernetes API is, as the Kubernetes room wants to know it: the configuration's word over the environment's. Pure. */

import type { ConnectionSources } from '../kubernetes/connection-settings.ts';
import type { KubernetesConf } from './calico-conf.ts';
import type { EnvironmentDefaults } from './environment-defaults.ts';

export function connectionSources(
  conf: KubernetesConf,
  { kubernetes }: EnvironmentDefaults,
): ConnectionSources {
  return {
    kubeconfig: conf.kubeconfig ?? kubernetes.kubeconfig,
    context: kubernetes.currentContext,
    server: conf.apiRoot ?? kubernetes.apiEndpoint,
    token: conf.authToken,
    clientCertificate: conf.clientCertificate ?? kubernetes.certFile,
    clientKey: conf.clientKey ?? kubernetes.keyFile,
    certificateAuthority: conf.certificateAuthority ?? kubernetes.caFile,
    insecureSkipTlsVerify: kubernetes.insecureSkipTlsVerify,
    inCluster: kubernetes.inCluster,
  };
}
