/**
 * What of a pod's packets gets the address of the host, as a table of nftables:
 *
 *     table ip calico-node {
 *       set masqueraded { type ipv4_addr; flags interval; elements = { 10.77.0.0/16 } }
 *       set excluded    { type ipv4_addr; flags interval; elements = { 10.77.0.0/16, 10.78.0.0/16 } }
 *       chain postrouting {
 *         type nat hook postrouting priority srcnat; policy accept;
 *         ip saddr @masqueraded ip daddr != @excluded masquerade fully-random
 *         oifname "vxlan.calico" fib saddr . oif type != local fib saddr type local meta l4proto udp masquerade to :4790-65535 fully-random
 *         oifname "vxlan.calico" fib saddr . oif type != local fib saddr type local masquerade fully-random
 *       }
 *     }
 *
 * Pure.
 */

import { addressCount, type Cidr } from '../../base/cidr.ts';
import { addressBits, type IpFamily } from '../../base/ip-address.ts';
import {
  addressIn,
  type Expressions,
  masquerade,
  outInterface,
  type Ports,
  sourceNat,
  sourceOfOtherInterface,
  transport,
} from '../../network/netlink/nftables/expression.ts';
import type { AddressRange, FilterTable } from '../../network/netlink/nftables/table.ts';
import type { HostNat } from '../desired/desired-host.ts';

/** Nobody else writes into the table of this name. */
export const NAT_TABLE = 'calico-node';

const MASQUERADED = 'masqueraded';
const EXCLUDED = 'excluded';
const HOOK_POSTROUTING = 4;
/** Where everybody changes sources: `srcnat`. */
const PRIORITY_SOURCE_NAT = 100;

/** `undefined`: no packet is changed, so no table is needed. */
export function natTable(nat: HostNat): FilterTable | undefined {
  const { family, masqueraded, excluded } = nat;
  const rules = [...(masqueraded.length > 0 ? outgoingRules(nat) : []), ...tunnelRules(nat)];
  if (rules.length === 0) return undefined;
  return {
    family,
    name: NAT_TABLE,
    sets: [
      { name: MASQUERADED, ranges: ranges(family, masqueraded) },
      { name: EXCLUDED, ranges: ranges(family, excluded) },
    ],
    chains: [
      {
        ...{ name: 'postrouting', type: 'nat', hook: HOOK_POSTROUTING, priority: PRIORITY_SOURCE_NAT },
        rules,
      },
    ],
  };
}

/** Once for every interface name that is allowed; where ports are limited, first for the protocols that have any. */
function outgoingRules({ family, outInterfaces, ports, address }: HostNat): readonly Expressions[] {
  const change = (range: Ports | undefined) =>
    address === undefined ? masquerade(range) : sourceNat(address, range);
  const packets = [
    ...addressIn(family, 'source', 'inside', MASQUERADED),
    ...addressIn(family, 'destination', 'outside', EXCLUDED),
  ];
  const changes =
    ports === undefined
      ? [change(undefined)]
      : [[...transport('tcp'), ...change(ports)], [...transport('udp'), ...change(ports)], change(undefined)];
  const where = outInterfaces.length === 0 ? [[]] : outInterfaces.map(outInterface);
  return where.flatMap((out) => changes.map((how) => [...out, ...packets, ...how]));
}

/** The host's own packets have the address of the interface they were first meant to leave through. */
function tunnelRules({ tunnels }: HostNat): readonly Expressions[] {
  return tunnels.flatMap(({ device, udpPorts }) => {
    const packets = [...outInterface(device), ...sourceOfOtherInterface()];
    const udp = udpPorts === undefined ? [] : [[...packets, ...transport('udp'), ...masquerade(udpPorts)]];
    return [...udp, [...packets, ...masquerade(undefined)]];
  });
}

/** In order; CIDRs that overlap or touch become one range. */
function ranges(family: IpFamily, cidrs: readonly Cidr[]): readonly AddressRange[] {
  const joined: { first: bigint; end: bigint }[] = [];
  for (const cidr of cidrs.toSorted((a, b) => (a.base < b.base ? -1 : 1))) {
    const last = joined.at(-1);
    const end = cidr.base + addressCount(cidr);
    if (last === undefined || cidr.base > last.end) joined.push({ first: cidr.base, end });
    else if (end > last.end) last.end = end;
  }
  const afterAll = 1n << BigInt(addressBits(family));
  return joined.map(({ first, end }) => ({ first, end: end === afterAll ? undefined : end }));
}
