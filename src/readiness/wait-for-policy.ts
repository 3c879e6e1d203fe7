/** Waits until Felix has programmed the policy of a pod's endpoint. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorText } from '../base/calico-error.ts';
import type { Clock } from '../base/deadline.ts';
import { isReportOn, type ReportedEndpoint, statusFileName } from './policy-status.ts';

export type PolicyState =
  | { readonly isReady: true }
  /** `reason`: for a warning. */
  | { readonly isReady: false; readonly reason: string };

/**
 * The file is looked at this often, not watched: a look takes some 20 microseconds, the directory may be made only
 * later, and inotify instances are few on a node that starts many pods at once.
 */
const PAUSE_MS = 20;

/**
 * Looks for Felix's report on the endpoint in `directory` for as long as `timeoutMs`. Never rejects: a pod whose policy
 * is late is started all the same, and Felix, as it is set up by default, lets none of its packets through until then.
 */
export async function waitForPolicy(
  endpoint: ReportedEndpoint,
  directory: string,
  timeoutMs: number,
  clock: Clock,
): Promise<PolicyState> {
  const path = join(directory, statusFileName(endpoint));
  const endMs = clock.monotonicMs() + timeoutMs;
  for (;;) {
    const missing = whatIsMissing(path, endpoint);
    if (missing === undefined) return { isReady: true };
    const remainingMs = endMs - clock.monotonicMs();
    if (remainingMs <= 0) return { isReady: false, reason: timedOut(path, timeoutMs, missing) };
    await clock.sleep(Math.min(PAUSE_MS, remainingMs));
  }
}

/** `undefined` once the report is there. */
function whatIsMissing(path: string, endpoint: ReportedEndpoint): string | undefined {
  try {
    return isReportOn(readFileSync(path, 'utf8'), endpoint)
      ? undefined
      : 'the file is about an earlier sandbox of the pod';
  } catch (error) {
    return errorText(error);
  }
}

function timedOut(path: string, timeoutMs: number, missing: string): string {
  return `timed out waiting for endpoint status file '${path}' for ${timeoutMs} ms: ${missing}; is Felix running, with EndpointStatusPathPrefix set?`;
}
