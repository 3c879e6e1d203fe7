/**
 * Pods that name their addresses and get one sandbox after the other: whatever the order of ADDs, failed ADDs and DELs,
 * and however old what they were decided on, an address of a pod's endpoint is always its sandbox's and never free.
 */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CalicoError } from '../../../src/base/calico-error.ts';
import {
  formatIpAddress,
  type IpAddress,
  parseIpAddress,
  sameAddress,
} from '../../../src/base/ip-address.ts';
import { addressOf } from '../../../src/ipam/allocation-block.ts';
import type { MustLook } from '../../../src/ipam/assignment/address-search.ts';
import { attributeOf } from '../../../src/ipam/block/attribute.ts';
import type { TakenOver } from '../../../src/ipam/facts.ts';
import { planAssignment } from '../../../src/ipam/plan-assignment.ts';
import { type StillHeld, stillHeld } from '../../../src/ipam/still-held.ts';
import {
  type Assigned,
  assignmentRequest,
  type Cluster,
  cluster,
  commit,
  decide,
  del,
  firstFacts,
  NOW_NS,
  pool,
} from './support/cluster.ts';
import { clusterViolations, cooldownViolations, sequenceViolations } from './support/invariants.ts';

const ADDRESSES = ['10.9.0.0', '10.9.0.1', '10.9.0.4', 'fd00::', 'fd00::1', 'fd00::4'].map(parseIpAddress);
const FREE_CHOICE = 6;

const EVENT = fc.record({
  kind: fc.constantFrom(
    'add',
    'add',
    'add',
    'failed add',
    'failed add, then',
    'delete old',
    'delete',
    'wait',
  ),
  pod: fc.nat(2),
  v4: fc.nat(2),
  v6: fc.nat(3),
  isOnOldFacts: fc.boolean(),
});
type Known = Exclude<StillHeld, MustLook>;
type Event = typeof EVENT extends fc.Arbitrary<infer T> ? T : never;

/** What the datastore's endpoint of a pod says. */
interface Endpoint {
  readonly container: number;
  readonly addresses: readonly IpAddress[];
}

interface State {
  readonly cluster: Cluster;
  readonly endpoints: ReadonlyMap<number, Endpoint>;
  readonly nowNs: bigint;
  /** Containers that were begun, by pod; each is deleted in the end. */
  readonly containers: readonly number[];
  readonly problems: readonly string[];
  readonly takeovers: number;
}

function begin(cooldownSeconds: number): State {
  const pools = [pool('10.9.0.0/29', 30), pool('fd00::/125', 126)];
  return {
    cluster: cluster({ pools, config: { cooldownSeconds } }),
    endpoints: new Map(),
    nowNs: NOW_NS,
    containers: [],
    problems: [],
    takeovers: 0,
  };
}

function happen(states: readonly State[], event: Event): readonly State[] {
  const now = states.at(-1) ?? begin(0);
  const seen = event.isOnOldFacts ? (states.at(-2) ?? now) : now;
  return [...states, next(now, seen, event)];
}

function next(now: State, seen: State, event: Event): State {
  switch (event.kind) {
    case 'add':
      return examined(now, addition(now, seen, event).after);
    case 'failed add':
      return undone(now, addition(now, seen, event));
    case 'failed add, then': {
      // Between a failed ADD and its rollback the old sandbox is deleted, or another pod comes.
      const { after, ...rest } = addition(now, seen, event);
      const other = { ...event, pod: (event.pod + 1) % 3 };
      const meanwhile = event.isOnOldFacts
        ? deleteOld(after, event.pod)
        : addition(after, after, other).after;
      return undone(now, { ...rest, after: meanwhile });
    }
    case 'delete old':
      return examined(now, deleteOld(now, event.pod));
    case 'delete':
      return examined(now, deleteContainer(now, now.endpoints.get(event.pod)?.container ?? -1));
    case 'wait':
      return { ...now, nowNs: now.nowNs + 40_000_000_000n };
  }
}

interface Addition {
  readonly after: State;
  readonly container: number;
  readonly before: Endpoint | undefined;
  readonly plan: Assigned | undefined;
}

/** One transaction: what was decided on facts that are old is lost, and decided again. */
function addition(now: State, seen: State, event: Event): Addition {
  const container = now.containers.length;
  const begun = { ...now, containers: [...now.containers, event.pod], nowNs: now.nowNs + 1_000_003n };
  const before = seen.endpoints.get(event.pod);
  const plan = planned(begun, seen, event, before);
  if (plan === undefined) return { after: begun, container, before, plan };
  const stored = before === now.endpoints.get(event.pod) ? commit(now.cluster, plan.changes) : undefined;
  if (stored === undefined) {
    if (seen === now) throw new Error('lost against nobody');
    return addition(now, now, event);
  }
  const endpoint = { container, addresses: plan.addresses.map(({ address }) => address) };
  const after = {
    ...begun,
    cluster: stored,
    endpoints: new Map([...now.endpoints, [event.pod, endpoint]]),
    takeovers: now.takeovers + plan.takenOver.length,
  };
  return { after, container, before, plan };
}

/** `undefined`: an address is somebody else's or in cooldown, the ADD fails. */
function planned(
  { nowNs, containers }: State,
  { cluster: of }: State,
  { pod, v4, v6 }: Event,
  before: Endpoint | undefined,
): Assigned | undefined {
  const handleId = handleOf(containers.length - 1);
  const wanted = [ADDRESSES[v4], ADDRESSES[3 + (v6 % FREE_CHOICE)]].filter((one) => one !== undefined);
  const request = assignmentRequest('node1', handleId, {
    families: [],
    owner: { node: 'node1', pod: `pod${pod}`, namespace: 'test', timestamp: String(nowNs) },
    requestedAddresses: wanted,
    predecessor: before && {
      handleIds: [handleOf(before.container), `test.pod${pod}`],
      addresses: before.addresses,
    },
    nowNs,
  });
  try {
    return decide<Assigned>(of, firstFacts(of, 'node1', [handleId]), (facts) =>
      planAssignment(request, facts),
    ).plan;
  } catch (error) {
    if (error instanceof CalicoError && error.kind === 'no-address') return undefined;
    throw error;
  }
}

