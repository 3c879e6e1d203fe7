/** What an installation is made from, read: the template, the certificates, the pod's service account, the programs. */

import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CalicoError, errorText } from '../base/calico-error.ts';
import { DEFAULT_TEMPLATE } from './default-template.ts';
import type { InstallSettings, TemplateSource } from './install-settings.ts';
import { namesIn } from './observe-host.ts';
import { presentTls, type TlsFile } from './tls-folder.ts';
import type { SourceFile } from './wanted-state.ts';

export interface PodAccount {
  /** Path of the token's file. */
  readonly tokenFile: string;
  readonly certificateAuthorityFile: string;
  /** PEM text. */
  readonly certificateAuthority: string;
  readonly namespace: string;
}

/** Where Kubernetes puts what a pod needs to ask the API. */
const ACCOUNT_FOLDER = '/var/run/secrets/kubernetes.io/serviceaccount';

/** `undefined` outside of pods, which is where there is no token. Throws `config` when a part of it cannot be read. */
export function readPodAccount(folder: string = ACCOUNT_FOLDER): PodAccount | undefined {
  const file = (name: string) => join(folder, name);
  if (statSync(file('token'), { throwIfNoEntry: false }) === undefined) return undefined;
  return {
    tokenFile: file('token'),
    certificateAuthorityFile: file('ca.crt'),
    certificateAuthority: read(file('ca.crt'), 'the certificate authority of the pod'),
    namespace: tryRead(file('namespace'))?.trim() || 'kube-system',
  };
}

export interface Template {
  readonly text: string;
  /** For messages. */
  readonly origin: string;
}

export function readTemplate(source: TemplateSource): Template {
  switch (source.from) {
    case 'file':
      return {
        text: read(source.path, 'the template of CNI_NETWORK_CONFIG_FILE'),
        origin: `the template ${source.path}`,
      };
    case 'variable':
      return { text: source.text, origin: 'the template in CNI_NETWORK_CONFIG' };
    case 'default':
      return { text: DEFAULT_TEMPLATE, origin: 'the default template' };
  }
}

export interface TlsInput {
  readonly files: readonly TlsFile[];
  /** What may be worth a warning: there are some, but not these. */
  readonly missing: readonly string[];
}

export function readTls(folder: string): TlsInput {
  const { files, missing } = presentTls((name) => tryRead(join(folder, name)));
  return { files, missing: files.length === 0 ? [] : missing };
}

const PERMISSIONS = 0o777;

/** Throws `config` when it is not there. */
export function sourceFile(path: string): SourceFile {
  try {
    return { path, mode: statSync(path).mode & PERMISSIONS };
  } catch (cause) {
    throw new CalicoError('config', `cannot read ${path}: ${errorText(cause)}`, { cause });
  }
}

/** Where images have other plugins, in Calico's as well. */
const COMPANION_FOLDER = '/opt/cni/bin';

/** Everything there but installers, our own programs and what is to be left out. */
export function readCompanions({ skippedPlugins, places }: InstallSettings): readonly SourceFile[] {
  // On the node itself, that folder is where they are installed.
  if (places.hostRoot !== undefined) return [];
  return namesIn(COMPANION_FOLDER)
    .filter((name) => !/^(?:install|calico)/.test(name) && !skippedPlugins.includes(name))
    .map((name) => sourceFile(join(COMPANION_FOLDER, name)))
    .filter(({ path }) => statSync(path).isFile());
}

function read(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CalicoError('config', `cannot read ${what}: ${errorText(cause)}`, { cause });
  }
}

function tryRead(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined;
    throw new CalicoError('config', `cannot read ${path}: ${errorText(error)}`, { cause: error });
  }
}
