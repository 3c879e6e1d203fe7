/** A document → a resource that may be applied, or all that is wrong with it. Pure. */

import { describeJson, isJsonObject, type JsonObject } from '../../base/json-object.ts';
import { API_VERSION } from '../resource-kinds.ts';
import { APPLIED_KINDS, type AppliedKind } from './applied-kinds.ts';
import { mustBe, type Problem } from './problem.ts';
import type { WrittenDocument } from './read-documents.ts';
import type { WrittenResource } from './written-resource.ts';

export interface CheckedDocument {
  /** `undefined`: not even its envelope could be understood. */
  readonly resource: WrittenResource | undefined;
  readonly problems: readonly Problem[];
}

export function checkDocument({ object }: WrittenDocument): CheckedDocument {
  const found = kindOf(object);
  if (!('kind' in found)) return { resource: undefined, problems: [found] };
  const { metadata = {}, spec = {} } = object;
  if (!isJsonObject(metadata))
    return { resource: undefined, problems: mustBe('metadata', 'an object', metadata) };
  const { name } = metadata;
  const problems = [...metadataProblems(metadata, found), ...specProblems(spec, found)];
  if (typeof name !== 'string' || !isJsonObject(spec)) return { resource: undefined, problems };
  const resource = {
    kind: found,
    name,
    labels: textMap(metadata.labels),
    annotations: textMap(metadata.annotations),
    resourceVersion: metadata.resourceVersion ? String(metadata.resourceVersion) : undefined,
    spec,
  };
  return { resource, problems };
}

/** Names that older versions and other tools have for the same. */
const ALIASES: Readonly<Record<string, string>> = { IPAMConfig: 'IPAMConfiguration' };

function kindOf({ kind, apiVersion }: JsonObject): AppliedKind | Problem {
  if (typeof kind !== 'string')
    return { path: 'kind', text: `must be ${kindNames()}, found ${describeJson(kind)}` };
  const found = APPLIED_KINDS.find((one) => one.kind === (ALIASES[kind] ?? kind));
  if (apiVersion !== API_VERSION) {
    return { path: 'apiVersion', text: `must be ${API_VERSION}, found ${describeJson(apiVersion)}` };
  }
  return found ?? { path: 'kind', text: `${kind} is not one of ${kindNames()}: use calicoctl for it` };
}

function kindNames(): string {
  return APPLIED_KINDS.map(({ kind }) => kind).join(', ');
}

function specProblems(spec: unknown, kind: AppliedKind): readonly Problem[] {
  return isJsonObject(spec) ? kind.problems(spec) : mustBe('spec', 'an object', spec);
}

const MAX_NAME = 253;
const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

function metadataProblems(
  { name, namespace, labels, annotations }: JsonObject,
  kind: AppliedKind,
): readonly Problem[] {
  return [
    ...nameProblems(name, kind),
    ...(namespace
      ? [
          {
            path: 'metadata.namespace',
            text: `namespace should not be specified for a non-namespaced resource. ${kind.kind} is not a namespaced resource`,
          },
        ]
      : []),
    ...textMapProblems(labels, 'metadata.labels'),
    ...textMapProblems(annotations, 'metadata.annotations'),
    ...labelProblems(labels),
  ];
}

function nameProblems(name: unknown, { kind }: AppliedKind): readonly Problem[] {
  const path = 'metadata.name';
  if (typeof name !== 'string' || name === '') return mustBe(path, 'a name', name);
  if (name.length > MAX_NAME) return [{ path, text: `name is too long by ${name.length - MAX_NAME} bytes` }];
  if (!NAME.test(name)) {
    const text = `name must consist of lower case alphanumeric characters, '-' or '.', and begin and end with one that is alphanumeric, found ${describeJson(name)}`;
    return [{ path, text }];
  }
  if (kind === 'IPAMConfiguration' && name !== 'default')
    return mustBe(path, 'default: there is only one', name);
  return [];
}

function textMapProblems(map: unknown, path: string): readonly Problem[] {
  if (map === undefined || map === null) return [];
  if (!isJsonObject(map)) return mustBe(path, 'a map of strings', map);
  return Object.entries(map).flatMap(([name, value]) =>
    typeof value === 'string' ? [] : mustBe(`${path}.${name}`, 'a string: put it in quotes', value),
  );
}

const LABEL_NAME = /^(?:[a-z0-9.-]{1,253}\/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

/** The rules of Kubernetes. */
function labelProblems(labels: unknown): readonly Problem[] {
  return Object.entries(textMap(labels)).flatMap(([name, value]) => [
    ...(LABEL_NAME.test(name)
      ? []
      : [{ path: 'metadata.labels', text: `${describeJson(name)} is not a name for a label` }]),
    ...(LABEL_VALUE.test(value)
      ? []
      : mustBe(`metadata.labels.${name}`, 'at most 63 letters, digits, "-", "_" and "."', value)),
  ]);
}

function textMap(map: unknown): Readonly<Record<string, string>> {
  if (!isJsonObject(map)) return {};
  return Object.fromEntries(
    Object.entries(map).flatMap(([name, value]) => (typeof value === 'string' ? [[name, value]] : [])),
  );
}
