/** The error of a step the kernel refused: what, why, and what to do. Pure. */

import { CalicoError, errorText, isCalicoError } from '../../base/calico-error.ts';
import { formatHostStep } from '../reconcile/format-step.ts';
import type { HostStep } from '../reconcile/host-step.ts';

export interface StepFailure {
  readonly step: HostStep;
  readonly error: CalicoError;
}

export function hostStepFailure(step: HostStep, cause: unknown): StepFailure {
  const message = `failed: ${formatHostStep(step)}: ${errorText(cause)}`;
  return {
    step,
    error: new CalicoError('network', message, { details: advice(step, codeOf(cause)), cause }),
  };
}

/** What kept a round from being made, or a part of it. */
export function roundFailure(cause: unknown): CalicoError {
  if (isCalicoError(cause)) return cause;
  return new CalicoError('network', `failed to look at the kernel: ${errorText(cause)}`, {
    details:
      'it is tried again; the agent must run as root with CAP_NET_ADMIN, in the network namespace of the host',
    cause,
  });
}

/** Whether the error says that what the step wanted is so already. */
export function isDoneAlready(step: HostStep, cause: unknown): boolean {
  const code = codeOf(cause);
  switch (step.do) {
    case 'delete-link':
      return code === 'ENODEV';
    case 'delete-route':
      return code === 'ESRCH' || code === 'ENODEV';
    case 'delete-address':
      return code === 'EADDRNOTAVAIL' || code === 'ENODEV';
    case 'delete-neighbour':
    case 'delete-fdb':
      return code === 'ENOENT' || code === 'ENODEV';
    case 'create-ipip':
      // The kernel makes the device of this name by itself when the module is loaded.
      return code === 'EEXIST';
    default:
      return false;
  }
}

/** What an operator can do about it. EOPNOTSUPP is called ENOTSUP by Node.js. */
function advice(step: HostStep, code: string | undefined): string {
  if (code === 'EPERM' || code === 'EACCES' || code === 'EROFS')
    return 'the agent must run as root with CAP_NET_ADMIN, and /proc/sys must be writable';
  if (step.do === 'create-ipip' && code === 'ENOTSUP')
    return 'the kernel has no IPIP: install and load the module ipip, or give the pools vxlanMode instead of ipipMode';
  if (step.do === 'create-vxlan' && code === 'ENOTSUP')
    return 'the kernel has no VXLAN: install and load the module vxlan, or choose another mode for the pools';
  if (step.do === 'create-vxlan' && code === 'EEXIST')
    return 'another VXLAN device of this host has the same VNI and port: remove it, or set vxlanVNI or vxlanPort in FelixConfiguration on all nodes';
  if (code === 'ENETUNREACH' || code === 'EHOSTUNREACH')
    return 'the kernel has no way to the gateway: the interface may just have gone down';
  return 'it is tried again; if it stays, look at the kernel log';
}

function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}
