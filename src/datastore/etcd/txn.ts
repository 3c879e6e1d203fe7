/**
 * What the Store port asks, in the words of etcd's `Txn` RPC, and back. Every call is one `Txn`, so that a read sees
 * all its ranges at one revision and a commit is all or nothing. Pure.
 */

import { CallError, STATUS } from '../../grpc/call-error.ts';
import type { Commit, Entry, Range, Snapshot, Transaction, Write } from '../store.ts';
import type { KeyValue, RequestOp, ResponseOp, TxnRequest, TxnResponse } from './etcd-messages.ts';

export function readRequest(ranges: readonly Range[]): TxnRequest {
  return { success: ranges.map(rangeOp) };
}

export function commitRequest(transaction: Transaction): TxnRequest {
  return {
    compare: transaction.expect.map(({ key, revision }) => ({
      key: Buffer.from(key),
      target: 'Mod',
      result: 'Equal',
      mod_revision: revision,
    })),
    success: transaction.write.map(writeOp),
    failure: transaction.expect.map(({ key }) => rangeOp({ key })),
  };
}

/** Throws a {@link CallError} when the response does not answer the request, which it would otherwise pass for. */
export function checkResponse({ success = [], failure = [] }: TxnRequest, response: TxnResponse): void {
  const expected = (response.succeeded ? success : failure).length;
  if (response.header !== undefined && response.responses.length === expected) return;
  throw new CallError(STATUS.internal, 'etcd gave an answer that does not fit the request', true);
}

export function snapshotOf({ header, responses }: TxnResponse): Snapshot {
  return { revision: header?.revision ?? '', entries: responses.map(entriesOf) };
}

export function commitOf({ expect }: Transaction, response: TxnResponse): Commit {
  const { revision, entries } = snapshotOf(response);
  if (response.succeeded) return { committed: true, revision };
  return { committed: false, current: new Map(expect.map(({ key }, index) => [key, entries[index]?.[0]])) };
}

function rangeOp(range: Range): RequestOp {
  if ('key' in range) return { request_range: { key: Buffer.from(range.key) } };
  return {
    request_range: {
      // The first key after a key is that key and a zero byte.
      key: Buffer.from(range.after === undefined ? range.prefix : `${range.after}\0`),
      range_end: prefixEnd(range.prefix),
      keys_only: range.keysOnly ?? false,
      limit: range.limit ?? 0,
      ...(range.at === undefined ? {} : { revision: range.at }),
    },
  };
}

/** The first key after all keys that start with the prefix; the prefix's last byte is never 0xff in our keys. */
export function prefixEnd(prefix: string): Buffer {
  const end = Buffer.from(prefix);
  end.writeUInt8((end.at(-1) ?? 0) + 1, end.length - 1);
  return end;
}

function writeOp(write: Write): RequestOp {
  const key = Buffer.from(write.key);
  if (write.type === 'delete') return { request_delete_range: { key } };
  const lease = write.lease === undefined ? {} : { lease: write.lease };
  return { request_put: { key, value: Buffer.from(write.value), ...lease } };
}

function entriesOf({ response_range }: ResponseOp): readonly Entry[] {
  return (response_range?.kvs ?? []).map(entryOf);
}

function entryOf({ key, value, mod_revision }: KeyValue): Entry {
  return { key: key.toString(), value: value.toString(), revision: mod_revision };
}
