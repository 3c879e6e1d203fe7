/** What this node is in one family: its addresses, and the interface that carries them. Pure. */

import { type Cidr, cidrOf } from '../../base/cidr.ts';
import { formatIpAddress, type IpAddress, type IpFamily } from '../../base/ip-address.ts';
import type { ClusterState, NodeFamily } from '../cluster.ts';
import type { Finding } from '../finding.ts';
import { type HostFacts, type HostLink, parentLink } from '../host-facts.ts';
import { hostAddressOf } from './peers.ts';

export interface OwnHost {
  readonly family: IpFamily;
  /** `undefined`: there is no Node of our name. */
  readonly node: NodeFamily | undefined;
  readonly address: IpAddress | undefined;
  /** The interface that carries the address. */
  readonly parent: HostLink | undefined;
  /** Networks of that interface: who is in them can be asked for by ARP or NDP. */
  readonly onLink: readonly Cidr[];
}

export function ownHost(cluster: ClusterState, facts: HostFacts, family: IpFamily): OwnHost {
  const node = cluster.nodes.get(cluster.nodeName)?.families[family];
  const address = node === undefined ? undefined : hostAddressOf(node);
  const parent = address === undefined ? undefined : parentLink(facts, address);
  const onLink = facts.addresses
    .filter(({ ifIndex, network }) => ifIndex === parent?.ifIndex && network.address.family === family)
    .map(({ network }) => cidrOf(network.address, network.prefixLength));
  return { family, node, address, parent, onLink };
}

/** Why no route can leave this host: not that the Node is missing altogether, which is a reason to read again. */
export function ownHostFindings({ family, node, address, parent }: OwnHost): readonly Finding[] {
  if (node === undefined || parent !== undefined) return [];
  if (address === undefined)
    return [
      {
        kind: 'own-node-incomplete',
        severity: 'warning',
        subject: `bgp.ipv${family}Address`,
        message:
          `the Node of this host has no bgp.ipv${family}Address, so pods of other nodes are not reached by IPv${family}. ` +
          'It is written when the node is registered; look for errors of that.',
      },
    ];
  return [
    {
      kind: 'parent-missing',
      severity: 'error',
      subject: `IPv${family}`,
      message:
        `no interface of this host has ${formatIpAddress(address)}, the IPv${family} address of our Node: no routes ` +
        'are made through it, and tunnel devices stay as they are. Give the address back to its interface, or let the ' +
        'node detect its address again.',
    },
  ];
}
