/** Strict affinity: a node takes addresses only from blocks that are its own. Pure. */

import { CalicoError } from '../../base/calico-error.ts';
import { formatCidr } from '../../base/cidr.ts';
import type { AllocationBlock } from '../allocation-block.ts';

/** Throws `no-address` unless the block has the required affinity; `undefined` requires nothing. */
export function checkAffinity(block: AllocationBlock, required: string | undefined): void {
  if (required === undefined || block.affinity === required) return;
  const cidr = formatCidr(block.cidr);
  const advice = `strict affinity is on, so ${required} can use only its own blocks: choose an address of one of them, or turn strictAffinity off`;
  if (block.affinity === undefined) {
    throw new CalicoError('no-address', `Attempt to assign from block ${cidr} with no affinity`, {
      details: advice,
    });
  }
  throw new CalicoError('no-address', 'Block host affinity does not match', {
    details: `block ${cidr} belongs to ${block.affinity}; ${advice}`,
  });
}
