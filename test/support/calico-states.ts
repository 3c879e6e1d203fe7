/** Whole etcd contents that Calico's own plugins left behind, step by step (`test/fixtures/calico`). */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../fixtures/calico');

export interface CalicoState {
  /** What was done to get here. */
  readonly note: string;
  readonly values: ReadonlyMap<string, string>;
}

/** The state of a step by its number: `calicoState('04')`. */
export function calicoState(step: string): CalicoState {
  const file = readdirSync(FOLDER).find((name) => name.startsWith(`${step}-`));
  if (file === undefined) throw new Error(`no fixture begins with ${step}-`);
  const { note, kvs } = JSON.parse(readFileSync(join(FOLDER, file), 'utf8'));
  return { note, values: new Map(kvs.map((kv: { key: string; value: string }) => [kv.key, kv.value])) };
}

export const CALICO_STEPS = ['01', '02', '03', '04', '05', '06', '07', '08', '09'] as const;

/** All values under any step whose key matches. */
export function calicoValues(
  key: RegExp,
): readonly { readonly step: string; readonly key: string; readonly value: string }[] {
  return CALICO_STEPS.flatMap((step) =>
    Array.from(calicoState(step).values, ([name, value]) => ({ step, key: name, value })).filter(
      ({ key: name }) => key.test(name),
    ),
  );
}
