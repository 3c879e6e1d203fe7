/**
 * Version of one stored record as its datastore counts it (etcd: mod_revision), decimal text. Compared for
 * equality only. {@link ABSENT} is the revision of a record that does not exist. Pure.
 */
export type Revision = string;
export const ABSENT: Revision = '0';

/** A record together with the revision it was read at. */
export interface Stored<T> {
  readonly value: T;
  readonly revision: Revision;
}
