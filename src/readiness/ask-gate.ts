/** One question to a readiness gate: an HTTP GET whose status says whether it is ready. */

import type { RequestOptions } from 'node:https';
import { errorText } from '../base/calico-error.ts';

/** As Go's client, which Calico asks with, follows them. */
const MAX_REDIRECTS = 10;

/**
 * `undefined` when the URL answers with a status from 200 to 399 within the time, else why not. Redirects are followed,
 * https trusts the system's certificates, and no proxy is asked. Never rejects.
 */
export async function askGate(url: string, timeoutMs: number): Promise<string | undefined> {
  const alarm = AbortSignal.timeout(timeoutMs);
  try {
    const { status, text } = await follow(new URL(url), alarm);
    return status >= 200 && status < 400 ? undefined : `it answers ${status} ${text}`.trimEnd();
  } catch (error) {
    return alarm.aborted ? `no answer within ${timeoutMs} ms` : errorText(error);
  }
}

interface Answer {
  readonly status: number;
  /** `Service Unavailable`. */
  readonly text: string;
  /** Where a redirect points. */
  readonly location: string | undefined;
}

async function follow(url: URL, signal: AbortSignal): Promise<Answer> {
  let target = url;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const answer = await getOnce(target, signal);
    if (answer.status < 300 || answer.status >= 400 || answer.location === undefined) return answer;
    target = new URL(answer.location, target);
  }
  throw new Error(`stopped after ${MAX_REDIRECTS} redirects`);
}

/** `node:http` is evaluated only now. It takes 8 ms of CPU; `fetch` takes 44. */
function getOnce(url: URL, signal: AbortSignal): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const isSecure = url.protocol === 'https:';
  const { get } = process.getBuiltinModule(isSecure ? 'node:https' : 'node:http');
  const options = { agent: false, signal, ...(isSecure ? secureOptions() : {}) };
  const request = get(url, options, (response) => {
    const { statusCode: status = 0, statusMessage: text = '', headers } = response;
    resolve({ status, text, location: headers.location });
    response.on('error', () => undefined).destroy();
  });
  request.on('error', reject);
  return promise;
}

/** Whatever the environment says, the certificate counts. */
function secureOptions(): RequestOptions {
  const { getCACertificates } = process.getBuiltinModule('node:tls');
  return { ca: getCACertificates('system'), rejectUnauthorized: true };
}
