/** What trust and identity are made of: PEM texts and tokens, and where they come from. */

import { readFileSync } from 'node:fs';
import { CalicoError, errorText } from '../base/calico-error.ts';
import { type Secret, secret } from '../base/secret.ts';

export interface Material {
  readonly text: Secret;
  /** For messages: `token of user "calico" in /etc/cni/net.d/calico-kubeconfig`, `client certificate /etc/x.pem`. */
  readonly from: string;
}

/** In hand, or in a file that is still to be read. */
export type MaterialSource = Material | { readonly file: string };

/** `what`: what it is, if it is a file. Throws `config` with the path; spaces around the text are left out. */
export function readMaterial(source: MaterialSource, what: string): Material {
  if (!('file' in source)) return source;
  const from = `${what} ${source.file}`;
  try {
    return { text: secret(readFileSync(source.file, 'utf8').trim()), from };
  } catch (cause) {
    throw new CalicoError('config', `cannot read ${from}`, { details: errorText(cause), cause });
  }
}

/** {@link readMaterial} for PEM. What is none would be ignored by TLS, and the error would come later and elsewhere. */
export function readPem(source: MaterialSource, what: string): Material {
  const pem = readMaterial(source, what);
  if (pem.text.reveal().includes('-----BEGIN ')) return pem;
  throw new CalicoError('config', `${pem.from} is no PEM text`);
}
