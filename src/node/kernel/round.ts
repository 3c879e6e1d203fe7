/** One round of keeping the kernel equal: look, decide, plan, do. */

import type { CalicoError } from '../../base/calico-error.ts';
import type { IpFamily } from '../../base/ip-address.ts';
import type { NetlinkSocket } from '../../network/netlink/socket.ts';
import { FAMILIES, type PerFamily } from '../cluster.ts';
import type { DesiredHost, HostNat } from '../desired/desired-host.ts';
import type { Finding } from '../finding.ts';
import type { HostFacts } from '../host-facts.ts';
import type { HostRoute } from '../host-route.ts';
import { keepNat } from '../nat/keep-nat.ts';
import type { HostStep } from '../reconcile/host-step.ts';
import { type LostPodRoutes, lostPodRoutes } from '../reconcile/lost-pod-routes.ts';
import type { ObservedHost } from '../reconcile/observed-host.ts';
import { planChanges } from '../reconcile/plan.ts';
import type { PlanOptions } from '../reconcile/plan-options.ts';
import { sameValue } from '../same-value.ts';
import { applySteps } from './apply.ts';
import type { FlowForgetter } from './forget-flows.ts';
import { roundFailure, type StepFailure } from './host-step-failure.ts';
import type { HostObserver } from './observe.ts';

export interface RoundTools {
  readonly observer: HostObserver;
  readonly route: NetlinkSocket;
  /** Opened when it is first needed. */
  readonly filter: () => NetlinkSocket;
  /** What is wanted, given what the host has; `undefined`: it is not known yet. */
  readonly desire: (facts: HostFacts) => DesiredHost | undefined;
  readonly planOptions: () => PlanOptions;
  readonly flows: FlowForgetter;
  /** On a clock that nobody sets. */
  readonly nowMs: () => number;
}

export interface RoundResult {
  /** `undefined`: it is not known yet, or the host could not be looked at. */
  readonly desired: DesiredHost | undefined;
  /** Those that were tried. */
  readonly steps: readonly HostStep[];
  /** Families whose table of nftables was replaced or removed. */
  readonly nat: readonly IpFamily[];
  /** Of what is wanted, and of what is in its way. */
  readonly findings: readonly Finding[];
  readonly failures: readonly CalicoError[];
}

/** Remembers what needs no second look: the last wish, and which tables of nftables were right. */
export interface RoundMemory {
  facts: HostFacts | undefined;
  desired: DesiredHost | undefined;
  /** As last seen to be in the kernel; `undefined`: to be looked at. */
  nat: PerFamily<HostNat | undefined>;
  /** Routes to pods, as of when all routes were last read. */
  pods: LostPodRoutes;
}

export function newMemory(): RoundMemory {
  return {
    facts: undefined,
    desired: undefined,
    nat: { 4: undefined, 6: undefined },
    pods: { lost: [], missingSince: new Map(), isPluginAwaited: false },
  };
}

/** The tables of nftables of these families are to be looked at. */
export function forgetTables(memory: RoundMemory, families: readonly IpFamily[] = FAMILIES): void {
  const nat = (family: IpFamily) => (families.includes(family) ? undefined : memory.nat[family]);
  memory.nat = { 4: nat(4), 6: nat(6) };
}

/** Never throws: what goes wrong is among the failures, and then everything is to be looked at in the next round. */
export function makeRound(tools: RoundTools, memory: RoundMemory): RoundResult {
  const failures: CalicoError[] = [];
  const nothing = { desired: undefined, steps: [], nat: [], findings: [], failures };
  try {
    const { facts: before, areRoutesNew } = tools.observer.look();
    const desired = wish(before, tools, memory);
    if (desired === undefined) {
      // Which of them lead to pods is not known yet.
      if (areRoutesNew) tools.observer.outdate(['routes']);
      return nothing;
    }
    tools.observer.include(desired.sysctls.map(({ key }) => key));
    const { facts, observed } = tools.observer.look();
    const lost = areRoutesNew ? lostPods(desired, facts, observed, memory, tools.nowMs()) : [];
    const options = { ...tools.planOptions(), lostPodRoutes: lost };
    const plan = planChanges(desired, observed, options);
    const isHeldBack =
      desired.frozen !== undefined || (desired.doubt !== undefined && !options.isDoubtSettled);
    // What is lost shows only when routes are read, and this time nothing is done about it.
    if (isHeldBack && areRoutesNew) tools.observer.outdate(['routes']);
    if (!isHeldBack)
      tools.flows.see({ podRoutes: desired.podRoutes, routes: observed.routes, links: facts.links });
    // Before routes: a pod that reaches the world must not do so with an address that the world cannot answer.
    const nat = isHeldBack ? [] : keepTables(tools, memory, desired.nat, failures);
    const refused = applySteps(tools.route, plan.steps, facts.links).filter(
      (failure) => !isGivenUp(failure, tools),
    );
    failures.push(...refused.map(({ error }) => error));
    if (refused.length === 0) tools.observer.note(plan.steps, desired);
    const findings = [...desired.findings, ...plan.findings];
    return { desired, steps: plan.steps, nat, findings, failures };
  } catch (error) {
    failures.push(roundFailure(error));
    return nothing;
  }
}

/** A switch that can be done without stays as it is where it cannot be set, as in a container. */
function isGivenUp({ step }: StepFailure, { observer }: RoundTools): boolean {
  if (step.do !== 'write-sysctl' || step.sysctl.onFailure === 'fail') return false;
  observer.exclude(step.sysctl.key);
  return true;
}

function lostPods(
  { podRoutes }: DesiredHost,
  { links }: HostFacts,
  { routes }: ObservedHost,
  memory: RoundMemory,
  nowMs: number,
): readonly HostRoute[] {
  const up = new Set<string | undefined>(links.filter(({ isUp }) => isUp).map(({ name }) => name));
  const reachable = podRoutes.filter(({ device }) => up.has(device));
  memory.pods = lostPodRoutes(reachable, routes, memory.pods.missingSince, nowMs);
  return memory.pods.lost;
}

function wish(facts: HostFacts, { desire }: RoundTools, memory: RoundMemory): DesiredHost | undefined {
  if (memory.desired === undefined || memory.facts !== facts) memory.desired = desire(facts);
  memory.facts = facts;
  return memory.desired;
}

function keepTables(
  { filter }: RoundTools,
  memory: RoundMemory,
  wanted: PerFamily<HostNat>,
  failures: CalicoError[],
): readonly IpFamily[] {
  return FAMILIES.filter((family) => {
    if (sameValue(memory.nat[family], wanted[family])) return false;
    try {
      const change = keepNat(filter(), wanted[family]);
      memory.nat = { ...memory.nat, [family]: wanted[family] };
      return change !== 'none';
    } catch (error) {
      failures.push(roundFailure(error));
      return false;
    }
  });
}
