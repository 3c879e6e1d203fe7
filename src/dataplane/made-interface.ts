/** What the gRPC dataplane says it made, in a form that an endpoint can record. Pure. */

import { CalicoError } from '../base/calico-error.ts';
import { type MacAddress, parseMacAddress } from '../base/mac-address.ts';
import type { AddReply } from './dataplane-messages.ts';

export interface MadeInterface {
  /** Not always the name that was proposed. */
  readonly hostIfName: string;
  readonly containerMac: MacAddress;
}

/** Calico's rule for the interface names of endpoints. */
const INTERFACE_NAME = /^[\w.-]{1,15}$/;

/** Throws `network` when the answer lacks the host interface or the MAC address, or has something else there. */
export function madeInterface({
  host_interface_name: hostIfName,
  container_mac: mac,
}: AddReply): MadeInterface {
  if (!INTERFACE_NAME.test(hostIfName)) throw useless('host_interface_name', hostIfName);
  try {
    return { hostIfName, containerMac: parseMacAddress(mac) };
  } catch {
    throw useless('container_mac', mac);
  }
}

function useless(field: string, value: string): CalicoError {
  return new CalicoError(
    'network',
    `grpc dataplane error: its answer has ${field} ${JSON.stringify(value)}`,
    {
      details:
        'The dataplane must answer with the name of the host interface and the MAC address of the pod.',
    },
  );
}
