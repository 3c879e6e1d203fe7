/**
 * Three hosts that real Felix ran on: node1 and node2 on 10.50.0.0/24, node3 behind a router on 10.60.0.0/24, each with
 * one block of 10.77.0.0/16 whose first address is its tunnel address.
 */

import { hostNetwork, parseCidr, tryParseIpNetwork } from '../../../src/base/cidr.ts';
import { parseIpAddress } from '../../../src/base/ip-address.ts';
import { parseMacAddress } from '../../../src/base/mac-address.ts';
import type { RecordChange } from '../../../src/node/apply-changes.ts';
import type { HostFacts, HostLink } from '../../../src/node/host-facts.ts';
import { blockRecord, nodeRecord, poolRecord } from './records.ts';

export const HOSTS = {
  node1: { ip: '10.50.0.11', block: '10.77.180.112/28', tunnel: '10.77.180.112' },
  node2: { ip: '10.50.0.12', block: '10.77.101.80/28', tunnel: '10.77.101.80' },
  node3: { ip: '10.60.0.13', block: '10.77.161.192/28', tunnel: '10.77.161.192' },
} as const;
export type HostName = keyof typeof HOSTS;
export const HOST_NAMES: readonly HostName[] = ['node1', 'node2', 'node3'];

export const NODES: readonly RecordChange[] = HOST_NAMES.map((name) =>
  nodeRecord(name, `${HOSTS[name].ip}/24`, { ipv4VXLANTunnelAddr: HOSTS[name].tunnel }),
);
export const BLOCKS: readonly RecordChange[] = HOST_NAMES.map((name) =>
  blockRecord(HOSTS[name].block, `host:${name}`, { 0: name }),
);

/** The one pool in a VXLAN mode. */
export function vxlanPool(vxlanMode: string, spec: object = {}): RecordChange {
  return poolRecord('vx', '10.77.0.0/16', { vxlanMode, ipipMode: 'Never', natOutgoing: true, ...spec });
}

/** A host with the address on eth0, of 1500 bytes. */
export function factsOf(name: HostName, extras: Partial<HostFacts> = {}): HostFacts {
  return factsWith([`${HOSTS[name].ip}/24`], extras);
}

export function factsWith(networks: readonly string[], extras: Partial<HostFacts> = {}): HostFacts {
  return {
    links: [link('lo', 1), link('eth0', 2)],
    addresses: networks.map((text) => ({
      ifIndex: 2,
      network: tryParseIpNetwork(text) ?? hostNetwork(parseIpAddress(text)),
    })),
    modules: { vxlan: true, ipip: true },
    rpFilter: 0,
    isFelixRunning: false,
    isBirdRunning: false,
    ...extras,
  };
}

export function link(name: string, ifIndex: number, extras: Partial<HostLink> = {}): HostLink {
  const mac = parseMacAddress('02:00:00:00:00:01');
  return { name, ifIndex, mac, mtu: 1500, isUp: true, kind: undefined, ...extras };
}

export const poolCidr = parseCidr('10.77.0.0/16');
