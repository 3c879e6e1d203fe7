/** How long a busy server wants to be left alone. Pure. */

import type { HttpAnswer } from './http-session.ts';

/** 429 and 503 are busy servers. */
const BUSY = [429, 503];
const DEFAULT_PAUSE_MS = 200;

/** How long to wait before asking again; `undefined` if that makes no sense. `Retry-After` is seconds or a date. */
export function retryPauseMs(
  { status, headers }: Pick<HttpAnswer, 'status' | 'headers'>,
  nowNs: bigint,
): number | undefined {
  if (!BUSY.includes(status)) return undefined;
  const after = headers['retry-after'];
  if (after === undefined) return DEFAULT_PAUSE_MS;
  const ms = /^\d+$/.test(after) ? Number(after) * 1_000 : Date.parse(after) - Number(nowNs / 1_000_000n);
  return Number.isNaN(ms) ? DEFAULT_PAUSE_MS : Math.max(0, ms);
}
