/** That this process may do what an agent does: who may not is told so before anything is begun. */

import { readFileSync } from 'node:fs';
import { CalicoError } from '../../base/calico-error.ts';

const CAP_NET_ADMIN = 12n;
const STATUS_FILE = '/proc/thread-self/status';

/** Throws `denied` without CAP_NET_ADMIN. */
export function requireRights(): void {
  const status = readFileSync(STATUS_FILE, 'utf8');
  if (mayAdministerNetwork(status)) return;
  throw new CalicoError(
    'denied',
    'the agent may not change the network of this host: it lacks CAP_NET_ADMIN',
    {
      details:
        'run it as root; as a service with CapabilityBoundingSet=CAP_NET_ADMIN, in a container with the capability NET_ADMIN',
    },
  );
}

/** From the status of a process as /proc has it. */
export function mayAdministerNetwork(status: string): boolean {
  const [, effective = '0'] = /^CapEff:\s*([0-9a-f]+)$/m.exec(status) ?? [];
  return ((BigInt(`0x${effective}`) >> CAP_NET_ADMIN) & 1n) === 1n;
}
