/** What TLS with etcd rests on: whom we trust, and who we are. */

import type { SecureContext, SecureContextOptions } from 'node:tls';
import { CalicoError, errorText } from '../../base/calico-error.ts';
import type { EtcdSettings } from './etcd-settings.ts';
import type { PemFiles } from './pem-files.ts';

/** With a CA file only its CAs are trusted, without one those of the system. Throws `config` when a file is damaged. */
export function secureContextOf(settings: EtcdSettings, { ca, cert, key }: PemFiles): SecureContext {
  const { createSecureContext, getCACertificates } = process.getBuiltinModule('node:tls');
  const options: SecureContextOptions = {
    minVersion: 'TLSv1.2',
    ca: ca ?? getCACertificates('system'),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
  try {
    return createSecureContext(options);
  } catch (cause) {
    const { caCertFile, certFile, keyFile, pem: texts } = settings;
    const files = [caCertFile, certFile, keyFile].filter((path) => path !== undefined).join(', ');
    const what = texts === undefined ? `the TLS files ${files}` : 'etcdCACert, etcdCert and etcdKey';
    throw new CalicoError('config', `could not initialize etcdv3 client: cannot use ${what}`, {
      details: errorText(cause),
      cause,
    });
  }
}
