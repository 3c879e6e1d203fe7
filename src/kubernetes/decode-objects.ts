/** Objects of Kubernetes from the JSON of its API (core/v1): the fields that matter, absent ones filled in. Pure. */

import * as z from 'zod/mini';
import { CalicoError } from '../base/calico-error.ts';
import { decodeValue, maybe } from './decode-value.ts';
import type { ContainerPort, Namespace, Node, Pod } from './objects.ts';

const text = maybe(z.string());
const texts = maybe(z.record(z.string(), z.string()));

const metadata = z.object({
  name: z.string(),
  namespace: text,
  uid: text,
  generateName: text,
  labels: texts,
  annotations: texts,
});

const port = z.object({
  name: text,
  containerPort: maybe(z.int()),
  hostPort: maybe(z.int()),
  hostIP: text,
  protocol: text,
});
const containers = maybe(z.array(z.object({ ports: maybe(z.array(port)) })));

const pod = z.object({
  kind: z.literal('Pod'),
  metadata,
  spec: maybe(z.object({ serviceAccountName: text, containers, initContainers: containers })),
});
const namespace = z.object({ kind: z.literal('Namespace'), metadata });
const node = z.object({
  kind: z.literal('Node'),
  metadata,
  spec: maybe(z.object({ podCIDR: text, podCIDRs: maybe(z.array(z.string())) })),
  status: maybe(z.object({ addresses: maybe(z.array(z.object({ type: text, address: text }))) })),
});

/** Each throws `corrupt` with the path of the field that is wrong, but not its value. `what` is for the message. */
export function decodePod(json: string, what: string): Pod {
  const { metadata, spec } = decodeJson(pod, json, what);
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? '',
    uid: metadata.uid ?? '',
    generateName: metadata.generateName || undefined,
    labels: metadata.labels ?? {},
    annotations: metadata.annotations ?? {},
    serviceAccountName: spec?.serviceAccountName || undefined,
    ports: [...portsOf(spec?.containers), ...portsOf(spec?.initContainers)],
  };
}

export function decodeNamespace(json: string, what: string): Namespace {
  const { name, labels, annotations } = decodeJson(namespace, json, what).metadata;
  return { name, labels: labels ?? {}, annotations: annotations ?? {} };
}

export function decodeNode(json: string, what: string): Node {
  const { metadata, spec, status } = decodeJson(node, json, what);
  const podCidrs = spec?.podCIDRs?.length ? spec.podCIDRs : [spec?.podCIDR ?? ''];
  return {
    name: metadata.name,
    podCidrs: podCidrs.filter((cidr) => cidr !== ''),
    internalIps: (status?.addresses ?? []).flatMap(({ type, address }) =>
      type === 'InternalIP' && address ? [address] : [],
    ),
  };
}

/** The text of the API server's version: `v1.34.2`. */
export function decodeVersion(json: string, what: string): string {
  return decodeJson(version, json, what).gitVersion;
}

const version = z.object({ gitVersion: z.string() });
const status = z.object({ kind: z.literal('Status'), reason: text, message: text });

/** What the API says when it refuses (meta/v1 Status); `undefined` for anything else. */
export function decodeStatus(
  json: string,
): { readonly reason: string; readonly message: string } | undefined {
  try {
    const { reason, message } = decodeJson(status, json, '');
    return { reason: reason ?? '', message: message ?? '' };
  } catch {
    return undefined;
  }
}

function portsOf(list: z.infer<typeof containers>): readonly ContainerPort[] {
  return (list ?? []).flatMap(({ ports }) => ports ?? []).map(containerPort);
}

function containerPort(found: z.infer<typeof port>): ContainerPort {
  return {
    name: found.name ?? '',
    containerPort: found.containerPort ?? 0,
    hostPort: found.hostPort ?? 0,
    hostIp: found.hostIP ?? '',
    protocol: found.protocol ?? '',
  };
}

function decodeJson<Schema extends z.core.$ZodType>(
  schema: Schema,
  json: string,
  what: string,
): z.infer<Schema> {
  return decodeValue(schema, parseJson(json, what), what, 'corrupt');
}

/** JSON.parse quotes what it cannot read, which may be anything. */
function parseJson(json: string, what: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw new CalicoError('corrupt', `${what}: the answer is not JSON: is this a Kubernetes API server?`);
  }
}
