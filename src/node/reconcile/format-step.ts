/** A step as the shell command that would do the same, for logs, tests and people. Pure. */

import { formatCidr, formatIpNetwork } from '../../base/cidr.ts';
import { formatIpAddress } from '../../base/ip-address.ts';
import type { VxlanDevice } from '../desired/desired-host.ts';
import type { HostRoute } from '../host-route.ts';
import type { ChangeFdb, ChangeNeighbour, HostStep } from './host-step.ts';

export function formatHostStep(step: HostStep): string {
  switch (step.do) {
    case 'create-vxlan':
      return formatVxlan(step.device);
    case 'create-ipip':
      return 'modprobe ipip';
    case 'delete-link':
      return `ip link del ${step.device}`;
    case 'set-mac':
      return `ip link set ${step.device} address ${step.mac}`;
    case 'set-mtu':
      return `ip link set ${step.device} mtu ${step.mtu}`;
    case 'set-up':
      return `ip link set ${step.device} up`;
    case 'stop-offload':
      return `ethtool -K ${step.device} tx off`;
    case 'add-address':
      return `ip addr add ${formatIpNetwork(step.network)} dev ${step.device}`;
    case 'delete-address':
      return `ip addr del ${formatIpNetwork(step.network)} dev ${step.device}`;
    case 'replace-neighbour':
    case 'delete-neighbour':
      return formatNeighbour(step);
    case 'replace-fdb':
    case 'delete-fdb':
      return formatFdb(step);
    case 'replace-route':
      return `ip${family(step.route)} route replace ${formatHostRoute(step.route)}`;
    case 'delete-route':
      return `ip${family(step.route)} route del ${formatHostRoute(step.route)}`;
    case 'write-sysctl':
      return `sysctl -w ${step.sysctl.key}=${step.sysctl.value}`;
  }
}

/** As `ip route` prints and takes it, without the table where it is the main one. */
export function formatHostRoute(route: HostRoute): string {
  return [
    route.type === 'unicast' ? '' : route.type,
    formatCidr(route.destination),
    route.gateway === undefined ? '' : `via ${formatIpAddress(route.gateway)}`,
    route.device === undefined ? '' : `dev ${route.device}`,
    `proto ${route.protocol}`,
    route.scope === 'link' ? 'scope link' : '',
    route.source === undefined ? '' : `src ${formatIpAddress(route.source)}`,
    route.metric === 0 ? '' : `metric ${route.metric}`,
    route.isOnLink ? 'onlink' : '',
    route.mtu === undefined ? '' : `mtu ${route.mtu}`,
  ]
    .filter(Boolean)
    .join(' ');
}

function family({ destination }: HostRoute): string {
  return destination.family === 6 ? ' -6' : '';
}

function formatVxlan(device: VxlanDevice): string {
  const { name, mac, mtu, vni, local, parent, port } = device;
  return (
    `ip link add ${name} address ${mac} mtu ${mtu} type vxlan id ${vni} local ${formatIpAddress(local)} ` +
    `dev ${parent.name} dstport ${port} nolearning`
  );
}

function formatNeighbour({ do: verb, neighbour: { device, address, mac } }: ChangeNeighbour): string {
  return verb === 'replace-neighbour'
    ? `ip neigh replace ${formatIpAddress(address)} lladdr ${mac} dev ${device} nud permanent`
    : `ip neigh del ${formatIpAddress(address)} dev ${device}`;
}

function formatFdb({ do: verb, entry: { device, mac, remote } }: ChangeFdb): string {
  const what = verb === 'replace-fdb' ? 'replace' : 'del';
  return `bridge fdb ${what} ${mac} dev ${device} dst ${formatIpAddress(remote)} self${what === 'replace' ? ' permanent' : ''}`;
}
