/** A resource as somebody wrote it, its envelope understood; its spec is checked by the rules of its kind. Pure. */

import type { JsonObject } from '../../base/json-object.ts';
import type { AppliedKind } from './applied-kinds.ts';

export interface WrittenResource {
  readonly kind: AppliedKind;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** The version that it is meant to replace; `undefined`: whatever there is. */
  readonly resourceVersion: string | undefined;
  readonly spec: JsonObject;
}
