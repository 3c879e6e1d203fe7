/**
 * That a node's name is one host's: a key of etcd says whose, and goes when that host has been silent for half a minute.
 * Two hosts that use one name would take each other's addresses, pods and routes.
 */

import { CalicoError, isCalicoError } from '../../base/calico-error.ts';
import { type Clock, deadlineIn } from '../../base/deadline.ts';
import type { Interruption } from '../../base/interruption.ts';
import { isJsonObject, type JsonObject } from '../../base/json-object.ts';
import { pause } from '../../base/pause.ts';
import { ABSENT } from '../../base/revision.ts';
import { formatRfc3339 } from '../../base/time.ts';
import { nodeClaimKey } from '../../datastore/keys.ts';
import type { Leases } from '../../datastore/leases.ts';
import { type Decision, settle } from '../../datastore/settle.ts';
import type { Entry, Store } from '../../datastore/store.ts';
import { entryAt, type View } from '../../datastore/view.ts';

export interface Claimant {
  readonly nodeName: string;
  /** Tells hosts apart: see `hostIdentity`. */
  readonly identity: string;
  /** What people call this host. */
  readonly hostname: string;
}

export interface ClaimPorts {
  readonly store: Store;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly random: () => number;
  readonly interruption: Interruption;
}

export interface NameClaim {
  /** Renews it until it is interrupted; rejects with `conflict` when another host has the name. */
  readonly keep: () => Promise<void>;
  /** Gives the name up at once. Never rejects. */
  readonly release: () => Promise<void>;
}

export const CLAIM_SECONDS = 30;
const CALL_BUDGET_MS = 5_000;
const RETRY_MS = 1_000;

/**
 * Takes the name, once its last holder is silent for as long as its claim lasts. Rejects with `conflict`, naming the
 * holder, when it is not, and with what the datastore throws.
 */
export async function claimName(
  claimant: Claimant,
  ports: ClaimPorts,
  seconds: number = CLAIM_SECONDS,
): Promise<NameClaim> {
  const { clock, leases, interruption } = ports;
  let lease = await take(claimant, ports, seconds);
  const deadline = () => deadlineIn(clock, CALL_BUDGET_MS, 'the claim of the node name', interruption);

  /** When it has ended, etcd was out of reach for too long: then it may be another's by now. */
  async function renew(): Promise<void> {
    if (!(await leases.renew(lease, deadline()))) lease = await take(claimant, ports, seconds);
  }
  return {
    keep: async () => {
      while (interruption.signal() === undefined) {
        await pause(ports, (seconds * 1_000) / 3);
        try {
          if (interruption.signal() === undefined) await renew();
        } catch (error) {
          if (!isCalicoError(error, 'unavailable')) throw error;
        }
      }
    },
    release: async () => {
      const ownDeadline = deadlineIn(clock, CALL_BUDGET_MS, 'giving up the node name');
      await leases.revoke(lease, ownDeadline).catch(() => undefined);
    },
  };
}

async function take(claimant: Claimant, ports: ClaimPorts, seconds: number): Promise<string> {
  const { store, leases, clock, random, interruption } = ports;
  const deadline = () => deadlineIn(clock, CALL_BUDGET_MS, 'the claim of the node name', interruption);
  const lease = await leases.grant(seconds, deadline());
  const giveUpAtMs = clock.monotonicMs() + (seconds + 5) * 1_000;
  const since = formatRfc3339(clock.nowNs());
  for (;;) {
    const holder = await settle({
      ...{ store, clock, random, deadline: deadline() },
      ranges: [{ key: nodeClaimKey(claimant.nodeName) }],
      decide: (view) => decideClaim(claimant, { lease, since }, view),
    });
    if (holder === undefined) return lease;
    if (clock.monotonicMs() >= giveUpAtMs || interruption.signal() !== undefined) {
      await leases.revoke(lease, deadline()).catch(() => undefined);
      throw taken(claimant, holder);
    }
    // It may have ended without a word, and then its claim ends soon.
    await leases.renew(lease, deadline());
    await pause(ports, RETRY_MS);
  }
}

/** Gives who holds the name, if it is another host. */
function decideClaim(
  { nodeName, identity, hostname }: Claimant,
  { lease, since }: { readonly lease: string; readonly since: string },
  view: View,
): Decision<JsonObject | undefined> {
  const key = nodeClaimKey(nodeName);
  const entry = entryAt(view, key);
  const holder = entry === undefined ? undefined : holderOf(entry);
  if (holder !== undefined && holder.identity !== identity) return { step: 'done', outcome: holder };
  const value = JSON.stringify({ identity, hostname, since });
  const transaction = {
    expect: [{ key, revision: entry?.revision ?? ABSENT }],
    write: [{ type: 'put' as const, key, value, lease }],
  };
  return { step: 'commit', transaction, outcome: undefined };
}

/** Whoever writes it in another way holds it as well. */
function holderOf({ value }: Entry): JsonObject {
  try {
    const parsed: unknown = JSON.parse(value);
    return isJsonObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}

function taken({ nodeName }: Claimant, { hostname, since }: JsonObject): CalicoError {
  return new CalicoError(
    'conflict',
    `another host has the node name ${JSON.stringify(nodeName)}: ${hostname ?? 'unknown'}, since ${since ?? 'unknown'}`,
    { details: 'give each host a NODENAME of its own, or stop the agent there' },
  );
}
