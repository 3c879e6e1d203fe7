/**
 * Looks over all records of a cluster, as they were at one moment, for what must not be. They come one by one, so that a
 * cluster of any size can be read in pages, and in this order: endpoints and handles, which blocks are compared with, then
 * affinities, then blocks. Of each no more is kept than the comparison needs.
 */

import type { Cidr } from '../../base/cidr.ts';
import type { Revision } from '../../base/revision.ts';
import type { AllocationBlock } from '../allocation-block.ts';
import type { BlockAffinity, Handle } from '../records.ts';
import { createAffinityLedger } from './affinity-ledger.ts';
import { auditBlock } from './audit-block.ts';
import { auditPlaces } from './audit-places.ts';
import type { Finding } from './damage.ts';
import { createEndpointLedger, type EndpointUse } from './endpoint-ledger.ts';
import { createHandleLedger } from './handle-ledger.ts';
import type { AuditScope } from './scope.ts';

/** Each call tells one record of the datastore; `key` is where it lies. */
export interface Audit {
  endpoint(key: string, use: EndpointUse): void;
  handle(key: string, handleId: string, handle: Handle, revision: Revision): void;
  affinity(key: string, nodeName: string, cidr: Cidr, affinity: BlockAffinity, revision: Revision): void;
  block(key: string, block: AllocationBlock): void;
  /** What could be said only after the last record. */
  finish(): void;
}

/** `report` is told what is found, as soon as it is. */
export function createAudit(scope: AuditScope, report: (finding: Finding) => void): Audit {
  const endpoints = createEndpointLedger(scope, report);
  const handles = createHandleLedger(report);
  const affinities = createAffinityLedger(scope, report);
  const places: { readonly cidr: Cidr; readonly key: string }[] = [];
  return {
    endpoint: endpoints.add,
    handle: handles.add,
    affinity: affinities.add,
    block: (key, block) => {
      for (const finding of auditBlock(block, key, scope)) report(finding);
      affinities.compare(key, block);
      handles.compare(key, block);
      endpoints.compare(key, block);
      places.push({ cidr: block.cidr, key });
    },
    finish: () => {
      for (const finding of auditPlaces(scope.pools, places)) report(finding);
      affinities.finish();
      handles.finish();
      endpoints.finish();
    },
  };
}
