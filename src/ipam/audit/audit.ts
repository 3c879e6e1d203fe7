/**
 * Looks over all records of a cluster, as they were at one moment, for what must not be. They come one by one, so that a
 * cluster of any size can be read in pages, and in this order: endpoints, handles, affinities, blocks. Whatever two records
 * say of each other is only sifted here; what stays in the sieve is looked at in a second reading, see {@link createCloseLook}.
 */

import type { Cidr } from '../../base/cidr.ts';
import type { Revision } from '../../base/revision.ts';
import type { AllocationBlock } from '../allocation-block.ts';
import type { BlockAffinity, Handle } from '../records.ts';
import { createAffinityLedger } from './affinity-ledger.ts';
import { auditBlock } from './audit-block.ts';
import { auditPlaces } from './audit-places.ts';
import type { Finding } from './damage.ts';
import type { EndpointUse } from './endpoint-owner.ts';
import type { AuditScope } from './scope.ts';
import { createSieve, type Suspects } from './sieve.ts';

/** Each call tells one record of the datastore; `key` is where it lies. */
export interface Audit {
  endpoint(use: EndpointUse): void;
  handle(handleId: string, handle: Handle): void;
  affinity(key: string, nodeName: string, cidr: Cidr, affinity: BlockAffinity, revision: Revision): void;
  block(key: string, block: AllocationBlock): void;
  /** What could be said only after the last record; and what must be looked at closely. */
  finish(): Suspects;
}

/** `report` is told what is found, as soon as it is. */
export function createAudit(scope: AuditScope, report: (finding: Finding) => void): Audit {
  const sieve = createSieve(scope);
  const affinities = createAffinityLedger(scope, report);
  const places: { readonly cidr: Cidr; readonly key: string }[] = [];
  return {
    endpoint: sieve.endpoint,
    handle: sieve.handle,
    affinity: affinities.add,
    block: (key, block) => {
      for (const finding of auditBlock(block, key, scope)) report(finding);
      affinities.compare(key, block);
      sieve.block(block);
      places.push({ cidr: block.cidr, key });
    },
    finish: () => {
      for (const finding of auditPlaces(scope.pools, places)) report(finding);
      affinities.finish();
      return sieve.suspects();
    },
  };
}
