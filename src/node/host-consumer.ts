/** Makes this host what the cluster says it should be, and tells what it did. */

import type { Clock } from '../base/deadline.ts';
import { isLinkLocal } from '../base/ip-address.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { ClusterConsumer } from './agent.ts';
import { type ClusterState, isOtherForKernel } from './cluster.ts';
import { type DesireMemo, desiredHost } from './desired/desire.ts';
import type { Finding } from './finding.ts';
import { type HostFacts, withoutPods } from './host-facts.ts';
import { keepEqual, type Round } from './kernel/keep-equal.ts';
import { formatHostStep } from './reconcile/format-step.ts';
import { optionsBeside } from './reconcile/plan-options.ts';
import { writeHostFile } from './registration/host-file.ts';
import { sameValue } from './same-value.ts';
import type { AgentWitness } from './witness.ts';

export interface HostConsumerPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Where plugins look for the MTU of pods. */
  readonly mtuFile: string;
  /** Told of everything, before anything is done about it. */
  readonly witness?: AgentWitness;
}

/** In the calling thread's network namespace, until it is disposed of; what is in the kernel then stays. */
export function keepHost({
  clock,
  random,
  log,
  mtuFile,
  witness,
}: HostConsumerPorts): ClusterConsumer & Disposable {
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  const memo: DesireMemo = {};
  const tell = tellerOf(log);
  let state: ClusterState | undefined;
  let isBirdRunning = true;
  let lookAgain: (() => void) | undefined;
  let facts: HostFacts | undefined;
  let whereTold: HostFacts['addresses'] | undefined;
  const keeper = keepEqual({
    desire: (now) => {
      facts = now;
      isBirdRunning = now.isBirdRunning;
      return state === undefined ? undefined : desiredHost(state, now, memo);
    },
    // Whoever follows the datastore reads it twice before believing that everything is gone.
    planOptions: () => ({ ...optionsBeside(isBirdRunning), isDoubtSettled: true }),
    clock,
    random: random.fraction,
    onRound: (round) => {
      tell(round);
      witness?.onRound(round);
      if (round.desired === undefined) return;
      followMove(round);
      if (round.desired.frozen !== undefined) return;
      if (round.desired.mtuFile !== '') writeMtu(round.desired.mtuFile);
      resolve();
    },
  });

  /** Told once for what the host has: an address of a Node that some other device translates is on no interface for good. */
  function followMove(round: Round): void {
    if (!isNowhere(round)) whereTold = undefined;
    if (!isNowhere(round) || facts === undefined) return;
    const addresses = ownAddresses(facts);
    if (whereTold !== undefined && sameValue(addresses, whereTold)) return;
    whereTold = addresses;
    lookAgain?.();
  }

  function writeMtu(text: string): void {
    try {
      writeHostFile(mtuFile, text, random.uuid());
    } catch (error) {
      log.error('agent: the MTU file cannot be written', { error: String(error) });
    }
  }

  return {
    ready,
    onEvent: (event) => witness?.onEvent(event),
    whenMoved: (listener) => {
      lookAgain = listener;
    },
    onHeard: (revision) => witness?.onHeard(revision),
    onCluster: (cluster, batch) => {
      const isWish = state === undefined || isOtherForKernel(state, cluster);
      state = cluster;
      witness?.onCluster(cluster, isWish ? batch.heardMs : undefined);
      if (isWish) keeper.wishChanged();
    },
    [Symbol.dispose]: () => keeper.close(),
  };
}

/** Those that say where the host is; dummy devices hold those of services. */
function ownAddresses(facts: HostFacts): HostFacts['addresses'] {
  const { links, addresses } = withoutPods(facts);
  const real = new Set(links.filter(({ kind }) => kind !== 'dummy').map(({ ifIndex }) => ifIndex));
  return addresses.filter(({ ifIndex, network }) => real.has(ifIndex) && !isLinkLocal(network.address));
}

/** Whether no interface has the address of our Node. */
function isNowhere({ findings }: Round): boolean {
  return findings.some(({ kind }) => kind === 'parent-missing');
}

/** A line for every round that did something, and one for every failure and finding when it comes. */
function tellerOf(log: Log): (round: Round) => void {
  let known: ReadonlySet<string> = new Set();
  let failed: ReadonlySet<string> = new Set();
  return ({ cause, elapsedMs, steps, nat, findings, failures }) => {
    // A step that fails again and again changes nothing.
    if (steps.length + nat.length > failures.length) {
      const milliseconds = Math.round(elapsedMs);
      log.info('host: changed', { cause, steps: steps.length, nat: nat.length, milliseconds });
      log.debug('host: steps', { steps: steps.map(formatHostStep).join('; ') });
    }
    // What fails is tried again, every few seconds after a while.
    for (const { message, details } of failures.filter((failure) => !failed.has(failure.message)))
      log.error('host: a step failed', { error: message, details });
    failed = new Set(failures.map(({ message }) => message));
    for (const finding of findings.filter((one) => !known.has(idOf(one)))) {
      const { kind, subject, message, severity } = finding;
      log[severity === 'error' ? 'error' : 'warn'](message, { finding: kind, subject });
    }
    known = new Set(findings.map(idOf));
  };
}

function idOf({ kind, subject, message }: Finding): string {
  return `${kind} ${subject} ${message}`;
}
