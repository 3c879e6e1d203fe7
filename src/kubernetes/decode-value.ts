/** Checks decoded JSON or YAML against a schema. Pure. */

import * as z from 'zod/mini';
import { CalicoError, type ErrorKind } from '../base/calico-error.ts';

/** A member that may be missing or `null`, which are alike in Kubernetes. */
export function maybe<Schema extends z.core.$ZodType>(schema: Schema) {
  return z.optional(z.nullable(schema));
}

/**
 * The value in the type of the schema. Throws an error of the kind: `what` it is, and the path of the first member that
 * is wrong. The value itself is not shown: it may be a credential.
 */
export function decodeValue<Schema extends z.core.$ZodType>(
  schema: Schema,
  value: unknown,
  what: string,
  kind: ErrorKind,
): z.infer<Schema> {
  // Compiled to code, a schema would be faster from the second value on; there is only one.
  const decoded = z.safeParse(schema, value, { jitless: true });
  if (decoded.success) return decoded.data;
  const [issue] = decoded.error.issues;
  throw new CalicoError(kind, `${what}: ${formatPath(issue?.path ?? [])} must be ${expectedOf(issue)}`);
}

function expectedOf(issue: z.core.$ZodIssue | undefined): string {
  if (issue?.code === 'invalid_value') return issue.values.map((value) => JSON.stringify(value)).join(' or ');
  return (issue?.code === 'invalid_type' && TYPE_NAMES[issue.expected]) || 'something else';
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'an integer',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

/** `spec.containers[0].ports`. */
function formatPath(path: readonly PropertyKey[]): string {
  const parts = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`));
  return parts.join('').replace(/^\./, '') || 'it';
}
