/**
 * A Store on several ways to one etcd cluster: which endpoint is asked, how long, and whether a call that failed may
 * be sent again.
 */

import { CalicoError } from '../../base/calico-error.ts';
import type { Clock, Deadline } from '../../base/deadline.ts';
import { delayed, type Interruption } from '../../base/interruption.ts';
import { CallError } from '../../grpc/call-error.ts';
import { AmbiguousCommitError } from '../ambiguous-commit.ts';
import { ANSWER_MS } from '../interruptible-store.ts';
import type { Store } from '../store.ts';
import type { TxnRequest, TxnResponse } from './etcd-messages.ts';
import { isTransient, storeError } from './refusal.ts';
import { checkResponse, commitOf, commitRequest, readRequest, snapshotOf } from './txn.ts';

/** One endpoint, through one client. */
export interface EtcdEndpoint {
  readonly url: string;
  /** Rejects with a {@link CallError} when there is no answer, at the latest after `budgetMs` or the interruption. */
  txn(request: TxnRequest, budgetMs: number, interruption: Interruption): Promise<TxnResponse>;
  close(): void;
}

/** How long one endpoint may take to answer before another is asked; a single one is given more time. */
const ATTEMPT_MS = { oneOfMany: 2_000, single: 10_000 };
/** How long endpoints that refuse the connection are tried again: a restart of etcd takes about this long. */
const PATIENCE_MS = 5_000;
const RETRY_PAUSE_MS = 200;

/** `endpoints` are asked in turn, beginning with number `first`, later with the last one that answered. */
export function storeOn(endpoints: readonly EtcdEndpoint[], clock: Clock, first: number): Store {
  const attemptMs = endpoints.length > 1 ? ATTEMPT_MS.oneOfMany : ATTEMPT_MS.single;
  let preferred = first;

  async function attempt(request: TxnRequest, deadline: Deadline, isWrite: boolean): Promise<TxnResponse> {
    const budgetMs = Math.max(1, Math.min(deadline.remainingMs(), attemptMs));
    const asked = preferred;
    const endpoint = endpoints[asked % endpoints.length];
    if (endpoint === undefined) throw new CalicoError('config', 'no etcd endpoints specified');
    const { interruption } = deadline;
    const end = isWrite ? delayed(interruption, () => clock.sleep(ANSWER_MS)) : interruption;
    try {
      const response = await endpoint.txn(request, budgetMs, end);
      checkResponse(request, response);
      return response;
    } catch (error) {
      preferred = asked + 1;
      throw error;
    }
  }

  /** Until an endpoint answers: all of them once, and on while they only refuse and patience lasts. */
  async function call(request: TxnRequest, deadline: Deadline, isWrite: boolean): Promise<TxnResponse> {
    const giveUpAtMs = clock.monotonicMs() + PATIENCE_MS;
    for (let tries = 1; ; tries++) {
      try {
        return await attempt(request, deadline, isWrite);
      } catch (error) {
        if (!(error instanceof CallError)) throw error;
        if (!isTransient(error)) throw failure(error);
        if (isWrite && error.wasSent) throw new AmbiguousCommitError(error);
        const isLast = tries >= endpoints.length && clock.monotonicMs() + RETRY_PAUSE_MS >= giveUpAtMs;
        if (isLast || deadline.remainingMs() <= RETRY_PAUSE_MS) throw failure(error);
        if (tries >= endpoints.length) await clock.sleep(RETRY_PAUSE_MS);
      }
    }
  }

  function failure(error: CallError): CalicoError {
    return storeError(
      endpoints.map(({ url }) => url),
      error,
    );
  }

  return {
    read: async (ranges, deadline) => snapshotOf(await call(readRequest(ranges), deadline, false)),
    commit: async (transaction, deadline) =>
      commitOf(transaction, await call(commitRequest(transaction), deadline, true)),
    close: async () => {
      for (const endpoint of endpoints) endpoint.close();
    },
  };
}
