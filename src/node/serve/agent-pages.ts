/** What the agent says of itself, by path. */

import type { Clock } from '../../base/deadline.ts';
import { formatHealth, type Health, liveness, readiness } from '../health/health.ts';
import type { AgentFacts } from '../journal.ts';
import { agentGauges } from '../metrics/agent-gauges.ts';
import { formatMetrics, METRICS_TYPE } from '../metrics/format-metrics.ts';
import type { MetricSource } from '../metrics/metric-family.ts';
import { type AgentStatus, agentStatus } from '../status/agent-status.ts';
import { type Page, type Pages, textPage } from './pages.ts';

export const STATUS_PATH = '/status';

export interface AgentPagesOptions {
  readonly facts: () => AgentFacts;
  readonly version: string;
  readonly clock: Pick<Clock, 'monotonicMs' | 'nowNs'>;
  readonly metrics: MetricSource;
  readonly status: () => AgentStatus['more'];
}

export function agentPages(
  options: AgentPagesOptions,
): Readonly<Record<'metrics' | 'health' | 'status', Pages>> {
  return {
    metrics: { '/metrics': () => metricsPage(options) },
    health: {
      '/liveness': () => healthPage(options, 'live', liveness),
      '/readiness': () => healthPage(options, 'ready', readiness),
    },
    status: { [STATUS_PATH]: () => statusPage(options) },
  };
}

function metricsPage({ facts, version, clock, metrics }: AgentPagesOptions): Page {
  const now = { monotonicMs: clock.monotonicMs(), seconds: Number(clock.nowNs()) / 1e9 };
  const families = [...agentGauges(facts(), version, now), ...metrics()];
  return { status: 200, type: METRICS_TYPE, body: formatMetrics(families) };
}

function healthPage(
  { facts, clock }: AgentPagesOptions,
  word: string,
  healthOf: (facts: AgentFacts, nowMs: number) => Health,
): Page {
  const health = healthOf(facts(), clock.monotonicMs());
  return textPage(health.isWell ? 200 : 503, formatHealth(health, word));
}

function statusPage({ facts, version, clock, status }: AgentPagesOptions): Page {
  const moment = { monotonicMs: clock.monotonicMs(), nowNs: clock.nowNs() };
  const body = JSON.stringify(agentStatus(facts(), version, moment, status()));
  return { status: 200, type: 'application/json', body: `${body}\n` };
}