/** The rollback: the endpoint is restored if it is still this container's, and addresses go back. */
function undone(now: State, { after, container, before, plan }: Addition): State {
  if (plan === undefined) return examined(now, after);
  const pod = after.containers[container] ?? 0;
  const isOurs = after.endpoints.get(pod)?.container === container;
  const returnTo = before !== undefined && livesOn(after, before, plan.takenOver) ? before : undefined;
  const endpoints = new Map(after.endpoints);
  if (isOurs && returnTo !== undefined) endpoints.set(pod, returnTo);
  if (isOurs && returnTo === undefined) endpoints.delete(pod);
  const giveBack = returnTo === undefined ? [] : plan.takenOver;
  const restored = { ...release(after, container, giveBack), endpoints };
  const lost = isOurs ? missing(after, restored, giveBack, before) : [];
  return examined(now, { ...restored, problems: [...restored.problems, ...lost] });
}

/** Whether the former sandbox was not deleted meanwhile, as far as its addresses tell. */
function livesOn({ cluster: of, nowNs }: State, before: Endpoint, takenOver: readonly TakenOver[]): boolean {
  const addresses = before.addresses.filter(
    (address) => !takenOver.some((taken) => sameAddress(taken.address, address)),
  );
  const handleIds = [handleOf(before.container)];
  const sandbox = { handleIds, addresses, pod: undefined, namespace: 'test', nowNs };
  const { plan } = decide<Known>(of, firstFacts(of, 'node1', []), (facts) => stillHeld(sandbox, facts));
  return plan.isHeld;
}

function missing(
  after: State,
  restored: State,
  takenOver: readonly TakenOver[],
  before: Endpoint | undefined,
): readonly string[] {
  const owners = ownersOf(restored.cluster);
  return takenOver
    .map(({ address }) => formatIpAddress(address))
    .filter((text) => owners.get(text) !== handleOf(before?.container ?? -1))
    .map((text) => `${text} did not go back: ${ownersOf(after.cluster).get(text)}`);
}

function deleteOld(now: State, pod: number): State {
  const current = now.endpoints.get(pod)?.container;
  const old = now.containers.findLastIndex((of, container) => of === pod && container !== current);
  return deleteContainer(now, old);
}

function deleteContainer(now: State, container: number): State {
  const pod = now.containers[container];
  if (pod === undefined) return now;
  const endpoints = new Map(now.endpoints);
  if (endpoints.get(pod)?.container === container) endpoints.delete(pod);
  return { ...release(now, container), endpoints };
}

function release(now: State, container: number, giveBack: readonly TakenOver[] = []): State {
  const { after } = del(now.cluster, 'node1', [handleOf(container)], { nowNs: now.nowNs, giveBack });
  return { ...now, cluster: after, nowNs: now.nowNs + 1_000_003n };
}

function examined(before: State, after: State): State {
  const owners = ownersOf(after.cluster);
  const astray = [...after.endpoints].flatMap(([pod, { container, addresses }]) =>
    addresses
      .filter((address) => owners.get(formatIpAddress(address)) !== handleOf(container))
      .map(
        (address) => `${formatIpAddress(address)} of pod${pod} is ${owners.get(formatIpAddress(address))}'s`,
      ),
  );
  const numbers = new Map(
    Array.from(before.cluster.blocks, ([text, { value }]) => [text, value.sequenceNumber] as const),
  );
  const problems = [
    ...after.problems,
    ...astray,
    ...clusterViolations(after.cluster),
    ...sequenceViolations(numbers, before.cluster, after.cluster),
    ...cooldownViolations(before.cluster, after.cluster, after.nowNs),
  ];
  return { ...after, problems };
}

function ownersOf(of: Cluster): ReadonlyMap<string, string | undefined> {
  return new Map(
    [...of.blocks.values()].flatMap(({ value }) =>
      value.allocations.map(
        (_, ordinal) =>
          [formatIpAddress(addressOf(value, ordinal)), attributeOf(value, ordinal)?.handleId] as const,
      ),
    ),
  );
}

function handleOf(container: number): string {
  return `net1.c${container}`;
}

function run(cooldownSeconds: number, events: readonly Event[]): State {
  const states = events.reduce(happen, [begin(cooldownSeconds)]);
  const last = states.at(-1) ?? begin(0);
  return last.containers.reduce(
    (now, _pod, container) => examined(now, deleteContainer(now, container)),
    last,
  );
}

const EVENTS = fc.array(EVENT, { minLength: 5, maxLength: 60, size: 'max' });

describe('pods that name their addresses, in any history of sandboxes', () => {
  it.each([0, 30])('keep them, and leak none, with a cooldown of %i s', (cooldownSeconds) => {
    fc.assert(
      fc.property(EVENTS, (events) => {
        const end = run(cooldownSeconds, events);
        expect(end.problems).toEqual([]);
        expect([...end.cluster.handles.keys()]).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it('take over often enough for that to mean something', () => {
    const histories = fc.sample(EVENTS, { numRuns: 100, seed: 1 });
    const takeovers = histories.map((events) => run(0, events).takeovers);
    expect(takeovers.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(200);
  });
});
