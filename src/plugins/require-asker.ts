/** Whether somebody still waits for what a call does. */

import { CalicoError } from '../base/calico-error.ts';
import type { World } from './world.ts';

/**
 * What is done for a runtime or a main plugin that is gone would be nobody's: the DEL of the container may have been
 * before. Throws `unavailable`.
 */
export function requireAsker({ isOrphan }: Pick<World, 'isOrphan'>): void {
  if (!isOrphan()) return;
  throw new CalicoError('unavailable', 'whoever asked for this has ended: nothing is assigned or made');
}
