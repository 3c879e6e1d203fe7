/** What can be put right, with the evidence by which to tell later whether it still is wrong. Pure types. */

import type { Cidr } from '../../base/cidr.ts';
import type { Revision } from '../../base/revision.ts';
import type { SeenAllocation } from '../plan-collection.ts';

export type Repair =
  /** An address that nobody has is released, if it is still this very allocation; one without a handle has an empty one. */
  | { readonly record: 'address'; readonly seen: SeenAllocation }
  /** The handle is made to count what it holds, if it is still at its revision. `blocks`: where to look besides. */
  | {
      readonly record: 'handle';
      readonly handleId: string;
      readonly revision: Revision;
      readonly blocks: readonly Cidr[];
    }
  /** The affinity is confirmed where the block is the node's, and removed elsewhere, if it is still at its revision. */
  | {
      readonly record: 'affinity';
      readonly nodeName: string;
      readonly cidr: Cidr;
      readonly revision: Revision;
    }
  /** What the block says of itself is put right; empty, and nobody's or of a node that is gone, it is removed. */
  | { readonly record: 'block'; readonly cidr: Cidr; readonly nodeName: string | undefined };
