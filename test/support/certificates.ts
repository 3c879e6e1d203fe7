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

/**
 * `names`: what the certificate is for, as openssl writes it: `IP:127.0.0.1,DNS:localhost`. `groups`: where Kubernetes
 * takes the user to belong whose name it bears.
 */
export function makeCertificate(
  folder: string,
  name: string,
  ca: Identity,
  names: string,
  groups: readonly string[] = [],
): Identity {
  const identity = pathsIn(folder, name);
  openssl([
    ...request(identity, name, groups),
    ...['-CA', ca.cert, '-CAkey', ca.key, '-addext', `subjectAltName=${names}`],
    ...['-addext', 'basicConstraints=critical,CA:FALSE'],
  ]);
  return identity;
}

/** As {@link makeCertificate}, but it was good until yesterday. */
export function makeExpiredCertificate(folder: string, name: string, ca: Identity, names: string): Identity {
  const identity = makeCertificate(folder, name, ca, names);
  const { cert, key } = identity;
  const wish = join(folder, `${name}.csr`);
  const copy = ['-copy_extensions', 'copy'];
  openssl(['x509', '-x509toreq', '-in', cert, '-signkey', key, '-out', wish, ...copy]);
  // Only this command takes days that are over.
  const signed = ['-CA', ca.cert, '-CAkey', ca.key, '-set_serial', '1', '-days', '-1'];
  openssl(['x509', '-req', '-in', wish, '-out', cert, ...signed, ...copy]);
  return identity;
}

function pathsIn(folder: string, name: string): Identity {
  return { cert: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
}

function request({ cert, key }: Identity, name: string, groups: readonly string[] = []): readonly string[] {
  const subject = `/CN=${name}${groups.map((group) => `/O=${group}`).join('')}`;
  return [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'],
    ...['-subj', subject, '-keyout', key, '-out', cert],
  ];
}

function openssl(args: readonly string[]): void {
  execFileSync(requireTool('openssl'), args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
