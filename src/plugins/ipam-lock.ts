/**
 * The node's IPAM lock, which Calico's own plugins take as well. It keeps calls of one node from fighting for one
 * block; compare-and-swap alone keeps them right, so whoever waits in vain goes on without it.
 */

import { checkInterruption, deadlineIn } from '../base/deadline.ts';
import { acquireIpamLock, type IpamLock } from '../network/ipam-lock.ts';
import { LOCK_BUDGET_MS } from './budgets.ts';
import type { Job } from './job.ts';

/** Waits for the lock; the time that takes is not the call's. Throws `unavailable` when the call is interrupted. */
export async function lockIpam({ conf, world, deadline, log, phases }: Job): Promise<Disposable> {
  const locked = phases.start('lock');
  const startMs = world.clock.monotonicMs();
  const wait = deadlineIn(world.clock, LOCK_BUDGET_MS, 'the IPAM lock', deadline.interruption);
  const lock = await acquireIpamLock(conf.ipamLockFile, world.clock, wait);
  locked();
  if (!lock.isHeld) checkInterruption(deadline);
  deadline.postpone(world.clock.monotonicMs() - startMs);
  if (!lock.isHeld) log.warn('going on without the IPAM lock of this node', { reason: lock.reason });
  return { [Symbol.dispose]: () => release(lock) };
}

function release(lock: IpamLock): void {
  if (lock.isHeld) lock.release();
}
