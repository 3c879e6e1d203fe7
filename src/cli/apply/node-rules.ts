/** What a Node may say. Pure. */

import { isJsonObject, type JsonObject } from '../../base/json-object.ts';
import {
  addressOf,
  CIDR_OR_ADDRESS,
  fields,
  integer,
  interfaceAddressOf,
  listOf,
  MAC,
  oneOf,
  type Rule,
  TEXT,
} from './field-rules.ts';
import { mustBe, type Problem } from './problem.ts';

/** In the order of Go's type. */
export const NODE_ORDER = [
  ...['bgp', 'ipv4VXLANTunnelAddr', 'vxlanTunnelMACAddr', 'ipv6VXLANTunnelAddr', 'vxlanTunnelMACAddrV6'],
  ...['orchRefs', 'wireguard', 'addresses', 'interfaces'],
];

const MAX_AS_NUMBER = 2 ** 32 - 1;

/** A number, or text: 64512, or 1.10 for two halves. */
const AS_NUMBER: Rule = (value, path) => {
  const number = typeof value === 'string' ? parseAsNumber(value) : value;
  return integer(0, MAX_AS_NUMBER)(number, path).length === 0
    ? []
    : mustBe(path, `an AS number from 0 to ${MAX_AS_NUMBER}`, value);
};

function parseAsNumber(text: string): number | undefined {
  const halves = /^(\d{1,5})\.(\d{1,5})$/.exec(text);
  if (halves !== null) return Number(halves[1]) * 65_536 + Number(halves[2]);
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

const FIELDS = fields({
  bgp: fields({
    asNumber: AS_NUMBER,
    ipv4Address: interfaceAddressOf(4),
    ipv6Address: interfaceAddressOf(6),
    ipv4IPIPTunnelAddr: addressOf(4),
    routeReflectorClusterID: addressOf(4),
  }),
  ipv4VXLANTunnelAddr: addressOf(4),
  vxlanTunnelMACAddr: MAC,
  ipv6VXLANTunnelAddr: addressOf(6),
  vxlanTunnelMACAddrV6: MAC,
  orchRefs: listOf(fields({ nodeName: TEXT, orchestrator: TEXT })),
  wireguard: fields({ interfaceIPv4Address: addressOf(4), interfaceIPv6Address: addressOf(6) }),
  addresses: listOf(
    fields({ address: CIDR_OR_ADDRESS, type: oneOf('CalicoNodeIP', 'InternalIP', 'ExternalIP') }),
  ),
  interfaces: listOf(fields({ name: TEXT, addresses: listOf(CIDR_OR_ADDRESS) })),
});

export function nodeProblems(spec: JsonObject): readonly Problem[] {
  const { bgp } = spec;
  const empty =
    isJsonObject(bgp) && Object.keys(bgp).length === 0
      ? [{ path: 'spec.bgp', text: 'Spec.BGP should not be empty: leave it out, or set ipv4Address' }]
      : [];
  return [...FIELDS(spec, 'spec'), ...empty];
}
