/**
 * The folder with CA, certificate and key of etcd, as Kubernetes lays out the volume of a secret: the files are in a
 * folder of their own, `..data` is a link to that, and the names that configurations use are links through `..data`.
 * One rename of `..data` replaces them all, so that no call sees a new certificate beside an old key.
 *
 *     etcd-cert -> ..data/etcd-cert      ..data -> ..4f2b81c09d3e       ..4f2b81c09d3e/etcd-cert
 *
 * Pure.
 */

import { join } from 'node:path';
import { type Secret, secret } from '../base/secret.ts';
import { sha1Hex } from '../base/sha1.ts';
import type { WantedFile } from './wanted-file.ts';

export const TLS_FOLDER = 'calico-tls';
export const TLS_NAMES = ['etcd-ca', 'etcd-cert', 'etcd-key'] as const;

export interface TlsFile {
  readonly name: string;
  /** PEM. */
  readonly text: Secret;
}

/** What is in the folder already. */
export interface FoundTls {
  /** Where one of them is no link, as Calico's installer makes them: all files by their names. */
  readonly former: readonly TlsFile[];
  /** All names there are. */
  readonly names: readonly string[];
}

/** To be made, in this order, before the configuration is in its place. `files` may be empty: then nothing is. */
export function wantedTls(folder: string, files: readonly TlsFile[], found: FoundTls): readonly WantedFile[] {
  if (files.length === 0) return [];
  const linked = found.former.map(({ name }) => name);
  return [
    { type: 'folder', path: folder, mode: 0o755 },
    // Plain files first become links to what they were: until `..data` is another, nothing is.
    ...(found.former.length > 0 ? generation(folder, found.former, []) : []),
    ...generation(folder, files, linked),
  ];
}

/** To be removed once no configuration needs it any more. */
export function outdatedTls(
  folder: string,
  files: readonly TlsFile[],
  found: FoundTls,
): readonly WantedFile[] {
  if (files.length === 0) return [{ type: 'absent', path: folder }];
  const needed = ['..data', generationName(files), ...files.map(({ name }) => name)];
  const made = found.former.length > 0 ? [generationName(found.former)] : [];
  const outdated = new Set([...found.names, ...made]).difference(new Set(needed));
  return [...outdated].map((name) => ({ type: 'absent', path: join(folder, name) }));
}

/** `linked`: names that are links through `..data` already. */
function generation(
  folder: string,
  files: readonly TlsFile[],
  linked: readonly string[],
): readonly WantedFile[] {
  const own = generationName(files);
  const names = files.map(({ name }) => name).filter((name) => !linked.includes(name));
  return [
    { type: 'folder', path: join(folder, own), mode: 0o755 },
    ...files.map(
      ({ name, text }): WantedFile => ({ type: 'text', path: join(folder, own, name), text, mode: 0o600 }),
    ),
    { type: 'symlink', path: join(folder, '..data'), target: own },
    ...names.map(
      (name): WantedFile => ({ type: 'symlink', path: join(folder, name), target: `..data/${name}` }),
    ),
  ];
}

/** The same for the same files, so that an installer that runs again finds its work done. */
function generationName(files: readonly TlsFile[]): string {
  const content = files.map(({ name, text }) => `${name}\n${sha1Hex(text.reveal())}\n`).toSorted();
  return `..${sha1Hex(content.join('')).slice(0, 12)}`;
}

/** The files of a folder by the names of the wanted ones, and which of them are missing. */
export function presentTls(read: (name: string) => string | undefined): {
  readonly files: readonly TlsFile[];
  readonly missing: readonly string[];
} {
  const all = TLS_NAMES.map((name) => ({ name, text: read(name) }));
  return {
    files: all.flatMap(({ name, text }) => (text === undefined ? [] : [{ name, text: secret(text) }])),
    missing: all.filter(({ text }) => text === undefined).map(({ name }) => name),
  };
}
