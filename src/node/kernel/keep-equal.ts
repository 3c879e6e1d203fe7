/** Keeps the kernel equal to what is wanted of it, for as long as the agent lives. */

import type { Clock } from '../../base/deadline.ts';
import type { IpFamily } from '../../base/ip-address.ts';
import { type NetlinkSocket, openFilterSocket, openNetlinkSocket } from '../../network/netlink/socket.ts';
import type { DesiredHost } from '../desired/desired-host.ts';
import type { HostFacts } from '../host-facts.ts';
import { POD_PATIENCE_MS } from '../reconcile/lost-pod-routes.ts';
import { type PlanOptions, USUAL_OPTIONS } from '../reconcile/plan-options.ts';
import { backoffMs } from '../watch/backoff.ts';
import { createForgetter } from './forget-flows.ts';
import { hearHost } from './host-events.ts';
import { ALL_PARTS, type HostPart } from './host-part.ts';
import { createObserver, type HostObserver } from './observe.ts';
import { forgetTables, makeRound, newMemory, type RoundResult, type RoundTools } from './round.ts';
import { type LastRound, noticePauseMs, type RoundCause, recentRepairs, tickMs } from './round-times.ts';

export interface Round extends RoundResult {
  readonly cause: RoundCause;
  readonly elapsedMs: number;
}

export interface KeepOptions {
  /**
   * What the host shall hold, given what it has. Called again after {@link HostKeeper.wishChanged}, and when the facts
   * have changed; `undefined`: it is not known yet, and nothing is touched.
   */
  readonly desire: (facts: HostFacts) => DesiredHost | undefined;
  readonly planOptions?: () => PlanOptions;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** A number in [0, 1), fresh on each call. */
  readonly random: () => number;
  /** After every round, also after those that changed nothing. */
  readonly onRound: (round: Round) => void;
}

/** Of several at once the first is told. */
const CAUSES: readonly RoundCause[] = ['wish', 'tick', 'retry', 'kernel', 'pods'];

/** How soon the host is ours after Felix has ended. */
const FELIX_POLL_MS = 5_000;
/** Among the recent ones. */
const SUSPICIOUS_REPAIRS = 3;

/**
 * Starts in the calling thread's network namespace, which the thread must not leave. Throws what the kernel refuses a
 * socket with. The first round comes with the first call of {@link HostKeeper.wishChanged}.
 */
export function keepEqual(options: KeepOptions): HostKeeper {
  return new HostKeeper(options);
}

export class HostKeeper implements Disposable {
  readonly #options: KeepOptions;
  readonly #stack = new DisposableStack();
  readonly #route: NetlinkSocket;
  readonly #observer: HostObserver;
  readonly #tools: RoundTools;
  readonly #memory = newMemory();
  readonly #dueMs = new Map<RoundCause, number>();
  /** Interfaces of pods that have lost a route, or gone with it. */
  readonly #podsToSee = new Set<number>();
  #filter: NetlinkSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lastRound: LastRound = { endedMs: 0, elapsedMs: 0 };
  #repairsMs: readonly number[] = [];
  #failuresInARow = 0;

