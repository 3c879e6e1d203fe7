/** Every key that a network configuration can have, taken from the schema that reads it. */

import * as z from 'zod/mini';
import { wireConf } from '../../src/config/wire-conf.ts';

export interface WireKey {
  /** `ipam.ipv4_pools[0]`, as messages name it. */
  readonly shown: string;
  readonly path: readonly (string | number)[];
  readonly type: 'string' | 'integer' | 'boolean' | 'list' | 'object';
}

/** The keys, and those of objects and lists in them. Those of any type are left out. */
export function wireKeys(): readonly WireKey[] {
  return keysOf(wireConf, []).filter(({ path }) => path.length > 0);
}

function keysOf(schema: z.core.$ZodType, path: WireKey['path']): readonly WireKey[] {
  const here = (type: WireKey['type']): WireKey => ({ path, type, shown: show(path) });
  if (schema instanceof z.ZodMiniOptional || schema instanceof z.ZodMiniDefault)
    return keysOf(schema.def.innerType, path);
  if (schema instanceof z.ZodMiniPipe) return keysOf(schema.def.out, path);
  if (schema instanceof z.ZodMiniObject) {
    const members = Object.entries<z.core.$ZodType>(schema.def.shape);
    return [here('object'), ...members.flatMap(([name, member]) => keysOf(member, [...path, name]))];
  }
  if (schema instanceof z.ZodMiniArray) return [here('list'), ...keysOf(schema.def.element, [...path, 0])];
  if (schema instanceof z.ZodMiniRecord) return [here('object')];
  if (schema instanceof z.ZodMiniString) return [here('string')];
  if (schema instanceof z.ZodMiniBoolean) return [here('boolean')];
  return schema instanceof z.ZodMiniNumber ? [here('integer')] : [];
}

function show(path: WireKey['path']): string {
  const parts = path.map((step) => {
    if (typeof step === 'number') return `[${step}]`;
    return step.includes('.') ? `[${JSON.stringify(step)}]` : `.${step}`;
  });
  return parts.join('').replace(/^\./, '');
}

/** A configuration, as far as it is needed to hold the value at the path. */
export function nested(path: WireKey['path'], value: unknown): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return value;
  const inner = nested(rest, value);
  return typeof step === 'number' ? [inner] : { [step]: inner };
}
