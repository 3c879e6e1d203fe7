/** The tunnel devices: whether pools need them, and how they must be. Pure. */

import { hostNetwork } from '../../base/cidr.ts';
import type { ClusterPool, ClusterState } from '../cluster.ts';
import type { FelixSettings } from '../felix-settings.ts';
import type { Finding } from '../finding.ts';
import type { HostFacts } from '../host-facts.ts';
import {
  type DeviceWish,
  IPIP_DEVICE,
  type IpipDevice,
  VXLAN_DEVICES,
  type VxlanDevice,
} from './desired-host.ts';
import type { Mtus } from './mtu.ts';
import type { OwnHost } from './own-host.ts';
import { modeOf } from './pools.ts';

export interface DeviceDecision<Device> {
  readonly wish: DeviceWish<Device>;
  /** The device as routes use it; `undefined`: there is none to use. */
  readonly use: { readonly name: string; readonly mtu: number } | undefined;
  readonly findings: readonly Finding[];
}

/** Disabled pools count: their pods are still there. */
export function isEnabled(
  encapsulation: 'vxlan' | 'ipip',
  pools: readonly ClusterPool[],
  settings: FelixSettings,
): boolean {
  const configured = encapsulation === 'vxlan' ? settings.isVxlanEnabled : settings.isIpipEnabled;
  return configured ?? pools.some((pool) => modeOf(pool)?.encapsulation === encapsulation);
}

export function decideVxlan(
  own: OwnHost,
  pools: readonly ClusterPool[],
  settings: FelixSettings,
  facts: HostFacts,
  mtus: Mtus,
): DeviceDecision<VxlanDevice> {
  const name = VXLAN_DEVICES[own.family];
  if (!isEnabled('vxlan', pools, settings)) return { wish: { want: 'absent' }, use: undefined, findings: [] };
  const found = facts.links.find((link) => link.name === name && link.kind === 'vxlan');
  const keep = (...findings: readonly Finding[]) => ({
    wish: { want: 'keep' } as const,
    use: found === undefined ? undefined : { name, mtu: found.mtu },
    findings,
  });
  if (!facts.modules.vxlan && found === undefined) return keep(missingModule('vxlan', name));
  const { node, parent, family } = own;
  if (node?.hostNetwork === undefined)
    return own.address === undefined ? keep() : keep(incomplete(`bgp.ipv${family}Address`, name));
  if (node.vxlanAddress === undefined) return keep(incomplete(`ipv${family}VXLANTunnelAddr`, name));
  if (parent === undefined) return keep();
  const device: VxlanDevice = {
    name,
    vni: settings.vxlanVni,
    port: settings.vxlanPort,
    local: node.hostNetwork.address,
    parent: { name: parent.name, ifIndex: parent.ifIndex },
    mac: node.vxlanMac,
    mtu: mtus.vxlan[family],
    address: hostNetwork(node.vxlanAddress),
    isOffloadBroken: settings.isChecksumOffloadBroken,
  };
  return { wish: { want: 'present', device }, use: device, findings: [] };
}

export function decideIpip(
  cluster: ClusterState,
  pools: readonly ClusterPool[],
  settings: FelixSettings,
  facts: HostFacts,
  mtus: Mtus,
): DeviceDecision<IpipDevice> {
  if (!isEnabled('ipip', pools, settings)) return { wish: { want: 'absent' }, use: undefined, findings: [] };
  const isThere = facts.links.some(({ name }) => name === IPIP_DEVICE);
  if (!facts.modules.ipip && !isThere)
    return { wish: { want: 'keep' }, use: undefined, findings: [missingModule('ipip', IPIP_DEVICE)] };
  const own = cluster.nodes.get(cluster.nodeName)?.ipipAddress;
  const address = own === undefined ? undefined : hostNetwork(own);
  const device: IpipDevice = { name: IPIP_DEVICE, mtu: mtus.ipip, address };
  const findings = own === undefined ? [incomplete('bgp.ipv4IPIPTunnelAddr', IPIP_DEVICE)] : [];
  return { wish: { want: 'present', device }, use: device, findings };
}

function missingModule(module: 'vxlan' | 'ipip', device: string): Finding {
  return {
    kind: 'missing-module',
    severity: 'error',
    subject: module,
    message:
      `the kernel has no module ${module}, so ${device} cannot be made, and pods of pools with ${module} mode are not ` +
      `reached through it. Install it and run modprobe ${module}, or choose another mode for the pools.`,
  };
}

function incomplete(field: string, device: string): Finding {
  return {
    kind: 'own-node-incomplete',
    severity: 'warning',
    subject: field,
    message:
      `the Node of this host has no ${field}, which ${device} needs: the device is left as it is. ` +
      'It is written when the node is registered; look for errors of that.',
  };
}
