/** The list of etcd URLs, checked and made canonical. Pure. */

import { CalicoError } from '../base/calico-error.ts';
import { tryParseIpAddress } from '../base/ip-address.ts';
import { shorten } from '../base/json-object.ts';

const DEFAULT_PORT = 2379;

/**
 * Parses a comma-separated list of URLs. An endpoint without a scheme is `https`, one without a port has 2379.
 * Throws `config`, also when there is none at all or when the schemes differ.
 */
export function parseEndpoints(list: string): readonly string[] {
  const endpoints = list
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map(parseEndpoint);
  if (endpoints.length === 0) {
    throw new CalicoError('config', 'no etcd endpoints specified', {
      details: 'set etcd_endpoints in the network configuration or ETCD_ENDPOINTS in the environment',
    });
  }
  if (new Set(endpoints.map(({ scheme }) => scheme)).size > 1) {
    throw new CalicoError('config', 'invalid etcd endpoints: use either http or https for all of them');
  }
  return endpoints.map(({ scheme, host, port }) => `${scheme}://${host}:${port}`);
}

interface Endpoint {
  readonly scheme: string;
  /** A name or an IPv4 address, or an IPv6 address in brackets. */
  readonly host: string;
  readonly port: number;
}

/** Not `URL`, which forgets a port that is its scheme's default, and 2379 is the default here. */
const ENDPOINT = /^(?:(?<scheme>https?):\/\/)?(?<host>\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::(?<port>\d+))?\/?$/i;

function parseEndpoint(text: string): Endpoint {
  const { scheme = 'https', host = '', port } = ENDPOINT.exec(text)?.groups ?? {};
  const number = port === undefined ? DEFAULT_PORT : Number(port);
  if (host === '' || number < 1 || number > 65535 || isBadIpv6(host)) {
    // A user and password in the URL would be a mistake, and must not get into a log.
    const shown = text.includes('@') ? 'a URL with credentials' : JSON.stringify(shorten(text));
    throw new CalicoError('config', `invalid etcd endpoint ${shown}: it must be like https://host:2379`);
  }
  return { scheme: scheme.toLowerCase(), host: host.toLowerCase(), port: number };
}

function isBadIpv6(host: string): boolean {
  return host.startsWith('[') && tryParseIpAddress(host.slice(1, -1)) === undefined;
}
