/** Where commands find the API server of Kubernetes: a kubeconfig, else the environment, as that of every pod. Pure. */

import { environmentDefaults } from '../config/environment-defaults.ts';
import type { ConnectionSources } from '../kubernetes/connection-settings.ts';
import type { CommandWorld } from './command-world.ts';

/** `kubeconfig`: path of a file that somebody named, instead of KUBECONFIG. */
export function kubernetesSources(
  kubeconfig: string | undefined,
  env: CommandWorld['env'],
): ConnectionSources {
  const { kubernetes } = environmentDefaults(env);
  return {
    kubeconfig: kubeconfig ?? kubernetes.kubeconfig,
    context: kubernetes.currentContext,
    server: kubernetes.apiEndpoint,
    token: undefined,
    clientCertificate: kubernetes.certFile,
    clientKey: kubernetes.keyFile,
    certificateAuthority: kubernetes.caFile,
    insecureSkipTlsVerify: kubernetes.insecureSkipTlsVerify,
    inCluster: kubernetes.inCluster,
  };
}
