/** The URL of an API server, as kubeconfig files and configurations have it. Pure. */

import { CalicoError } from '../base/calico-error.ts';
import { shorten } from '../base/json-object.ts';

export interface ServerUrl {
  /** For messages: `https://10.96.0.1:443/base`. */
  readonly text: string;
  readonly isSecure: boolean;
  /** A name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
  /** What comes before `/api`; empty, or begins with a slash and ends with none. */
  readonly basePath: string;
}

/** Not `URL`: Calico's installer puts brackets around IPv4 addresses as well, which `URL` refuses. */
const PARTS =
  /^(?:(?<scheme>https?):\/\/)?(?<host>\[[^\s\]/]+\]|[^\s:/?#@[\]]+)(?::(?<port>\d+))?(?<path>\/[^\s?#]*)?$/i;
const MAX_PORT = 65_535;

/** A URL without a scheme is `https` if `hasTls`: if there is anything to do TLS with. Throws `config`. */
export function parseServerUrl(text: string, hasTls: boolean): ServerUrl {
  const { scheme, host = '', port: portText, path = '' } = PARTS.exec(text)?.groups ?? {};
  const isSecure = scheme === undefined ? hasTls : scheme.toLowerCase() === 'https';
  const port = Number(portText ?? (isSecure ? 443 : 80));
  if (host === '' || port === 0 || port > MAX_PORT) throw invalidServer(text);
  const bareHost = host.replace(/^\[|\]$/g, '');
  const basePath = path.replace(/\/+$/, '');
  const shownHost = bareHost.includes(':') ? `[${bareHost}]` : bareHost;
  return {
    text: `${isSecure ? 'https' : 'http'}://${shownHost}:${port}${basePath}`,
    isSecure,
    host: bareHost,
    port,
    basePath,
  };
}

function invalidServer(text: string): CalicoError {
  // What stands before an @ is a user and a password.
  const shown = JSON.stringify(shorten(text.replace(/^.*@/s, '…@')));
  return new CalicoError(
    'config',
    `invalid Kubernetes API server ${shown}: it must be like https://10.96.0.1:443`,
  );
}
