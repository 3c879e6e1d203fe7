/** Pods and namespaces for tests, with the least there can be in them. */

import fc from 'fast-check';
import type { Namespace, Pod } from '../../src/kubernetes/objects.ts';

export function pod(changes: Partial<Pod> = {}): Pod {
  return {
    name: 'web-1',
    namespace: 'test',
    uid: '94b3f9b7-eaa2-4c2d-99bc-dc4c9746b5c3',
    generateName: undefined,
    labels: {},
    annotations: {},
    serviceAccountName: undefined,
    ports: [],
    ...changes,
  };
}

/** A pod with Calico's annotations, named without their prefix. */
export function annotatedPod(annotations: Readonly<Record<string, string>>): Pod {
  return pod({ annotations: calicoAnnotations(annotations) });
}

export function namespace(annotations: Readonly<Record<string, string>> = {}): Namespace {
  return { name: 'test', labels: {}, annotations: calicoAnnotations(annotations) };
}

function calicoAnnotations(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const named = Object.entries(annotations).map(([name, value]) => [`cni.projectcalico.org/${name}`, value]);
  return Object.fromEntries(named);
}

/** Texts with the characters that a message must not pass on. */
export const oddTexts = fc.string({
  unit: fc.constantFrom('a', '"', "'", '\\', '[', '\0', '\n', '\u001b', '\u202e', '\u2028', '\ud800', '😀'),
  maxLength: 200,
});
