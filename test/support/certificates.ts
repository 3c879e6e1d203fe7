/** Certificates for one test file, made by openssl: a CA, what it vouches for, and a CA that nobody knows. */

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { requireTool } from './tools.ts';

/** Paths of PEM files. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

/** A CA that vouches for itself, in `folder`. */
export function makeCa(folder: string, name: string): Identity {
  const identity = pathsIn(folder, name);
  openssl([...request(identity, name), '-addext', 'basicConstraints=critical,CA:TRUE']);
  return identity;
}

/** `names`: what the certificate is for, as openssl writes it: `IP:127.0.0.1,DNS:localhost`. */
export function makeCertificate(folder: string, name: string, ca: Identity, names: string): Identity {
  const identity = pathsIn(folder, name);
  openssl([
    ...request(identity, name),
    ...['-CA', ca.cert, '-CAkey', ca.key, '-addext', `subjectAltName=${names}`],
    ...['-addext', 'basicConstraints=critical,CA:FALSE'],
  ]);
  return identity;
}

function pathsIn(folder: string, name: string): Identity {
  return { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
}

function request({ cert, key }: Identity, name: string): readonly string[] {
  return [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-subj', `/CN=${name}`, '-keyout', key, '-out', cert],
  ];
}

function openssl(args: readonly string[]): void {
  execFileSync(requireTool('openssl'), args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
