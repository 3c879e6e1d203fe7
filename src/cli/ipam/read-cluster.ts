/** Reads all records of a cluster, as they were at one moment, a page at a time. */

import { isCalicoError } from '../../base/calico-error.ts';
import type { Deadline } from '../../base/deadline.ts';
import type { Revision } from '../../base/revision.ts';
import { CLUSTER_RANGES, type ClusterRecord, clusterRecord } from '../../datastore/cluster-records.ts';
import { scan } from '../../datastore/scan.ts';
import type { Store } from '../../datastore/store.ts';
import type { Progress } from './progress.ts';

export type ClusterKind = keyof typeof CLUSTER_RANGES;

export interface ClusterReading {
  readonly store: Store;
  readonly deadline: Deadline;
  readonly progress: Progress;
  /** The moment; `undefined`: now. */
  readonly at?: Revision;
}

/** A datastore without history that is being written to all the time gives no whole picture. */
const MAX_TRIES = 5;

/** Does the work again when the datastore has forgotten meanwhile what was being read. */
export async function againOnConflict<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (tries === MAX_TRIES || !isCalicoError(error, 'conflict')) throw error;
    }
  }
}

/** Tells the records in the order of the kinds, and of the keys of each; gives the revision. Throws what the store throws. */
export async function readRecords(
  { store, deadline, progress, at }: ClusterReading,
  kinds: readonly ClusterKind[],
  tell: (key: string, record: ClusterRecord) => void,
): Promise<Revision> {
  const kindOf = new Map(kinds.flatMap((kind) => CLUSTER_RANGES[kind].map(({ prefix }) => [prefix, kind])));
  const ranges = kinds.flatMap((kind) => CLUSTER_RANGES[kind]);
  let read = at ?? '';
  const atMoment = at === undefined ? ranges : ranges.map((range) => ({ ...range, at }));
  for await (const { prefix, entries, revision } of scan(store, atMoment, deadline)) {
    read = revision;
    for (const entry of entries) {
      const record = clusterRecord(prefix, entry);
      if (record !== undefined) tell(entry.key, record);
    }
    await progress.add(kindOf.get(prefix) ?? '', entries.length);
  }
  return read;
}
