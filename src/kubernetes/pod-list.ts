/** The names of all pods of a cluster, a page at a time. */

import * as z from 'zod/mini';
import { CalicoError } from '../base/calico-error.ts';
import { type Clock, checkDeadline, type Deadline, unlessInterrupted } from '../base/deadline.ts';
import { asking, connectionError, refusalError } from './api-failure.ts';
import type { ConnectionSettings } from './connection-settings.ts';
import { decodeValue, maybe } from './decode-value.ts';
import { HttpFailure, openHttpSession } from './http-session.ts';

export interface PodName {
  readonly namespace: string;
  readonly name: string;
}

const PAGE = 250;
const ATTEMPT_MS = 30_000;

const page = z.object({
  metadata: z.object({ continue: maybe(z.string()) }),
  items: z.array(z.object({ metadata: z.object({ name: z.string(), namespace: z.string() }) })),
});

/** Rejects as the calls of `KubernetesApi` do. */
export async function* listPods(
  settings: ConnectionSettings,
  clock: Clock,
  deadline: Deadline,
): AsyncGenerator<readonly PodName[], void, undefined> {
  const session = openHttpSession(settings);
  const question = () => ({ object: 'pods', settings, nowNs: clock.nowNs() });
  try {
    for (let next: string | undefined = ''; next !== undefined; ) {
      checkDeadline(deadline, 'listing pods');
      const path = `/api/v1/pods?limit=${PAGE}${next === '' ? '' : `&continue=${encodeURIComponent(next)}`}`;
      const budgetMs = Math.max(1, Math.min(deadline.remainingMs(), ATTEMPT_MS));
      const answer = await unlessInterrupted(deadline, session.get(path, budgetMs)).catch((error) => {
        throw error instanceof HttpFailure ? connectionError(question(), error) : error;
      });
      if (answer.status !== 200) throw refusalError(question(), answer);
      const { metadata, items } = decodePage(answer.body.toString(), asking('pods', settings));
      yield items.map((item) => item.metadata);
      next = metadata.continue || undefined;
    }
  } finally {
    session.close();
  }
}

function decodePage(text: string, what: string): z.infer<typeof page> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CalicoError('corrupt', `${what}: the answer is not JSON`, { cause });
  }
  return decodeValue(page, value, what, 'corrupt');
}
