/** What an ADD or a DEL writes besides IPAM's records, under compare-and-swap. Pure types. */

import type { Revision } from '../base/revision.ts';
import type { NetworkProfile } from './profile.ts';
import type { WorkloadEndpoint } from './workload-endpoint.ts';

export type WorkloadChange =
  | {
      readonly record: 'endpoint';
      readonly namespace: string;
      readonly name: string;
      /** The revision it must still have. */
      readonly from: Revision;
      /** The new value; `undefined` deletes it. */
      readonly to: WorkloadEndpoint | undefined;
    }
  /** Written only where none exists. */
  | { readonly record: 'profile'; readonly to: NetworkProfile };
