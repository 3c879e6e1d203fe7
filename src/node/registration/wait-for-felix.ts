/** That Felix is gone before anything is done: both would keep one host, each in its own way. */

import type { Clock } from '../../base/deadline.ts';
import type { Interruption } from '../../base/interruption.ts';
import type { Log } from '../../base/log.ts';
import { pause } from '../../base/pause.ts';
import { FELIX_RUNS } from '../desired/hold-back.ts';
import { findOtherAgents } from '../kernel/surroundings.ts';

const LOOK_EVERY_MS = 2_000;

export interface WaitPorts {
  readonly clock: Clock;
  readonly interruption: Interruption;
  readonly log: Log;
  /** Told why, and `undefined` when it is over. */
  readonly onWait?: (reason: string | undefined) => void;
}

/** Says so once, and resolves as soon as Felix does not run in this network namespace, or when it is interrupted. */
export async function waitForFelix(ports: WaitPorts): Promise<void> {
  const { log, interruption, onWait } = ports;
  if (!findOtherAgents().isFelixRunning) return;
  log.error(`agent: ${FELIX_RUNS}`, { until: 'nothing is registered and nothing is changed on this host' });
  onWait?.(FELIX_RUNS);
  do await pause(ports, LOOK_EVERY_MS);
  while (interruption.signal() === undefined && findOtherAgents().isFelixRunning);
  onWait?.(undefined);
  if (interruption.signal() === undefined) log.info('agent: Felix has ended; this host is taken over');
}
