/** Readiness gates: URLs that must answer before a pod is networked. */

import { CalicoError } from '../base/calico-error.ts';
import { type Clock, type Deadline, unlessInterrupted } from '../base/deadline.ts';
import { askGate } from './ask-gate.ts';

/** As long as Calico waits, and for each answer. */
const BUDGET_MS = 30_000;
const ANSWER_MS = 5_000;
/** Calico asks every five seconds and for the first time after five, so that even an open gate costs as much. */
const PAUSE_MS = 1_000;

interface ClosedGate {
  readonly url: string;
  /** What it said last. */
  readonly reason: string;
}

/**
 * Asks all gates at once, then those that are not yet ready every second; a gate that was ready once is not asked
 * again. Throws `unavailable` after 30 seconds, or at the deadline, and names each closed gate and its last answer.
 */
export async function waitForGates(urls: readonly string[], clock: Clock, deadline: Deadline): Promise<void> {
  await unlessInterrupted(deadline, askUntilReady(urls, clock, deadline));
}

async function askUntilReady(urls: readonly string[], clock: Clock, deadline: Deadline): Promise<void> {
  const startMs = clock.monotonicMs();
  const budgetMs = Math.min(BUDGET_MS, deadline.remainingMs());
  const remainingMs = () => Math.max(0, startMs + budgetMs - clock.monotonicMs());
  let waitingFor = urls;
  while (waitingFor.length > 0) {
    const closed = await askAll(waitingFor, Math.min(ANSWER_MS, remainingMs()));
    if (closed.length > 0 && remainingMs() <= PAUSE_MS) throw notReady(closed, clock.monotonicMs() - startMs);
    if (closed.length > 0) await clock.sleep(PAUSE_MS);
    waitingFor = closed.map(({ url }) => url);
  }
}

async function askAll(urls: readonly string[], timeoutMs: number): Promise<readonly ClosedGate[]> {
  const answers = await Promise.all(
    urls.map(async (url) => ({ url, reason: await askGate(url, Math.ceil(timeoutMs)) })),
  );
  return answers.flatMap(({ url, reason }) => (reason === undefined ? [] : [{ url, reason }]));
}

function notReady(closed: readonly ClosedGate[], waitedMs: number): CalicoError {
  const gates = closed.map(({ url, reason }) => `${withoutCredentials(url)}: ${reason}`).join('; ');
  return new CalicoError(
    'unavailable',
    `readiness gates are not ready after ${Math.round(waitedMs)} ms: ${gates}`,
    {
      details:
        'the pod is not networked before every URL of readiness_gates answers with a status from 200 to 399',
    },
  );
}

/** The URL as a message may show it. */
export function withoutCredentials(text: string): string {
  const url = new URL(text);
  if (url.username === '' && url.password === '') return text;
  url.username = '';
  url.password = '';
  return url.href;
}
