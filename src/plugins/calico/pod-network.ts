/** The network an ADD wires, from the configuration, the MTU file and the records written for it. */

import { parseCidr } from '../../base/cidr.ts';
import type { CalicoConf } from '../../config/calico-conf.ts';
import { chooseMtu, readMtuFile } from '../../config/mtu-file.ts';
import type { PodNetwork } from '../../network/pod-network.ts';
import { alternativeHostInterfaceName, hostInterfaceName } from '../../workload/host-interface-name.ts';
import type { Job } from '../job.ts';
import type { HostIfNames } from './claim-links.ts';
import type { AddOutcome } from './decide-add.ts';

const DEFAULT_ROUTES = ['0.0.0.0/0', '::/0'].map(parseCidr);

export function hostIfNames({ ids, world }: Pick<Job, 'ids' | 'world'>): HostIfNames {
  return {
    usual: hostInterfaceName(ids, world.sha1Hex),
    alternative: alternativeHostInterfaceName(ids),
  };
}

/** `undefined` leaves it to the kernel. Throws `config` when the MTU file is needed and missing, or unreadable. */
export function podMtu({ mtu, requireMtuFile }: CalicoConf): number | undefined {
  return chooseMtu({ confMtu: mtu, fileText: readMtuFile(requireMtuFile) });
}

export function podNetwork(
  { conf, call }: Pick<Job, 'conf' | 'call'>,
  mtu: number | undefined,
  outcome: AddOutcome,
): PodNetwork {
  return {
    netnsPath: call.netnsPath,
    deviceType: conf.deviceType,
    containerIfName: call.ifName,
    hostIfName: outcome.links.hostIfName,
    containerMac: outcome.mac,
    mtu,
    queues: conf.queues,
    addresses: outcome.addresses.map(({ address }) => address),
    routes: DEFAULT_ROUTES,
    allowIpForwarding: conf.allowIpForwarding,
    hostRoutes: true,
  };
}
