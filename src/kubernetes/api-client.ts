/** The Kubernetes API over HTTP: a few objects read, one after the other, over one connection. */

import { type Clock, checkInterruption, type Deadline, unlessInterrupted } from '../base/deadline.ts';
import type { KubernetesApi } from './api.ts';
import { asking, connectionError, refusalError } from './api-failure.ts';
import type { ConnectionSettings } from './connection-settings.ts';
import { decodeNamespace, decodeNode, decodePod, decodeVersion } from './decode-objects.ts';
import { type HttpAnswer, HttpFailure, openHttpSession } from './http-session.ts';
import { retryPauseMs } from './retry-pause.ts';

/** How long one answer may take: a server that is silent for longer will stay so. */
const ATTEMPT_MS = 10_000;

/** Begins to connect. Throws `config` when the certificates of the settings cannot be used. */
export function openKubernetesApi(settings: ConnectionSettings, clock: Clock): KubernetesApi {
  const session = openHttpSession(settings);

  /** A second time, if the server wants that or the connection broke: reading twice does no harm. */
  async function answerTo(path: string, deadline: Deadline): Promise<HttpAnswer> {
    const ask = () => session.get(path, Math.max(1, Math.min(deadline.remainingMs(), ATTEMPT_MS)));
    try {
      const answer = await ask();
      const pauseMs = retryPauseMs(answer, clock.nowNs());
      if (pauseMs === undefined || pauseMs >= deadline.remainingMs()) return answer;
      await clock.sleep(pauseMs);
    } catch (error) {
      if (!isBrokenConnection(error)) throw error;
    }
    return ask();
  }

  async function read<T>(
    path: string,
    object: string,
    deadline: Deadline,
    decode: (json: string, what: string) => T,
  ): Promise<T> {
    const question = () => ({ object, settings, nowNs: clock.nowNs() });
    checkInterruption(deadline);
    const answer = await unlessInterrupted(deadline, answerTo(path, deadline)).catch((error) => {
      throw error instanceof HttpFailure ? connectionError(question(), error) : error;
    });
    if (answer.status !== 200) throw refusalError(question(), answer);
    return decode(answer.body.toString(), asking(object, settings));
  }

  return {
    pod: (namespace, name, deadline) =>
      read(
        `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`,
        `pod ${namespace}/${name}`,
        deadline,
        decodePod,
      ),
    namespace: (name, deadline) =>
      read(`/api/v1/namespaces/${encodeURIComponent(name)}`, `namespace ${name}`, deadline, decodeNamespace),
    node: (name, deadline) =>
      read(`/api/v1/nodes/${encodeURIComponent(name)}`, `node ${name}`, deadline, decodeNode),
    version: (deadline) => read('/version', 'version', deadline, decodeVersion),
    close: session.close,
  };
}

/** A server closes connections that are idle, maybe in the very moment that one is used again. */
function isBrokenConnection(error: unknown): boolean {
  return error instanceof HttpFailure && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
}
