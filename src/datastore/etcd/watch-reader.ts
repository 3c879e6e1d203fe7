/** What etcd says on a watch's stream, in the words of the Watch port. Pure. */

import { CalicoError } from '../../base/calico-error.ts';
import { CallError, STATUS } from '../../grpc/call-error.ts';
import type { Change, WatchedRange, WatchListener } from '../watch.ts';
import { type Event, readWatchResponse, type WatchResponse } from './etcd-messages.ts';

const DELETE = '1';

/**
 * Takes the messages of a stream on which a watcher was asked for each range, in this order. Throws a {@link CallError}
 * when etcd refuses or ends one, `conflict` when it has compacted what is asked for, and what the listener throws.
 */
export function createWatchReader(
  ranges: readonly WatchedRange[],
  listener: WatchListener,
): (message: Buffer) => void {
  const rangeOf = new Map<string, WatchedRange>();
  /** What the first watchers had to tell before the last one was there. */
  const held: (() => void)[] = [];
  return (message) => {
    const response = understand(message);
    if (response.canceled) throw endOf(response);
    if (!response.created) {
      const range = rangeOf.get(response.watch_id);
      // Answers to the question how far etcd is belong to no watcher.
      if (range === undefined) return;
      if (rangeOf.size < ranges.length) held.push(() => tell(range, response));
      else tell(range, response);
      return;
    }
    const range = ranges[rangeOf.size];
    if (range === undefined) throw nonsense('a watcher that nobody asked for');
    rangeOf.set(response.watch_id, range);
    if (rangeOf.size < ranges.length) return;
    listener.onBegin(datastoreOf(response));
    for (const telling of held.splice(0)) telling();
  };

  function tell(range: WatchedRange, { events, header }: WatchResponse): void {
    if (events.length > 0) listener.onChanges(range, events.map(changeOf));
    else if (header !== undefined) listener.onProgress(range, header.revision);
  }
}

function understand(message: Buffer): WatchResponse {
  try {
    return readWatchResponse(message);
  } catch (cause) {
    throw nonsense('a message that cannot be read', cause);
  }
}

function datastoreOf({ header }: WatchResponse) {
  if (header === undefined) throw nonsense('a message without a header');
  return { id: header.cluster_id, revision: header.revision };
}

function changeOf({ type, kv }: Event): Change {
  if (kv === undefined) throw nonsense('a change of nothing');
  const { key, value, mod_revision } = kv;
  return {
    key: key.toString(),
    value: type === DELETE ? undefined : value.toString(),
    revision: mod_revision,
  };
}

function endOf({ compact_revision, cancel_reason }: WatchResponse): Error {
  if (compact_revision === '0') {
    return new CallError(STATUS.unavailable, cancel_reason || 'etcd ended the watch', true);
  }
  return new CalicoError('conflict', `etcd has forgotten what was before revision ${compact_revision}`, {
    details: 'everything is to be read again',
  });
}

function nonsense(what: string, cause?: unknown): CallError {
  return new CallError(STATUS.internal, `etcd sent ${what}`, true, cause);
}
