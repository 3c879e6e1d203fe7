/** Collects what is wrong with many nodes or addresses at once, so that one sentence tells it. Pure. */

import type { Finding } from '../finding.ts';

/** How many are named; the rest is counted. */
const SHOWN = 5;

export interface ProblemKind extends Pick<Finding, 'kind' | 'severity' | 'subject'> {
  /** From the list of names. */
  readonly message: (named: string) => string;
}

export interface Problems {
  add(kind: ProblemKind, name: string): void;
  findings(): readonly Finding[];
}

/** One finding per kind, which must be the same value each time; names come sorted, whatever order they came in. */
export function collectProblems(): Problems {
  const names = new Map<ProblemKind, Set<string>>();
  return {
    add: (kind, name) => names.getOrInsertComputed(kind, () => new Set()).add(name),
    findings: () =>
      Array.from(names, ([{ message, ...rest }, found]) => ({
        ...rest,
        message: message(listNames([...found].toSorted())),
      })),
  };
}

function listNames(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).join(', ');
  return names.length > SHOWN ? `${shown} and ${names.length - SHOWN} more` : shown;
}
