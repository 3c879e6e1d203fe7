/** The kubeconfig of the plugin, in the form that calico-node writes it anew from time to time. Pure. */

import { CalicoError } from '../base/calico-error.ts';
import { type Secret, secret } from '../base/secret.ts';
import type { KubeconfigSettings } from './install-settings.ts';

export interface Credentials {
  readonly token: Secret;
  /** PEM text. */
  readonly certificateAuthority: string;
}

/** `https://10.96.0.1:443`, an IPv6 address in brackets. Throws `config` where a pod's environment lacks it. */
export function apiServerUrl({ protocol, host, port }: KubeconfigSettings): string {
  if (!host || !port) {
    const name = host ? 'KUBERNETES_SERVICE_PORT' : 'KUBERNETES_SERVICE_HOST';
    throw new CalicoError(
      'config',
      `${name} is not set, so there is no API server to name in the kubeconfig`,
      {
        details:
          'kubelet sets it for pods: is enableServiceLinks or the environment of the container at fault?',
      },
    );
  }
  return `${protocol}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

export function kubeconfigText(settings: KubeconfigSettings, credentials: Credentials): Secret {
  const data = Buffer.from(credentials.certificateAuthority).toString('base64');
  const trust = settings.skipsTlsVerify
    ? 'insecure-skip-tls-verify: true'
    : `certificate-authority-data: ${data}`;
  return secret(`# Kubeconfig file for Calico CNI plugin.
apiVersion: v1
kind: Config
clusters:
- name: local
  cluster:
    server: ${JSON.stringify(apiServerUrl(settings))}
    ${trust}
users:
- name: calico
  user:
    token: ${JSON.stringify(credentials.token.reveal())}
contexts:
- name: calico-context
  context:
    cluster: local
    user: calico
current-context: calico-context
`);
}
