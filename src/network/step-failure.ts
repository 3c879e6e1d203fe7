/** The error of a step the kernel refused: what, where, why, and what to do. Pure. */

import { CalicoError, errorText } from '../base/calico-error.ts';
import { formatCidr, formatIpNetwork } from '../base/cidr.ts';
import { formatIpAddress } from '../base/ip-address.ts';
import { formatStep } from './format-plan.ts';
import type { AddAddress, AddRoute, CreatePair, Step, WriteSysctl } from './plan-pod.ts';

/**
 * The first words are those Calico's users know.
 *
 * @param ifIndex of the interface the step is about, where it is known
 */
export function stepFailure(step: CreatePair | Step, cause: unknown, ifIndex = 0): CalicoError {
  const details = `step: ${step.where}# ${formatStep(step)}; ${advice(cause)}`;
  return new CalicoError('network', `${attempt(step, ifIndex)}: ${errorText(cause)}`, { details, cause });
}

function attempt(step: CreatePair | Step, ifIndex: number): string {
  switch (step.do) {
    case 'create-pair':
      return `failed to create the ${step.kind} pair ${step.containerIfName} and ${step.hostIfName}`;
    case 'write-sysctl':
      return sysctlAttempt(step);
    case 'delete-link':
      return `failed to delete old hostVeth ${step.ifName}`;
    case 'rename-link':
      return `failed to rename ${JSON.stringify(step.ifName)} to ${JSON.stringify(step.to)}`;
    case 'set-up':
      return `failed to set ${JSON.stringify(step.ifName)} up`;
    case 'add-address':
      return addressAttempt(step);
    case 'add-neighbour':
      return `failed to add neighbour ${formatIpAddress(step.address)} (${step.mac}) to ${JSON.stringify(step.ifName)}`;
    case 'add-route':
      return routeAttempt(step, ifIndex);
  }
}

function sysctlAttempt(step: WriteSysctl): string {
  const setting = `failed to set ${step.key.replaceAll('/', '.')}=${step.value}`;
  if (step.ifName === undefined) return `error configuring sysctls in the sandbox, error: ${setting}`;
  return `error configuring sysctls for interface: ${step.ifName}, error: ${setting}`;
}

function addressAttempt(step: AddAddress): string {
  return `failed to add IP addr ${formatIpNetwork(step.network)} to ${JSON.stringify(step.ifName)}`;
}

function routeAttempt(step: AddRoute, ifIndex: number): string {
  const destination = formatCidr(step.destination);
  if (step.where === 'host') {
    return `error adding host side routes for interface: ${step.ifName}, error: failed to add route (Ifindex: ${ifIndex}, Dst: ${destination}, Scope: ${step.scope}, Iface: ${step.ifName})`;
  }
  if (step.gateway === undefined) {
    return `failed to add route inside the container: ${destination} dev ${step.ifName} scope ${step.scope}`;
  }
  return `failed to add IPv${step.destination.family} route for ${destination} via ${formatIpAddress(step.gateway)} dev ${step.ifName}`;
}

/** What an operator can do about an error of this kind. */
function advice(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  switch (code) {
    case 'EPERM':
    case 'EACCES':
    case 'EROFS':
      return 'the plugin must run as root with CAP_NET_ADMIN and CAP_SYS_ADMIN, and /proc/sys must be writable';
    case 'EEXIST':
      return 'something else has put this there: remove it, or let the runtime make a new sandbox';
    case 'ENOTSUP':
    case 'EOPNOTSUPP':
    case 'EAFNOSUPPORT':
      return 'the kernel lacks this feature: load the module (veth, ipv6) or leave the address family out';
    case 'ENOENT':
    case 'ENODEV':
      return 'an interface or switch is missing: it was removed meanwhile, or the kernel has this family switched off';
    default:
      return 'retry; if it stays, look at the kernel log';
  }
}
