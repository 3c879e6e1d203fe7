/** Reads all records of a cluster, as they were at one moment, a page at a time. */

import { isCalicoError } from '../../base/calico-error.ts';
import type { Deadline } from '../../base/deadline.ts';
import { CLUSTER_RANGES, type ClusterRecord, clusterRecord } from '../../datastore/cluster-records.ts';
import { scan } from '../../datastore/scan.ts';
import type { Store } from '../../datastore/store.ts';
import type { Progress } from './progress.ts';

export type ClusterKind = keyof typeof CLUSTER_RANGES;

export interface ClusterReading {
  readonly store: Store;
  readonly deadline: Deadline;
  readonly progress: Progress;
}

/** What is told of the records, one by one; a new one is made whenever everything has to be read again. */
export interface ClusterReader<T> {
  readonly read: (key: string, record: ClusterRecord) => void;
  readonly result: () => T;
}

/** A datastore without history that is being written to all the time gives no whole picture. */
const MAX_TRIES = 5;

/** Records in the order of the kinds, and of the keys of each. Throws what the store throws. */
export async function readCluster<T>(
  reading: ClusterReading,
  kinds: readonly ClusterKind[],
  open: (revision: () => string) => ClusterReader<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await readOnce(reading, kinds, open);
    } catch (error) {
      if (tries === MAX_TRIES || !isCalicoError(error, 'conflict')) throw error;
    }
  }
}

async function readOnce<T>(
  { store, deadline, progress }: ClusterReading,
  kinds: readonly ClusterKind[],
  open: (revision: () => string) => ClusterReader<T>,
): Promise<T> {
  let at = '';
  const reader = open(() => at);
  const kindOf = new Map(kinds.flatMap((kind) => CLUSTER_RANGES[kind].map(({ prefix }) => [prefix, kind])));
  const ranges = kinds.flatMap((kind) => CLUSTER_RANGES[kind]);
  for await (const { prefix, entries, revision } of scan(store, ranges, deadline)) {
    at = revision;
    for (const entry of entries) {
      const record = clusterRecord(prefix, entry);
      if (record !== undefined) reader.read(entry.key, record);
    }
    await progress.add(kindOf.get(prefix) ?? '', entries.length);
  }
  return reader.result();
}
