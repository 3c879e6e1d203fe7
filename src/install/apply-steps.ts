/** Does the steps of a plan, one after the other. */

import { CalicoError, errorText } from '../base/calico-error.ts';
import type { Step } from './steps.ts';

/** What a step is done with: the real files, or, in tests, a world that ends in the middle. */
export type DoStep = (step: Step) => void;

/** Throws `config` with the step that failed, after having removed what nobody was to see yet. */
export function applySteps(steps: readonly Step[], doStep: DoStep): void {
  const made: string[] = [];
  for (const step of steps) {
    try {
      // Before it is done: of a copy that failed half is there.
      if (makesTemporary(step)) made.push(step.path);
      doStep(step);
    } catch (cause) {
      removeAll(made, doStep);
      throw new CalicoError('config', `cannot ${describeStep(step)}: ${errorText(cause)}`, {
        details: adviceOn(cause),
        cause,
      });
    }
  }
}

function makesTemporary(step: Step): step is Extract<Step, { do: 'write' | 'copy' | 'link' | 'symlink' }> {
  return step.do === 'write' || step.do === 'copy' || step.do === 'link' || step.do === 'symlink';
}

function removeAll(paths: readonly string[], doStep: DoStep): void {
  for (const path of paths) {
    try {
      doStep({ do: 'remove', path });
    } catch {
      // The next run removes it; why this one failed is the better message.
    }
  }
}

function describeStep(step: Step): string {
  switch (step.do) {
    case 'make-folder':
      return `make the folder ${step.path}`;
    case 'write':
    case 'symlink':
      return `write ${step.path}`;
    case 'copy':
      return `copy ${step.from} to ${step.path}`;
    case 'link':
      return `link ${step.path} to ${step.to}`;
    case 'try':
      return `run ${step.path} -v, which must print ${step.prints}`;
    case 'rename':
      return `rename ${step.from} to ${step.to}`;
    case 'sync':
      return `bring ${step.path} to the disk`;
    case 'remove':
      return `remove ${step.path}`;
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: the executable alone needs some 130 MB, twice that while it is replaced',
  EDQUOT: 'the quota is used up: the executable alone needs some 130 MB, twice that while it is replaced',
  EROFS: 'the file system is read-only: mount the folder writable',
  EACCES: 'this needs root',
  EPERM: 'this needs root, and a file that is not immutable: look with lsattr',
  EISDIR: 'a folder is in the way: remove it',
  ENOTEMPTY: 'a folder is in the way: remove it',
};

function adviceOn(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  return ADVICE[code] ?? 'nothing was left half-written: repair that, and run it again';
}
