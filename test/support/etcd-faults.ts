/** What happens to an etcd and to the way there, one fault after another, at random. */

import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { Etcd } from './etcd.ts';
import type { Direction, Line } from './line.ts';

export interface Faults {
  /** Rejects when a fault could not be made, or not be mended: then nothing works any more. */
  readonly failed: Promise<never>;
  /** No more of them; etcd serves and the line is open when this ends. Gives how many there were of each kind. */
  stop(): Promise<ReadonlyMap<string, number>>;
}

interface Fault {
  readonly name: string;
  readonly inject: () => Promise<void>;
}

/** No request and no answer of a CNI call is longer. */
const LONGEST_MESSAGE = 4_000;

/**
 * Begins at once, and goes on until the test is over: `line` leads to `etcd`. Before each fault it waits for `calm` to
 * end, so that some calls succeed.
 */
export function injectFaults(etcd: Etcd, line: Line, calm: () => Promise<void>): Faults {
  const counts = new Map<string, number>();
  let deck: Fault[] = [];
  let isOver = false;
  onTestFinished(() => {
    isOver = true;
  });
  const injecting = (async () => {
    while (!isOver) {
      await calm();
      // Like cards: each kind comes, and none comes always.
      if (deck.length === 0) deck = faultsOf(etcd, line);
      const [fault] = deck.splice(Math.floor(Math.random() * deck.length), 1);
      if (fault === undefined) throw new Error('there are no faults');
      counts.set(fault.name, (counts.get(fault.name) ?? 0) + 1);
      await fault.inject();
    }
  })();
  const failed = injecting.then(() => new Promise<never>(() => undefined));
  // It is for those who wait for it: its failure must not end the process.
  failed.catch(() => undefined);
  return {
    failed,
    stop: async () => {
      isOver = true;
      await injecting;
      line.cut();
      return counts;
    },
  };
}

/** A round of faults: twelve of each short one, and one of each that calls do not outlast. */
function faultsOf(etcd: Etcd, line: Line): Fault[] {
  const pause = async (ms: number) => {
    etcd.pause();
    await sleep(ms);
    etcd.resume();
  };
  const restart = async (afterMs: number) => {
    await etcd.crash();
    await sleep(afterMs);
    await etcd.restart();
  };
  const silence = async (direction: Direction, ms: number) => {
    line.hold(direction);
    await sleep(ms);
    line.cut();
  };
  const cutWithin = async (direction: Direction) =>
    line.cutAfter(direction, Math.ceil(between(0, LONGEST_MESSAGE)));
  const short: readonly Fault[] = [
    { name: 'etcd paused', inject: () => pause(between(20, 500)) },
    { name: 'etcd killed and started again', inject: () => restart(between(0, 100)) },
    { name: 'line cut', inject: async () => line.cut() },
    { name: 'line cut within a request', inject: () => cutWithin('request') },
    { name: 'line cut within an answer', inject: () => cutWithin('response') },
    { name: 'no request gets through', inject: () => silence('request', between(50, 500)) },
    { name: 'no answer gets through', inject: () => silence('response', between(50, 500)) },
  ];
  return [
    ...Array.from({ length: 12 }, () => short).flat(),
    { name: 'etcd away for long', inject: () => restart(between(5_200, 6_000)) },
    { name: 'etcd paused for long', inject: () => pause(between(2_100, 3_000)) },
    { name: 'no answer gets through for long', inject: () => silence('response', between(2_100, 3_000)) },
  ];
}

function between(least: number, most: number): number {
  return least + Math.random() * (most - least);
}