  constructor(options: KeepOptions) {
    this.#options = options;
    this.#route = this.#stack.use(openNetlinkSocket());
    this.#observer = createObserver(this.#route);
    const filter = () => {
      this.#filter ??= this.#stack.use(openFilterSocket());
      return this.#filter;
    };
    this.#tools = {
      observer: this.#observer,
      route: this.#route,
      filter,
      flows: this.#stack.use(createForgetter(filter)),
      desire: options.desire,
      planOptions: options.planOptions ?? (() => USUAL_OPTIONS),
      nowMs: options.clock.monotonicMs,
    };
    this.#listen();
    this.#askIn('tick', tickMs(options.random()));
  }

  /** `desire` has another answer: a round follows at once. */
  wishChanged(): void {
    this.#memory.desired = undefined;
    this.#askIn('wish', 0);
  }

  /** Everything is looked at again, soon. */
  lookAgain(): void {
    this.#forget();
    this.#askIn('tick', 0);
  }

  /** What is in the kernel stays there. */
  close(): void {
    clearTimeout(this.#timer);
    this.#stack.dispose();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #listen(): void {
    try {
      const [onParts, onNat] = [this.#partsChanged.bind(this), this.#tablesChanged.bind(this)];
      const ownPortIds = () => ({ route: this.#route.portId(), filter: this.#filter?.portId() });
      const onPodRouteLost = this.#podRouteLost.bind(this);
      this.#stack.use(hearHost({ onParts, onPodRouteLost, onNat, ours: this.#observer.ours, ownPortIds }));
    } catch (error) {
      this.#stack.dispose();
      throw error;
    }
  }

  #partsChanged(parts: readonly HostPart[]): void {
    this.#observer.outdate(parts);
    this.#noticed();
  }

  /** Most go with their pod, which is known by then. */
  #podRouteLost(ifIndex: number): void {
    this.#podsToSee.add(ifIndex);
    this.#askIn('pods', POD_PATIENCE_MS);
  }

  #tablesChanged(families: readonly IpFamily[]): void {
    forgetTables(this.#memory, families);
    this.#noticed();
  }

  #noticed(): void {
    const nowMs = this.#options.clock.monotonicMs();
    this.#askIn('kernel', noticePauseMs(nowMs, this.#lastRound, this.#repairsMs));
  }

  #forget(): void {
    this.#observer.outdate(ALL_PARTS);
    forgetTables(this.#memory);
  }

  /** The earlier of two times for the same cause counts. */
  #askIn(cause: RoundCause, pauseMs: number): void {
    const atMs = this.#options.clock.monotonicMs() + pauseMs;
    this.#dueMs.set(cause, Math.min(atMs, this.#dueMs.get(cause) ?? Number.POSITIVE_INFINITY));
    this.#arm();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    if (this.#stack.disposed) return;
    const nextMs = Math.min(...this.#dueMs.values()) - this.#options.clock.monotonicMs();
    this.#timer = setTimeout(() => this.#wake(), Math.max(0, nextMs));
  }

  #wake(): void {
    const startedMs = this.#options.clock.monotonicMs();
    const due = this.#takeDue(startedMs);
    if (due.includes('tick')) {
      this.#forget();
      this.#askIn('tick', tickMs(this.#options.random()));
    }
    if (due[0] !== undefined) this.#round(due[0], startedMs);
    this.#arm();
  }

  #takeDue(nowMs: number): readonly RoundCause[] {
    const due = CAUSES.filter((cause) => (this.#dueMs.get(cause) ?? nowMs + 1) <= nowMs);
    for (const cause of due) this.#dueMs.delete(cause);
    if (!due.includes('pods')) return due;
    const isToSee =
      this.#memory.pods.isPluginAwaited ||
      [...this.#podsToSee].some((ifIndex) => this.#observer.hasLink(ifIndex));
    this.#podsToSee.clear();
    if (!isToSee) return due.filter((cause) => cause !== 'pods');
    this.#observer.outdate(['routes']);
    return due;
  }

  #round(cause: RoundCause, startedMs: number): void {
    const result = makeRound(this.#tools, this.#memory);
    const endedMs = this.#options.clock.monotonicMs();
    const elapsedMs = endedMs - startedMs;
    this.#lastRound = { endedMs, elapsedMs };
    if ((cause === 'kernel' || cause === 'pods') && result.steps.length > 0) this.#repaired(endedMs);
    if (result.failures.length === 0 && this.#memory.pods.isPluginAwaited)
      this.#askIn('pods', POD_PATIENCE_MS);
    if (this.#memory.facts?.isFelixRunning) this.#askIn('tick', FELIX_POLL_MS);
    this.#retryAfter(result);
    this.#options.onRound({ ...result, cause, elapsedMs });
  }

  /** Who undoes what we do may be Felix, started after this agent. */
  #repaired(nowMs: number): void {
    this.#repairsMs = [...recentRepairs(this.#repairsMs, nowMs), nowMs];
    if (this.#repairsMs.length >= SUSPICIOUS_REPAIRS) this.#observer.outdate(['surroundings']);
  }

  #retryAfter({ failures }: RoundResult): void {
    if (failures.length === 0) {
      this.#failuresInARow = 0;
      this.#dueMs.delete('retry');
      return;
    }
    this.#forget();
    this.#askIn('retry', backoffMs(this.#failuresInARow, this.#options.random()));
    this.#failuresInARow += 1;
  }
}
