/** The kinds that can be applied, each with its rules. Pure. */

import type { JsonObject } from '../../base/json-object.ts';
import { RESOURCE_KINDS, type ResourceKind } from '../resource-kinds.ts';
import { completePool, IP_POOL_ORDER, ipPoolProblems } from './ip-pool-rules.ts';
import { IP_RESERVATION_ORDER, ipReservationProblems } from './ip-reservation-rules.ts';
import { ipamConfigurationProblems } from './ipam-configuration-rules.ts';
import { NODE_ORDER, nodeProblems } from './node-rules.ts';
import type { Problem } from './problem.ts';

export interface AppliedKind extends ResourceKind {
  /** Also of fields that we do not know. */
  readonly problems: (spec: JsonObject) => readonly Problem[];
  /** With what is meant where nothing is said, as calicoctl stores it; of a spec without problems. */
  readonly complete: (spec: JsonObject) => JsonObject;
  /** Names of the spec's fields, in the order of Go's type. */
  readonly order: readonly string[];
}

const asItIs = (spec: JsonObject): JsonObject => spec;

const RULES: readonly Pick<AppliedKind, 'kind' | 'problems' | 'complete' | 'order'>[] = [
  { kind: 'IPPool', problems: ipPoolProblems, complete: completePool, order: IP_POOL_ORDER },
  { kind: 'Node', problems: nodeProblems, complete: asItIs, order: NODE_ORDER },
  { kind: 'IPReservation', problems: ipReservationProblems, complete: asItIs, order: IP_RESERVATION_ORDER },
  { kind: 'IPAMConfiguration', problems: ipamConfigurationProblems, complete: asItIs, order: [] },
];

export const APPLIED_KINDS: readonly AppliedKind[] = RULES.flatMap((rules) =>
  RESOURCE_KINDS.filter(({ kind }) => kind === rules.kind).map((kind) => ({ ...kind, ...rules })),
);
