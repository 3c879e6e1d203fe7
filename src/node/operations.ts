/** The agent as others see it: its metrics, its health and its status, each where it is asked for. */

import type { Clock } from '../base/deadline.ts';
import type { Log } from '../base/log.ts';
import { type ClusterState, unknownCluster } from './cluster.ts';
import { felixSettings, type ServedAt } from './felix-settings.ts';
import { openJournal } from './journal.ts';
import { createAgentCounters } from './metrics/agent-counters.ts';
import { watchEventLoop } from './metrics/event-loop-lag.ts';
import type { MetricSource } from './metrics/metric-family.ts';
import { processFigures } from './metrics/process-figures.ts';
import { agentPages } from './serve/agent-pages.ts';
import { type Place, socketPlace, tcpPlace } from './serve/place.ts';
import { servePages, serveWhere } from './serve/serve-pages.ts';
import type { AgentStatus } from './status/agent-status.ts';
import { type AgentWitness, witnesses } from './witness.ts';

export interface OperationsOptions {
  readonly nodeName: string;
  readonly version: string;
  /** Settings of the environment, which hold before the datastore has been read. */
  readonly felixOverrides: ClusterState['felixOverrides'];
  /** Where `calico node status` asks. */
  readonly socket: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** A part of the agent that has something to tell. */
export interface OperationsPart {
  readonly metrics?: MetricSource;
  /** A section of the status, which must be JSON, under its name. */
  readonly status?: () => AgentStatus['more'];
}

export interface Operations extends Disposable {
  /** Is to be told what the agent sees and does. */
  readonly witness: AgentWitness;
  /** What must end before anything is begun; `undefined`: nothing any more. */
  readonly waitsFor: (reason: string | undefined) => void;
  /** What the part tells is told from now on. */
  readonly include: (part: OperationsPart) => void;
}

/** The name of the variable with the path of the socket. */
export const SOCKET_VARIABLE = 'CALICO_NODE_SOCKET';
export const DEFAULT_SOCKET = '/var/run/calico/node.sock';

/** Serves at once, with what is known; ends when it is disposed of. */
export function openOperations(options: OperationsOptions): Operations {
  const { nodeName, felixOverrides, socket, clock, log } = options;
  const stack = new DisposableStack();
  const journal = openJournal(nodeName, clock);
  const counters = createAgentCounters(clock);
  const loop = stack.use(watchEventLoop(clock));
  const parts: OperationsPart[] = [counters, loop].map(({ families }) => ({ metrics: families }));
  parts.push({ metrics: processFigures });
  const pages = agentPages({
    ...{ facts: journal.facts, version: options.version, clock },
    metrics: () => parts.flatMap(({ metrics }) => metrics?.() ?? []),
    status: () => Object.assign({}, ...parts.map(({ status }) => status?.())),
  });
  const metrics = stack.use(serveWhere({ pages: pages.metrics, log }, metricsPlace));
  const health = stack.use(serveWhere({ pages: pages.health, log }, healthPlace));
  const place = socketPlace('the status', socket, `${SOCKET_VARIABLE} or --socket`);
  stack.use(servePages({ place, pages: { ...pages.status, ...pages.health, ...pages.metrics }, log }));
  const move = (cluster: ClusterState) => {
    const { settings } = felixSettings(cluster);
    metrics.move(settings.metrics);
    health.move(settings.health);
  };
  move(unknownCluster(nodeName, felixOverrides));
  return {
    waitsFor: journal.waitsFor,
    include: (part) => void parts.push(part),
    witness: witnesses(journal, counters, onOtherSettings(move)),
    [Symbol.dispose]: () => stack.dispose(),
  };
}

function metricsPlace({ host, port }: ServedAt): Place {
  return tcpPlace('metrics', host, port, 'FELIX_PROMETHEUSMETRICSPORT or prometheusMetricsPort');
}

function healthPlace({ host, port }: ServedAt): Place {
  return tcpPlace('liveness and readiness', host, port, 'FELIX_HEALTHPORT or healthPort');
}

function onOtherSettings(move: (cluster: ClusterState) => void): AgentWitness {
  let felix: ClusterState['felix'] | undefined;
  return {
    onEvent: () => undefined,
    onHeard: () => undefined,
    onRound: () => undefined,
    onCluster: (cluster) => {
      if (cluster.felix === felix) return;
      felix = cluster.felix;
      move(cluster);
    },
  };
}
