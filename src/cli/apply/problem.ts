/** What is wrong with a resource that somebody wrote: which field, what it holds, and the rule. Pure. */

import { describeJson } from '../../base/json-object.ts';

export interface Problem {
  /** From the resource: `spec.blockSize`. */
  readonly path: string;
  /** `must be 20 to 32, found number 33`. */
  readonly text: string;
  /** The field is one that we do not know: no problem where the stored resource has it as well. */
  readonly isUnknownField?: true;
}

export function mustBe(path: string, what: string, found: unknown): readonly Problem[] {
  return [{ path, text: `must be ${what}, found ${describeJson(found)}` }];
}
