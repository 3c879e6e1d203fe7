/** What the values of single keys may be. Each check throws `config`, with Calico's words where it has some. Pure. */

import { CalicoError } from '../base/calico-error.ts';
import { shorten } from '../base/json-object.ts';
import type { DataplaneConf } from './calico-conf.ts';

function invalid(what: string): CalicoError {
  return new CalicoError('config', `invalid network configuration: ${what}`);
}

/** The network name, by Calico's own rule; the protocol's is stricter. */
export function checkNetworkName(name = ''): string {
  if (/^[a-zA-Z0-9_.-]+$/.test(name)) return name;
  throw new CalicoError(
    'config',
    'invalid characters detected in the given network name. Only letters a-z, numbers 0-9, and symbols _.- are supported',
    { details: name },
  );
}

/** The least IPv4 needs (RFC 791), and the most a veth takes. */
const MTU_RANGE = { min: 68, max: 65535 };

/** Bytes; 0 stands for none. */
export function checkMtu(value = 0): number | undefined {
  if (value === 0) return undefined;
  if (isMtu(value)) return value;
  throw invalid(`mtu must be 0 (automatic) or ${MTU_RANGE.min} to ${MTU_RANGE.max}, found ${value}`);
}

/** Whether a link can have that MTU. */
export function isMtu(value: number): boolean {
  return value >= MTU_RANGE.min && value <= MTU_RANGE.max;
}

/** The kernel's own limit on the queues of a device. */
const MAX_QUEUES = 4096;

/** A count below 1 stands for 1. */
export function checkQueues(value = 1): number {
  if (value <= MAX_QUEUES) return Math.max(1, value);
  throw invalid(`num_queues must be at most ${MAX_QUEUES}, found ${value}`);
}

/** Kind of the link between host and pod. */
export function checkDeviceType(value = ''): 'veth' | 'netkit' {
  if (value === '') return 'veth';
  if (value === 'veth' || value === 'netkit') return value;
  const shown = JSON.stringify(shorten(value));
  throw new CalicoError('config', `unknown device_type ${shown} in CNI config (supported: "veth", "netkit")`);
}

/** Who makes the link: this program, or a gRPC server that `socket` names. */
export function checkDataplane(options: Readonly<Record<string, unknown>>): DataplaneConf {
  const { type, socket } = options;
  if (type === undefined || type === null) return { type: 'linux' };
  if (type !== 'grpc') {
    const shown = typeof type === 'string' ? type : JSON.stringify(type);
    throw new CalicoError('config', `invalid dataplane type: ${shorten(shown)}`);
  }
  if (typeof socket !== 'string' || socket === '') {
    throw new CalicoError('config', 'GRPC dataplane socket not configured', {
      details: 'dataplane_options.type is "grpc": set dataplane_options.socket as well',
    });
  }
  const texts = Object.entries(options).flatMap(([key, value]) =>
    typeof value === 'string' ? [[key, value] as const] : [],
  );
  return { type, socket, options: Object.fromEntries(texts) };
}

/** `k8s` or none. Calico takes any other word for a profile that nobody creates, and the pod's traffic is dropped. */
export function checkPolicyType(value = ''): 'k8s' | undefined {
  if (value === '') return undefined;
  if (value === 'k8s') return value;
  throw invalid(`policy.type must be "k8s" or absent, found ${JSON.stringify(shorten(value))}`);
}

/** A URL that can be asked. */
export function checkReadinessGate(url: string): string {
  const protocol = URL.parse(url)?.protocol;
  if (protocol === 'http:' || protocol === 'https:') return url;
  throw new CalicoError(
    'config',
    `invalid URL set for ReadinessGates:${shorten(url)} Error:it must be an http or https URL`,
  );
}

/** Seconds; 0 waits for nothing. */
export function checkPolicySetupTimeout(seconds = 0): number {
  if (seconds >= 0) return seconds;
  throw new CalicoError('config', `invalid pod startup delay of ${seconds}`, {
    details: 'policy_setup_timeout_seconds must not be negative',
  });
}

/** Seconds; 0 spares nothing. */
export function checkGcGrace(seconds = 0): number {
  if (seconds >= 0) return seconds;
  throw invalid(`gc_grace_seconds must be 0 or more, found ${seconds}`);
}
