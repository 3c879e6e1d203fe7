/**
 * Which agent of the cluster looks after what removed nodes have left: the one whose record is in etcd. It goes when its
 * agent has been silent for a while, and then another takes its place.
 */

import type { Clock, Deadline } from '../../base/deadline.ts';
import { isJsonObject } from '../../base/json-object.ts';
import { ABSENT } from '../../base/revision.ts';
import { formatRfc3339 } from '../../base/time.ts';
import { COLLECTOR_KEY } from '../../datastore/keys.ts';
import type { Leases } from '../../datastore/leases.ts';
import type { Entry, Expectation, Store } from '../../datastore/store.ts';
import type { Claimant } from '../registration/name-claim.ts';

export interface RolePorts {
  readonly store: Store;
  readonly leases: Leases;
  readonly clock: Clock;
}

export interface CollectorRole {
  /** What guards all that is written in the role; `undefined` while another agent has it. Rejects with what the datastore throws. */
  readonly take: (deadline: Deadline) => Promise<Expectation | undefined>;
  /** Lets another agent have it. Never rejects. */
  readonly release: (deadline: Deadline) => Promise<void>;
}

/** `seconds`: how long an agent that is silent keeps it. */
export function createCollectorRole(
  { identity, hostname, nodeName }: Claimant,
  { store, leases, clock }: RolePorts,
  seconds: number,
): CollectorRole {
  let lease: string | undefined;

  async function take(deadline: Deadline): Promise<Expectation | undefined> {
    const [[entry] = []] = (await store.read([{ key: COLLECTOR_KEY }], deadline)).entries;
    if (entry !== undefined && holderOf(entry) !== identity) return undefined;
    if (entry !== undefined && lease !== undefined && (await leases.renew(lease, deadline)))
      return { key: COLLECTOR_KEY, revision: entry.revision };
    // There is none, or it is from a life of this agent that has ended.
    lease = await leases.grant(seconds, deadline);
    const value = JSON.stringify({ identity, hostname, node: nodeName, since: formatRfc3339(clock.nowNs()) });
    const commit = await store.commit(
      {
        expect: [{ key: COLLECTOR_KEY, revision: entry?.revision ?? ABSENT }],
        write: [{ type: 'put', key: COLLECTOR_KEY, value, lease }],
      },
      deadline,
    );
    if (commit.committed) return { key: COLLECTOR_KEY, revision: commit.revision };
    await release(deadline);
    return undefined;
  }

  async function release(deadline: Deadline): Promise<void> {
    const ended = lease;
    lease = undefined;
    if (ended !== undefined) await leases.revoke(ended, deadline).catch(() => undefined);
  }
  return { take, release };
}

function holderOf({ value }: Entry): unknown {
  try {
    const parsed: unknown = JSON.parse(value);
    return isJsonObject(parsed) ? parsed.identity : undefined;
  } catch {
    return undefined;
  }
}
