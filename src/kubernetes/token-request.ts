/** A token for a service account, from the API server (authentication.k8s.io/v1 TokenRequest). */

import * as z from 'zod/mini';
import { CalicoError } from '../base/calico-error.ts';
import { type Clock, type Deadline, unlessInterrupted } from '../base/deadline.ts';
import { type Secret, secret } from '../base/secret.ts';
import { asking, connectionError, type Question, refusalError } from './api-failure.ts';
import type { ConnectionSettings } from './connection-settings.ts';
import { decodeValue, maybe } from './decode-value.ts';
import { type HttpAnswer, HttpFailure, type HttpSession, openHttpSession } from './http-session.ts';

export interface ServiceAccount {
  readonly namespace: string;
  readonly name: string;
}

/** What Calico's installer asks for; who keeps it in use renews it long before. */
const LIFETIME_SECONDS = 24 * 60 * 60;

const tokenRequest = z.object({ status: z.object({ token: z.string() }) });
const status = z.object({ details: maybe(z.object({ kind: maybe(z.string()) })) });

/**
 * A token that is good for a day; `undefined` from a server too old to give any. Rejects as reading a pod does, with
 * `not-found` for an account that does not exist.
 */
export async function requestToken(
  settings: ConnectionSettings,
  account: ServiceAccount,
  clock: Clock,
  deadline: Deadline,
): Promise<Secret | undefined> {
  const path = `/api/v1/namespaces/${encodeURIComponent(account.namespace)}/serviceaccounts/${encodeURIComponent(account.name)}/token`;
  const body = JSON.stringify({
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { audiences: [], expirationSeconds: LIFETIME_SECONDS },
  });
  const question = questionAbout(
    `a token of service account ${account.namespace}/${account.name}`,
    settings,
    clock,
  );
  const answer = await ask(question, deadline, (session, ms) => session.post(path, body, ms));
  if (answer.status === 404 && !isMissingAccount(answer)) return undefined;
  if (answer.status === 403) throw withAdvice(refusalError(question, answer), account);
  if (answer.status !== 200 && answer.status !== 201) throw refusalError(question, answer);
  return secret(tokenIn(answer, asking(question.object, settings)));
}

/** Whether the server takes our credentials at all, whatever they permit. Rejects when it does not answer. */
export async function isKnownTo(
  settings: ConnectionSettings,
  clock: Clock,
  deadline: Deadline,
): Promise<boolean> {
  const question = questionAbout('version', settings, clock);
  const { status } = await ask(question, deadline, (session, ms) => session.get('/version', ms));
  return status !== 401;
}

function questionAbout(object: string, settings: ConnectionSettings, clock: Clock): Question {
  return { object, settings, nowNs: clock.nowNs() };
}

async function ask(
  question: Question,
  deadline: Deadline,
  send: (session: HttpSession, timeoutMs: number) => Promise<HttpAnswer>,
): Promise<HttpAnswer> {
  const session = openHttpSession(question.settings);
  try {
    return await unlessInterrupted(deadline, send(session, Math.max(1, deadline.remainingMs())));
  } catch (error) {
    throw error instanceof HttpFailure ? connectionError(question, error) : error;
  } finally {
    session.close();
  }
}

/** Servers without TokenRequest answer 404 as well, but then it is the path that they do not know. */
function isMissingAccount({ body }: HttpAnswer): boolean {
  try {
    const { details } = z.parse(status, JSON.parse(body.toString()));
    return details?.kind === 'serviceaccounts';
  } catch {
    return false;
  }
}

function tokenIn({ body }: HttpAnswer, what: string): string {
  let json: unknown;
  try {
    json = JSON.parse(body.toString());
  } catch {
    // JSON.parse quotes what it cannot read, and it may be a token.
    throw new CalicoError('corrupt', `${what}: the answer is not JSON: is this a Kubernetes API server?`);
  }
  return decodeValue(tokenRequest, json, what, 'corrupt').status.token;
}

function withAdvice({ kind, message }: CalicoError, { namespace, name }: ServiceAccount): CalicoError {
  return new CalicoError(kind, message, {
    details: `the account of this pod needs a Role in ${namespace} with "create" on serviceaccounts/token of ${name}`,
  });
}
