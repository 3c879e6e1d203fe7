/** One annotation, and the errors that name it. Pure. */

import { CalicoError, errorText } from '../base/calico-error.ts';
import { describeJson } from '../base/json-object.ts';
import { printable } from '../base/printable.ts';
import type { Namespace, Pod } from './objects.ts';

export interface Annotation {
  readonly key: string;
  readonly value: string;
  /** Whose it is: `pod test/web-1`. */
  readonly holder: string;
}

const PREFIX = 'cni.projectcalico.org/';

/** Calico's annotation of that name, `ipAddrs`, on the pod. One that is empty counts as absent. */
export function podAnnotation(pod: Pod, name: string): Annotation | undefined {
  const key = PREFIX + name;
  const value = pod.annotations[key];
  return value ? { key, value, holder: `pod ${pod.namespace}/${pod.name}` } : undefined;
}

/** The pod's, else its namespace's. */
export function inheritedAnnotation(pod: Pod, namespace: Namespace, name: string): Annotation | undefined {
  const key = PREFIX + name;
  const value = namespace.annotations[key];
  const inherited = value ? { key, value, holder: `namespace ${namespace.name}` } : undefined;
  return podAnnotation(pod, name) ?? inherited;
}

/** A `config` error with these words, the annotation and whose it is; its value is in the details. */
export function annotationError({ key, value, holder }: Annotation, words: string): CalicoError {
  const where = words.includes(key) ? holder : `annotation ${key} of ${holder}`;
  return new CalicoError('config', `${words} (${where})`, {
    details: `the value of ${key} is '${printable(value)}'; correct it and create the pod again`,
  });
}

/** The JSON list of texts that the annotation holds; JSON's `null` is an empty one, as in Go. Throws `config`. */
export function textList(annotation: Annotation): readonly string[] {
  const list = parseJson(annotation) ?? [];
  if (!Array.isArray(list)) throw notAList(annotation, describeJson(list));
  return list.map((item: unknown) => {
    if (typeof item === 'string') return item;
    throw notAList(annotation, `${describeJson(item)} in it`);
  });
}

function parseJson(annotation: Annotation): unknown {
  try {
    return JSON.parse(annotation.value);
  } catch (cause) {
    throw notJson(annotation, printable(errorText(cause)));
  }
}

function notAList(annotation: Annotation, found: string): CalicoError {
  return notJson(annotation, `it must be a list of texts, ["…", "…"]; found ${printable(found)}`);
}

function notJson(annotation: Annotation, why: string): CalicoError {
  return annotationError(annotation, `failed to parse '${printable(annotation.value)}' as JSON: ${why}`);
}
