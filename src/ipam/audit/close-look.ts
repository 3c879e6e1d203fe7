/** Looks closely at what an audit suspects: endpoints and handles first, then blocks, all as they were at its moment. */

import type { Revision } from '../../base/revision.ts';
import type { AllocationBlock } from '../allocation-block.ts';
import type { Handle } from '../records.ts';
import type { Finding } from './damage.ts';
import { createEndpointLedger } from './endpoint-ledger.ts';
import type { EndpointUse } from './endpoint-owner.ts';
import { createHandleLedger } from './handle-ledger.ts';
import type { AuditScope } from './scope.ts';
import type { Suspects } from './sieve.ts';

/** Each call tells one record of the datastore; `key` is where it lies. */
export interface CloseLook {
  endpoint(key: string, use: EndpointUse): void;
  handle(key: string, handleId: string, handle: Handle, revision: Revision): void;
  block(key: string, block: AllocationBlock): void;
  /** What could be said only after the last record. */
  finish(): void;
}

/** `report` is told what is found, as soon as it is. */
export function createCloseLook(
  scope: AuditScope,
  suspects: Suspects,
  report: (finding: Finding) => void,
): CloseLook {
  const endpoints = createEndpointLedger(scope, suspects, report);
  const handles = createHandleLedger(suspects, report);
  return {
    endpoint: endpoints.add,
    handle: handles.add,
    block: (key, block) => {
      handles.compare(key, block);
      endpoints.compare(key, block);
    },
    finish: () => {
      handles.finish();
      endpoints.finish();
    },
  };
}
