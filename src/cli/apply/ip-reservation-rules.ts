/** What an IPReservation may say. Pure. */

import type { JsonObject } from '../../base/json-object.ts';
import { CIDR_OR_ADDRESS, fields, listOf } from './field-rules.ts';
import type { Problem } from './problem.ts';

export const IP_RESERVATION_ORDER = ['reservedCIDRs'];

const FIELDS = fields({ reservedCIDRs: listOf(CIDR_OR_ADDRESS) });

export function ipReservationProblems(spec: JsonObject): readonly Problem[] {
  return FIELDS(spec, 'spec');
}
