/** All that is wanted on the host, in the order in which it is to appear there: the configuration is the last. Pure. */

import { basename, join } from 'node:path';
import { type Secret, secret } from '../base/secret.ts';
import type { InstallSettings } from './install-settings.ts';
import type { FoundTls, TlsFile } from './tls-folder.ts';
import { outdatedTls, TLS_FOLDER, wantedTls } from './tls-folder.ts';
import type { WantedFile } from './wanted-file.ts';

export const KUBECONFIG = 'calico-kubeconfig';
/** Beside the executable: shared libraries that the host lacks. The executable looks there first. */
export const LIBRARY_FOLDER = 'calico-lib';

export interface InstallRequest {
  readonly settings: InstallSettings;
  /** Those that can be written. */
  readonly binFolders: readonly string[];
  readonly executable: Executable;
  /** Other plugins that the image brings. */
  readonly companions: readonly SourceFile[];
  /** Shared libraries that the host lacks. */
  readonly libraries: readonly Library[];
  readonly tls: readonly TlsFile[];
  readonly foundTls: FoundTls;
  /** `undefined` outside of pods. */
  readonly kubeconfig: Secret | undefined;
  /** The text of the network configuration. */
  readonly conf: string;
}

export interface SourceFile {
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
}

export interface Library extends SourceFile {
  /** By which programs ask for it: `libstdc++.so.6`. */
  readonly name: string;
}

export interface Executable extends SourceFile {
  /** What it prints. */
  readonly version: string;
}

export function wantedState(request: InstallRequest): readonly WantedFile[] {
  const { settings, tls, foundTls, kubeconfig, conf } = request;
  const { netFolder } = settings.places;
  const tlsFolder = join(netFolder, TLS_FOLDER);
  return [
    ...request.binFolders.flatMap((folder) => wantedPrograms(folder, request)),
    { type: 'folder', path: netFolder, mode: 0o755 },
    ...wantedTls(tlsFolder, tls, foundTls),
    ...(kubeconfig ? [text(join(netFolder, KUBECONFIG), kubeconfig, 0o600)] : []),
    text(join(netFolder, settings.confName), secret(conf), settings.confMode),
    ...(settings.oldConfName === undefined ? [] : [absent(join(netFolder, settings.oldConfName))]),
    ...(tls.length === 0 && needsTlsFolder(settings, conf) ? [] : outdatedTls(tlsFolder, tls, foundTls)),
  ];
}

/** A configuration that does not come from placeholders may name files that somebody else has put there. */
function needsTlsFolder({ places }: InstallSettings, conf: string): boolean {
  return conf.includes(`${places.netFolderOnHost}/${TLS_FOLDER}/`);
}

/** The libraries first: the executable does not start without them. */
function wantedPrograms(folder: string, request: InstallRequest): readonly WantedFile[] {
  const { executable, companions, libraries } = request;
  const main = join(folder, 'calico');
  const libraryFolder = join(folder, LIBRARY_FOLDER);
  return [
    { type: 'folder', path: folder, mode: 0o755 },
    ...(libraries.length === 0 ? [] : [{ type: 'folder', path: libraryFolder, mode: 0o755 } as const]),
    ...libraries.map((library) => copy(join(libraryFolder, library.name), library)),
    {
      type: 'copy',
      path: main,
      source: executable.path,
      mode: executable.mode,
      prints: executable.version,
    },
    { type: 'hard-link', path: join(folder, 'calico-ipam'), to: main },
    ...companions.map((plugin) => copy(join(folder, basename(plugin.path)), plugin)),
  ];
}

function copy(path: string, { path: source, mode }: SourceFile): WantedFile {
  return { type: 'copy', path, source, mode };
}

function text(path: string, content: Secret, mode: number): WantedFile {
  return { type: 'text', path, text: content, mode };
}

function absent(path: string): WantedFile {
  return { type: 'absent', path };
}
