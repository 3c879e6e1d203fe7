/** A table that is about to change: copied when it first does, so that a change that is none costs nothing. Pure. */

import { sameValue } from './same-value.ts';

export interface TableDraft<Value> {
  readonly before: ReadonlyMap<string, Value>;
  /** `undefined`: nothing has changed. */
  after: Map<string, Value> | undefined;
}

export function draftOf<Value>(before: ReadonlyMap<string, Value>): TableDraft<Value> {
  return { before, after: undefined };
}

/** The table as it is by now. */
export function tableOf<Value>(draft: TableDraft<Value>): ReadonlyMap<string, Value> {
  return draft.after ?? draft.before;
}

/** Sets or, with `undefined`, deletes an entry, unless it is as it shall be already. */
export function putEntry<Value>(draft: TableDraft<Value>, id: string, value: Value | undefined): void {
  if (sameValue(tableOf(draft).get(id), value)) return;
  draft.after ??= new Map(draft.before);
  if (value === undefined) draft.after.delete(id);
  else draft.after.set(id, value);
}
