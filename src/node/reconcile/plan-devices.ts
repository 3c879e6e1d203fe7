/** Brings tunnel devices to what they shall be, in place where the kernel allows it. Pure. */

import { containsAddress, type IpNetwork } from '../../base/cidr.ts';
import { sameAddress } from '../../base/ip-address.ts';
import { FAMILIES } from '../cluster.ts';
import {
  type DesiredHost,
  type DeviceWish,
  IPIP_DEVICE,
  type IpipDevice,
  VXLAN_DEVICES,
  type VxlanDevice,
} from '../desired/desired-host.ts';
import type { HostStep } from './host-step.ts';
import type { ObservedAddress, ObservedHost, ObservedLink } from './observed-host.ts';

export interface DevicePlan {
  readonly name: string;
  readonly isVxlan: boolean;
  /** Whether routes and entries may lead there after `first`. */
  readonly isUsable: boolean;
  /** Before anything that uses the device. */
  readonly first: readonly HostStep[];
  /** When nothing uses any more what they take away. */
  readonly last: readonly HostStep[];
  /** What is not there any more after `first`, although it was observed. */
  readonly loses: { readonly neighbours: boolean; readonly fdb: boolean; readonly routes: boolean };
  /** Whether `last` deletes the device, and all that leads there with it. */
  readonly isDeleted: boolean;
  /** Whether an interface of that name is in the way which is not ours. */
  readonly isForeign: boolean;
}

const LOSES_NOTHING = { neighbours: false, fdb: false, routes: false };
const LOSES_ALL = { neighbours: true, fdb: true, routes: true };

export function planDevices(desired: DesiredHost, observed: ObservedHost): readonly DevicePlan[] {
  return [
    ...FAMILIES.map((family) => planVxlan(VXLAN_DEVICES[family], desired.vxlan[family], observed)),
    planIpip(desired, observed),
  ];
}

function planVxlan(name: string, wish: DeviceWish<VxlanDevice>, observed: ObservedHost): DevicePlan {
  const found = observed.links.find((link) => link.name === name);
  if (found !== undefined && found.kind !== 'vxlan')
    return unusable(name, { isForeign: wish.want !== 'absent' });
  switch (wish.want) {
    case 'absent':
      return found === undefined
        ? unusable(name)
        : unusable(name, { last: [deleteLink(found)], isDeleted: true });
    case 'keep':
      return { ...unusable(name), isUsable: found?.isUp === true };
    case 'present':
      return presentVxlan(wish.device, found, observed);
  }
}

function presentVxlan(
  device: VxlanDevice,
  found: ObservedLink | undefined,
  observed: ObservedHost,
): DevicePlan {
  const { name, address } = device;
  if (found === undefined || !isMadeAs(device, found))
    return {
      ...unusable(name),
      isUsable: true,
      first: [
        ...(found === undefined ? [] : [deleteLink(found)]),
        { do: 'create-vxlan', device },
        ...(device.isOffloadBroken ? [{ do: 'stop-offload', device: name } as const] : []),
        { do: 'add-address', device: name, network: address },
        { do: 'set-up', device: name },
      ],
      loses: LOSES_ALL,
    };
  const hasOtherMac = found.mac !== device.mac;
  return {
    ...unusable(name),
    isUsable: true,
    first: [
      ...(device.isOffloadBroken && found.offloadsChecksums === true
        ? [{ do: 'stop-offload', device: name } as const]
        : []),
      ...(hasOtherMac ? [{ do: 'set-mac', device: name, mac: device.mac } as const] : []),
      ...adjust(found, device.mtu, address, observed),
    ],
    last: addressesToDelete(name, observed, (network) => !sameNetwork(network, address)),
    // The kernel drops neighbours when the MAC changes, and those and the routes when a device goes down.
    loses: { neighbours: hasOtherMac || !found.isUp, fdb: false, routes: !found.isUp },
  };
}

