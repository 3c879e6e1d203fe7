/**
 * The parts of a workload endpoint that a pod's settings own ⇄ JSON. Only what is in exactly the form that this
 * program, and Calico, write is taken apart; anything else stays among the uninterpreted fields, so that a value
 * written by others is neither lost nor in the way of a DEL. Pure.
 */

import { formatCidr, tryParseCidr } from '../../base/cidr.ts';
import { formatIpAddress, tryParseIpAddress } from '../../base/ip-address.ts';
import { isJsonObject, type JsonObject } from '../../base/json-object.ts';
import type { EndpointPort, IpNat } from '../../workload/endpoint-settings.ts';
import { QOS_LIMITS, type QosControls } from '../../workload/qos-controls.ts';
import type { WorkloadEndpoint } from '../../workload/workload-endpoint.ts';
import { formatJson } from './json.ts';

type EndpointParts = Pick<WorkloadEndpoint, 'ports' | 'ipNats' | 'allowedSourcePrefixes' | 'qosControls'>;

/** A part that is not there is empty; one of another form is `undefined` and remains in `otherSpec`. */
export function decodeEndpointParts(fields: JsonObject): EndpointParts & Pick<WorkloadEndpoint, 'otherSpec'> {
  const parts = {
    ports: listOf(fields.ports, decodePort, encodePort),
    ipNats: listOf(fields.ipNATs, decodeNat, encodeNat),
    allowedSourcePrefixes: listOf(fields.allowSpoofedSourcePrefixes, decodePrefix, formatCidr),
    qosControls: exactly(fields.qosControls ?? {}, decodeQosControls, encodeQosControls),
  };
  const known = Object.keys(encodeEndpointParts(parts));
  const others = Object.entries(fields).filter(([name]) => !known.includes(name));
  return { ...parts, otherSpec: Object.fromEntries(others) };
}

/** Members of `spec`. Parts that are `undefined` are left to `otherSpec`. */
export function encodeEndpointParts(parts: EndpointParts): JsonObject {
  const { ports, ipNats, allowedSourcePrefixes, qosControls } = parts;
  return {
    ...(ports && { ports: ports.map(encodePort) }),
    ...(ipNats && { ipNATs: ipNats.map(encodeNat) }),
    ...(allowedSourcePrefixes && { allowSpoofedSourcePrefixes: allowedSourcePrefixes.map(formatCidr) }),
    ...(qosControls && { qosControls: encodeQosControls(qosControls) }),
  };
}

function listOf<Part>(
  value: unknown,
  decode: (item: unknown) => Part | undefined,
  encode: (part: Part) => unknown,
): readonly Part[] | undefined {
  const decodeAll = (list: unknown): readonly Part[] | undefined => {
    if (!Array.isArray(list)) return undefined;
    const parts = list.map(decode).filter((part) => part !== undefined);
    return parts.length === list.length ? parts : undefined;
  };
  return exactly(value ?? [], decodeAll, (parts) => parts.map(encode));
}

/** The decoded value if encoding it gives back the very same text. */
function exactly<Part>(
  value: unknown,
  decode: (value: unknown) => Part | undefined,
  encode: (part: Part) => unknown,
): Part | undefined {
  const part = decode(value);
  return part !== undefined && formatJson(encode(part)) === formatJson(value) ? part : undefined;
}

function decodePort(value: unknown): EndpointPort | undefined {
  if (!isJsonObject(value)) return undefined;
  const { name, protocol, port, hostPort, hostIP: hostIp } = value;
  if (protocol !== 'TCP' && protocol !== 'UDP' && protocol !== 'SCTP') return undefined;
  if (typeof name !== 'string' || typeof hostIp !== 'string') return undefined;
  if (typeof port !== 'number' || typeof hostPort !== 'number') return undefined;
  return { name, protocol, port, hostPort, hostIp };
}

function encodePort({ name, protocol, port, hostPort, hostIp }: EndpointPort): JsonObject {
  return { name, protocol, port, hostPort, hostIP: hostIp };
}

function decodeNat(value: unknown): IpNat | undefined {
  if (!isJsonObject(value)) return undefined;
  const [internalIp, externalIp] = [value.internalIP, value.externalIP].map((ip) =>
    typeof ip === 'string' ? tryParseIpAddress(ip) : undefined,
  );
  return internalIp && externalIp && { internalIp, externalIp };
}

function encodeNat({ internalIp, externalIp }: IpNat): JsonObject {
  return { internalIP: formatIpAddress(internalIp), externalIP: formatIpAddress(externalIp) };
}

function decodePrefix(value: unknown) {
  return typeof value === 'string' ? tryParseCidr(value) : undefined;
}

function decodeQosControls(value: unknown): QosControls | undefined {
  if (!isJsonObject(value)) return undefined;
  const { dscp } = value;
  const limits = QOS_LIMITS.flatMap((limit) => {
    const number = value[limit];
    return typeof number === 'number' ? [[limit, number] as const] : [];
  });
  const isDscp = typeof dscp === 'number' || typeof dscp === 'string';
  return { ...Object.fromEntries(limits), ...(isDscp ? { dscp } : {}) };
}

function encodeQosControls(controls: QosControls): JsonObject {
  const names = [...QOS_LIMITS, 'dscp'] as const;
  return Object.fromEntries(
    names.flatMap((name) => (controls[name] === undefined ? [] : [[name, controls[name]]])),
  );
}
