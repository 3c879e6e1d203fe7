/** Echo requests without a break, and which of them nobody answered. */

import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { toolPath } from './tools.ts';

export interface PingStream {
  /** So many have been answered by now. */
  answered(): number;
  /** Resolves when so many more have been answered; rejects when they are not in half a minute, or it ended. */
  answers(more: number): Promise<void>;
  /** Ends it. */
  stop(): Promise<PingReport>;
}

export interface PingReport {
  readonly answered: number;
  /** Numbers of the requests before the last answer that had none. */
  readonly lost: readonly number[];
  /** Answers more often than once. */
  readonly doubled: number;
  readonly longestGapMs: number;
}

/** From a namespace (`ip netns`) to an address, one request every so many milliseconds, 2 at least; 65,535 in all, as their numbers have 16 bits. */
export function startPing(netns: { readonly name: string }, address: string, intervalMs = 20): PingStream {
  const argv = ['netns', 'exec', netns.name, 'ping', '-n', '-D', '-i', String(intervalMs / 1000), address];
  const child = spawn('ip', argv, { env: { PATH: toolPath() }, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', () => resolve());
  });
  const answered = () => text.match(ANSWER)?.length ?? 0;
  return {
    answered,
    answers: async (more) => {
      const enough = answered() + more;
      for (const giveUp = AbortSignal.timeout(LIMIT_MS); answered() < enough; await sleep(10))
        if (giveUp.aborted || child.exitCode !== null)
          throw new Error(`${answered()} of ${enough} requests were answered:\n${text}`);
    },
    stop: async () => {
      child.kill('SIGINT');
      await ended;
      return readPings(text);
    },
  };
}

const LIMIT_MS = 30_000;
/** As ping prints it with `-D`: `[1795286000.123456] 64 bytes from 10.0.0.1: icmp_seq=7 ttl=62 time=0.1 ms`. */
const ANSWER = /^\[([\d.]+)\] \d+ bytes from .* icmp_seq=(\d+) .*time=/gm;

/** Of all that ping printed. Throws when nobody answered. */
export function readPings(text: string): PingReport {
  const answers = Array.from(text.matchAll(ANSWER), (match) => ({
    atMs: Number(match[1]) * 1000,
    number: Number(match[2]),
  }));
  if (answers.length === 0) throw new Error(`nobody answered:\n${text}`);
  const seen = new Set(answers.map(({ number }) => number));
  const last = answers.at(-1)?.number ?? 0;
  const gaps = answers.slice(1).map(({ atMs }, index) => atMs - (answers[index]?.atMs ?? atMs));
  return {
    answered: seen.size,
    lost: Array.from({ length: last }, (_, index) => index + 1).filter((number) => !seen.has(number)),
    doubled: answers.length - seen.size,
    longestGapMs: Math.max(0, ...gaps),
  };
}
