/** What an audit knows before the first record. Pure types. */

import type { IpPool } from '../records.ts';

export interface AuditScope {
  readonly pools: readonly (IpPool & { readonly key: string })[];
  readonly nodeNames: ReadonlySet<string>;
  /** Wall clock, nanoseconds since the epoch. */
  readonly nowNs: bigint;
  /**
   * An address that is younger than this may lack its endpoint: an ADD of Calico's own plugin, which writes it last, may
   * still be running.
   */
  readonly graceNs: bigint;
}
