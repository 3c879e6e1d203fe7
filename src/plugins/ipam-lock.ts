/**
 * The node's IPAM lock, which Calico's own plugins take as well. It keeps calls of one node from fighting for one
 * block; compare-and-swap alone keeps them right, so whoever waits in vain goes on without it.
 */

import { acquireIpamLock, type IpamLock } from '../network/ipam-lock.ts';
import { LOCK_BUDGET_MS } from './budgets.ts';
import type { Job } from './job.ts';

/** Waits for the lock; the time that takes is not the call's. */
export async function lockIpam({ conf, world, deadline, log, phases }: Job): Promise<Disposable> {
  const locked = phases.start('lock');
  const startMs = world.clock.monotonicMs();
  const lock = await acquireIpamLock(conf.ipamLockFile, world.clock, LOCK_BUDGET_MS);
  locked();
  deadline.postpone(world.clock.monotonicMs() - startMs);
  if (!lock.isHeld) log.warn('going on without the IPAM lock of this node', { reason: lock.reason });
  return { [Symbol.dispose]: () => release(lock) };
}

function release(lock: IpamLock): void {
  if (lock.isHeld) lock.release();
}
