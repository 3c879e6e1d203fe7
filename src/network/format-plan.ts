/** A plan as the shell commands that would do the same, for logs, tests and people. Pure. */

import { formatCidr, formatIpNetwork } from '../base/cidr.ts';
import { formatIpAddress } from '../base/ip-address.ts';
import type { AddAddress, AddRoute, CreatePair, PodPlan, Step } from './plan-pod.ts';

/** One line per step, `pod# …` or `host# …` after the namespace it happens in. */
export function formatPlan(plan: PodPlan): readonly string[] {
  return [plan.pair, ...plan.steps].map((step) => `${step.where}# ${formatStep(step)}`);
}

/** One step as an `ip` or `sysctl` command. */
export function formatStep(step: CreatePair | Step): string {
  switch (step.do) {
    case 'create-pair':
      return formatPair(step);
    case 'write-sysctl':
      return `sysctl -w ${step.key}=${step.value}`;
    case 'delete-link':
      return `ip link del ${step.ifName}`;
    case 'rename-link':
      return `ip link set ${step.ifName} name ${step.to}`;
    case 'set-up':
      return `ip link set ${step.ifName} up`;
    case 'add-address':
      return formatAddAddress(step);
    case 'add-neighbour':
      return `ip neigh replace ${formatIpAddress(step.address)} lladdr ${step.mac} dev ${step.ifName} nud permanent`;
    case 'add-route':
      return formatAddRoute(step);
  }
}

const NETKIT = 'mode l2 forward scrub none peer forward scrub none';

function formatPair(step: CreatePair): string {
  const end = (name: string, mac: string) => {
    const mtu = step.mtu === undefined ? '' : ` mtu ${step.mtu}`;
    return `${name} address ${mac}${mtu} numtxqueues ${step.queues} numrxqueues ${step.queues}`;
  };
  const container = end(step.containerIfName, step.containerMac);
  const host = end(step.hostIfName, step.hostMac);
  return step.kind === 'netkit'
    ? `ip link add ${host} type netkit ${NETKIT} name ${container} netns pod`
    : `ip link add ${container} type veth peer name ${host} netns host`;
}

function formatAddAddress(step: AddAddress): string {
  const verb = step.scope === 'link' ? 'replace' : 'add';
  const scope = step.scope === 'link' ? ' scope link' : '';
  const noDad = step.network.address.family === 6 ? ' nodad' : '';
  return `ip addr ${verb} ${formatIpNetwork(step.network)} dev ${step.ifName}${scope}${noDad}`;
}

function formatAddRoute(step: AddRoute): string {
  const isDefault = step.destination.prefixLength === 0;
  const family = step.destination.family === 6 ? ' -6' : '';
  const destination = isDefault ? 'default' : formatCidr(step.destination);
  const via = step.gateway === undefined ? '' : ` via ${formatIpAddress(step.gateway)}`;
  const scope = step.scope === 'link' ? ' scope link' : '';
  return `ip${family} route add ${destination}${via} dev ${step.ifName}${scope}`;
}
