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
import { deniedKeys } from './denied-keys.ts';
import type { TxnRequest, TxnResponse } from './etcd-messages.ts';
import { type Asker, type EndpointFailure, isFinal, isTransient, refusalOf, storeError } from './refusal.ts';
import { checkResponse, commitOf, commitRequest, readRequest, snapshotOf } from './txn.ts';

/** One endpoint, through one client. */
export interface EtcdEndpoint {
  readonly url: string;
  /** Rejects with a {@link CallError} when there is no answer, at the latest after `budgetMs` or the interruption. */
  txn(request: TxnRequest, budgetMs: number, interruption: Interruption): Promise<TxnResponse>;
  close(): void;
}

export interface FailoverOptions {
  readonly asker: Asker;
  /** Number of the endpoint that is asked first; later it is the last one that answered. */
  readonly first?: number | undefined;
  /** Told of an endpoint that did not serve us, once of each, while another may. */
  readonly onFailure?: ((failure: EndpointFailure) => void) | undefined;
}

/** How long one endpoint may take to answer before another is asked; a single one is given more time. */
const ATTEMPT_MS = { oneOfMany: 2_000, single: 10_000 };
/** How long endpoints that refuse the connection are tried again: a restart of etcd takes about this long. */
const PATIENCE_MS = 5_000;
const RETRY_PAUSE_MS = 200;

/** `endpoints` are asked in turn. */
export function storeOn(endpoints: readonly EtcdEndpoint[], clock: Clock, options: FailoverOptions): Store {
  const attemptMs = endpoints.length > 1 ? ATTEMPT_MS.oneOfMany : ATTEMPT_MS.single;
  const reported = new Set<string>();
  let preferred = options.first ?? 0;

  async function attempt(
    endpoint: EtcdEndpoint,
    request: TxnRequest,
    deadline: Deadline,
    isWrite: boolean,
  ): Promise<TxnResponse> {
    const budgetMs = Math.max(1, Math.min(deadline.remainingMs(), attemptMs));
    const { interruption } = deadline;
    const end = isWrite ? delayed(interruption, () => clock.sleep(ANSWER_MS)) : interruption;
    const response = await endpoint.txn(request, budgetMs, end);
    checkResponse(request, response);
    return response;
  }

  /** Until an endpoint answers: all of them once, and on while they only refuse and patience lasts. */
  async function call(request: TxnRequest, deadline: Deadline, isWrite: boolean): Promise<TxnResponse> {
    const giveUpAtMs = clock.monotonicMs() + PATIENCE_MS;
    const failures = new Map<string, EndpointFailure>();
    for (let tries = 1; ; tries++) {
      const endpoint = endpoints[preferred % endpoints.length];
      if (endpoint === undefined) throw new CalicoError('config', 'no etcd endpoints specified');
      try {
        return await attempt(endpoint, request, deadline, isWrite);
      } catch (error) {
        preferred += 1;
        if (!(error instanceof CallError)) throw error;
        const failed = { url: endpoint.url, error };
        // That time was up in the middle of another try says less than what came of the one before.
        const isCutShort = isTransient(error) && deadline.remainingMs() < 1;
        if (!isCutShort || !failures.has(endpoint.url)) failures.set(endpoint.url, failed);
        if (!isTransient(error)) throw await failure(endpoint, request, deadline, failures);
        if (isWrite && error.wasSent) throw new AmbiguousCommitError(error);
        if (isLast(failures, tries, giveUpAtMs, deadline))
          throw storeError([...failures.values()], options.asker);
        report(failed);
        if (tries >= endpoints.length) await clock.sleep(RETRY_PAUSE_MS);
      }
    }
  }

  function isLast(
    failures: ReadonlyMap<string, EndpointFailure>,
    tries: number,
    giveUpAtMs: number,
    deadline: Deadline,
  ): boolean {
    if (deadline.remainingMs() <= RETRY_PAUSE_MS) return true;
    if (tries < endpoints.length) return false;
    const isHopeless = [...failures.values()].every(({ error }) => isFinal(error));
    return isHopeless || clock.monotonicMs() + RETRY_PAUSE_MS >= giveUpAtMs;
  }

  function report(failed: EndpointFailure): void {
    if (reported.has(failed.url)) return;
    reported.add(failed.url);
    options.onFailure?.(failed);
  }

  /** An endpoint that answers no: what exactly was asked too much of it? */
  async function failure(
    endpoint: EtcdEndpoint,
    request: TxnRequest,
    deadline: Deadline,
    failures: ReadonlyMap<string, EndpointFailure>,
  ): Promise<CalicoError> {
    const told = storeError([...failures.values()], options.asker);
    const error = failures.get(endpoint.url)?.error;
    if (error === undefined || refusalOf(error) !== 'permission') return told;
    const denied = await deniedKeys(request, (probe) => attempt(endpoint, probe, deadline, false));
    return denied.length === 0 ? told : withKeys(told, denied);
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

function withKeys({ kind, message, details, cause }: CalicoError, denied: readonly string[]): CalicoError {
  const others = denied.length > 1 ? ` and ${denied.length - 1} more` : '';
  return new CalicoError(kind, `${message}: it may not ${denied[0]}${others}`, {
    cause,
    details: [details, ...(denied.length > 1 ? [`not allowed: ${denied.join(', ')}`] : [])].join('; '),
  });
}
