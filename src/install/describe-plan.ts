/** A plan in words, one line for each file. Pure. */

import type { InstallPlan } from './plan-install.ts';
import type { WantedFile } from './wanted-file.ts';

/** What is going to be done, or has been done; empty where there is nothing to do. */
export function describePlan({ changes, leftovers }: InstallPlan): readonly string[] {
  return [
    ...leftovers.map((path) => `remove  ${path}, which an interrupted run has left`),
    ...changes.map(describeChange),
  ];
}

function describeChange(file: WantedFile): string {
  switch (file.type) {
    case 'folder':
      return `make    ${file.path}/`;
    case 'copy':
      return `copy    ${file.source} to ${file.path}${modeOf(file.mode)}`;
    case 'hard-link':
      return `link    ${file.path} to ${file.to}`;
    case 'text':
      return `write   ${file.path}${modeOf(file.mode)}`;
    case 'symlink':
      return `link    ${file.path} to ${file.target}`;
    case 'absent':
      return `remove  ${file.path}`;
  }
}

function modeOf(mode: number): string {
  return ` (mode 0${mode.toString(8)})`;
}
