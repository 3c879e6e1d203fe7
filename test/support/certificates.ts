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
  const identity = pathsIn(folder, name);
  const { cert } = identity;
  openssl([...request(identity, name, ['-new']), ...leafOf(names)]);
  // Only this command takes days that are over.
  openssl([
    ...['x509', '-req', '-in', cert, '-out', cert, '-CA', ca.cert, '-CAkey', ca.key],
    ...['-copy_extensions', 'copy', '-set_serial', '1', '-days', '-1'],
  ]);
  return identity;
}

function leafOf(names: string): readonly string[] {
  return ['-addext', `subjectAltName=${names}`, '-addext', 'basicConstraints=critical,CA:FALSE'];
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
