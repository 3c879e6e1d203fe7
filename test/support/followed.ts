/** A follower whose every word is kept, and what can be waited for. */

import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { Clock } from '../../src/base/deadline.ts';
import { createInterrupter } from '../../src/base/interruption.ts';
import {
  type Batch,
  DatastoreFollower,
  type FollowEvent,
  type FollowOptions,
} from '../../src/node/watch/datastore-follower.ts';

export interface Followed {
  readonly batches: Batch[];
  readonly events: FollowEvent[];
  /** What the batches add up to. */
  readonly values: ReadonlyMap<string, string>;
  readonly follower: DatastoreFollower;
  readonly ended: Promise<void>;
  readonly stop: () => Promise<void>;
  /** Resolves as soon as it holds; fails after some seconds. */
  readonly until: (holds: () => boolean, seconds?: number) => Promise<void>;
}

/** Real time, but no pause is longer than this. */
export function hastyClock(longestMs: number): Clock {
  return {
    nowNs: () => BigInt(Date.now()) * 1_000_000n,
    monotonicMs: () => performance.now(),
    sleep: (ms) => sleep(Math.min(ms, longestMs)),
  };
}

export function follow(
  options: Omit<FollowOptions, 'interruption' | 'onBatch' | 'onEvent' | 'random'>,
  onBatch: (batch: Batch) => void = () => undefined,
): Followed {
  const { interruption, interrupt } = createInterrupter();
  const batches: Batch[] = [];
  const events: FollowEvent[] = [];
  const values = new Map<string, string>();
  const follower = new DatastoreFollower({
    ...options,
    random: Math.random,
    interruption,
    onEvent: (event) => void events.push(event),
    onBatch: (batch) => {
      batches.push(batch);
      for (const { key, value } of batch.changes) {
        if (value === undefined) values.delete(key);
        else values.set(key, value);
      }
      onBatch(batch);
    },
  });
  const ended = follower.run();
  ended.catch(() => undefined);
  const stop = async () => {
    interrupt('the end of the test');
    await ended.catch(() => undefined);
  };
  onTestFinished(stop);
  const until = async (holds: () => boolean, seconds = 15) => {
    for (const endMs = performance.now() + seconds * 1e3; !holds(); await sleep(2)) {
      if (performance.now() > endMs) {
        throw new Error(`it never came to this: ${holds}; ${JSON.stringify(events.slice(-5), errorsAsText)}`);
      }
    }
  };
  return { batches, events, values, follower, ended, stop, until };
}

function errorsAsText(_name: string, value: unknown): unknown {
  return value instanceof Error ? value.message : value;
}
