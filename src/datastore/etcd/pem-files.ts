/** The TLS files of the settings, as etcd clients want them. */

import { readFileSync } from 'node:fs';
import { CalicoError, errorText } from '../../base/calico-error.ts';
import type { EtcdSettings } from './etcd-settings.ts';

export interface PemFiles {
  /** `undefined`: the CAs that the system trusts. */
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
}

/** `undefined` for endpoints without TLS. Throws `config` when a file cannot be read. */
export function readPemFiles(settings: EtcdSettings): PemFiles | undefined {
  if (!settings.endpoints.some((endpoint) => endpoint.startsWith('https:'))) return undefined;
  const { pem } = settings;
  if (pem !== undefined)
    return { ca: Buffer.from(pem.ca), cert: Buffer.from(pem.cert), key: Buffer.from(pem.key) };
  return {
    ca: readPem('etcd_ca_cert_file', settings.caCertFile),
    cert: readPem('etcd_cert_file', settings.certFile),
    key: readPem('etcd_key_file', settings.keyFile),
  };
}

function readPem(setting: string, path: string | undefined): Buffer | undefined {
  if (path === undefined) return undefined;
  try {
    const text = readFileSync(path);
    // What is none would be ignored, and every certificate of etcd refused.
    if (!text.includes('-----BEGIN ')) throw new Error('no PEM in the file');
    return text;
  } catch (cause) {
    throw new CalicoError('config', `could not initialize etcdv3 client: cannot read ${setting} ${path}`, {
      details: errorText(cause),
      cause,
    });
  }
}
