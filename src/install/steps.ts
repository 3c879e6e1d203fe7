/**
 * A plan as single steps, each of which is done or not done at all. First everything is made under a name that nobody
 * reads, and is on the disk; then one rename after the other puts it in its place, the last one the configuration; then
 * what is no longer needed goes. Whatever step is the last, every file is the old one or the new one. Pure.
 */

import { basename, dirname, join } from 'node:path';
import type { Secret } from '../base/secret.ts';
import type { InstallPlan } from './plan-install.ts';
import type { WantedFile } from './wanted-file.ts';

export type Step =
  | { readonly do: 'make-folder'; readonly path: string; readonly mode: number }
  /** These four make the file `path`, which must not exist, and see to it that it is on the disk. */
  | { readonly do: 'write'; readonly path: string; readonly text: Secret; readonly mode: number }
  | { readonly do: 'copy'; readonly path: string; readonly from: string; readonly mode: number }
  /** A hard link, or, where the file system has none, a symbolic link to `name` in the same folder. */
  | { readonly do: 'link'; readonly path: string; readonly to: string; readonly name: string }
  | { readonly do: 'symlink'; readonly path: string; readonly target: string }
  /** Runs the program with `-v`, and fails unless it prints that. */
  | { readonly do: 'try'; readonly path: string; readonly prints: string }
  | { readonly do: 'rename'; readonly from: string; readonly to: string }
  /** Brings to the disk which files are in the folder. */
  | { readonly do: 'sync'; readonly path: string }
  /** With all that is in it; nothing there is as good. */
  | { readonly do: 'remove'; readonly path: string };

/** Names of files that are being made; no runtime takes one for a configuration. */
const TEMPORARY = /^\..+\.calico-install$/;

export function isTemporaryName(name: string): boolean {
  return TEMPORARY.test(name);
}

export function stepsOf({ changes, leftovers }: InstallPlan): readonly Step[] {
  const staged = changes.map((file, index) => ({ file, temporary: temporaryName(file.path, index) }));
  const temporaryOf = (path: string) => staged.find(({ file }) => file.path === path)?.temporary ?? path;
  return [
    ...leftovers.map((path) => ({ do: 'remove' as const, path })),
    ...staged.flatMap(({ file, temporary }) => stage(file, temporary, temporaryOf)),
    ...staged.flatMap(({ file, temporary }) => commit(file, temporary)),
  ];
}

function temporaryName(path: string, index: number): string {
  return join(dirname(path), `.${basename(path)}.${index}.calico-install`);
}

function stage(file: WantedFile, path: string, temporaryOf: (path: string) => string): readonly Step[] {
  switch (file.type) {
    case 'folder':
      return [{ do: 'make-folder', path: file.path, mode: file.mode }];
    case 'copy': {
      const copy: Step = { do: 'copy', path, from: file.source, mode: file.mode };
      return file.prints === undefined ? [copy] : [copy, { do: 'try', path, prints: file.prints }];
    }
    case 'hard-link':
      return [{ do: 'link', path, to: temporaryOf(file.to), name: basename(file.to) }];
    case 'text':
      return [{ do: 'write', path, text: file.text, mode: file.mode }];
    case 'symlink':
      return [{ do: 'symlink', path, target: file.target }];
    case 'absent':
      return [];
  }
}

/** On the disk before the next one is begun: what is there after a power cut must be a beginning of the list, too. */
function commit({ type, path }: WantedFile, temporary: string): readonly Step[] {
  const sync: Step = { do: 'sync', path: dirname(path) };
  if (type === 'folder') return [sync];
  if (type === 'absent') return [{ do: 'remove', path }, sync];
  return [{ do: 'rename', from: temporary, to: path }, sync];
}