/** What can be changed while traffic flows. A new address comes before the old one goes: with its last one go all routes. */
function adjust(
  found: ObservedLink,
  mtu: number,
  address: IpNetwork | undefined,
  observed: ObservedHost,
): readonly HostStep[] {
  const { name: device } = found;
  const hasAddress = observed.addresses.some(
    (other) => other.device === device && address !== undefined && sameNetwork(other.network, address),
  );
  return [
    ...(found.mtu === mtu ? [] : [{ do: 'set-mtu', device, mtu } as const]),
    ...(address === undefined || hasAddress
      ? []
      : [{ do: 'add-address', device, network: address } as const]),
    ...(found.isUp ? [] : [{ do: 'set-up', device } as const]),
  ];
}

/** Whether what cannot be changed is as it shall be. */
function isMadeAs(device: VxlanDevice, { vxlan }: ObservedLink): boolean {
  return (
    vxlan !== undefined &&
    vxlan.vni === device.vni &&
    vxlan.port === device.port &&
    vxlan.local !== undefined &&
    sameAddress(vxlan.local, device.local) &&
    vxlan.parentIfIndex === device.parent.ifIndex &&
    !vxlan.isLearning &&
    !vxlan.hasForeignFlags
  );
}

/** Others may use the device too, so of addresses only those of our pools are taken away, and the device never. */
function planIpip({ ipip, poolCidrs }: DesiredHost, observed: ObservedHost): DevicePlan {
  const found = observed.links.find(({ name }) => name === IPIP_DEVICE);
  if (found !== undefined && found.kind !== 'ipip')
    return unusable(IPIP_DEVICE, { isForeign: ipip.want !== 'absent' });
  const isOfPool = ({ address }: IpNetwork) => poolCidrs.some((cidr) => containsAddress(cidr, address));
  switch (ipip.want) {
    case 'absent':
      return unusable(IPIP_DEVICE, { last: addressesToDelete(IPIP_DEVICE, observed, isOfPool) });
    case 'keep':
      return { ...unusable(IPIP_DEVICE), isUsable: found?.isUp === true };
    case 'present':
      return presentIpip(ipip.device, found, observed, isOfPool);
  }
}

function presentIpip(
  device: IpipDevice,
  found: ObservedLink | undefined,
  observed: ObservedHost,
  isOfPool: (network: IpNetwork) => boolean,
): DevicePlan {
  const { name, mtu, address } = device;
  const plan = { ...unusable(name), isUsable: true };
  if (found === undefined) {
    const steps: readonly HostStep[] = [
      { do: 'create-ipip', device: name },
      { do: 'set-mtu', device: name, mtu },
      ...(address === undefined ? [] : [{ do: 'add-address', device: name, network: address } as const]),
      { do: 'set-up', device: name },
    ];
    return { ...plan, first: steps, loses: LOSES_ALL };
  }
  const isOld = (network: IpNetwork) =>
    address !== undefined && !sameNetwork(network, address) && isOfPool(network);
  return {
    ...plan,
    first: adjust(found, mtu, address, observed),
    last: addressesToDelete(name, observed, isOld),
    loses: { neighbours: false, fdb: false, routes: !found.isUp },
  };
}

function unusable(name: string, extras: Partial<DevicePlan> = {}): DevicePlan {
  return {
    name,
    isVxlan: name !== IPIP_DEVICE,
    isUsable: false,
    first: [],
    last: [],
    loses: LOSES_NOTHING,
    isDeleted: false,
    isForeign: false,
    ...extras,
  };
}

function deleteLink({ name, ifIndex }: ObservedLink): HostStep {
  return { do: 'delete-link', device: name, ifIndex };
}

/** Link-local ones are the kernel's. */
function addressesToDelete(
  device: string,
  { addresses }: ObservedHost,
  isUnwanted: (network: IpNetwork) => boolean,
): readonly HostStep[] {
  const isOurs = (address: ObservedAddress) => address.device === device && address.scope === 'global';
  return addresses
    .filter((address) => isOurs(address) && isUnwanted(address.network))
    .map(({ network }) => ({ do: 'delete-address', device, network }));
}

function sameNetwork(a: IpNetwork, b: IpNetwork): boolean {
  return a.prefixLength === b.prefixLength && sameAddress(a.address, b.address);
}
