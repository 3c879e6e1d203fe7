/** The network an ADD wires, from the configuration, the MTU file and the records written for it. */

import type { CalicoConf } from '../../config/calico-conf.ts';
import { interfacePrefix } from '../../config/environment-defaults.ts';
import { DEFAULT_ROUTES, podRoutes } from '../../config/host-local-routes.ts';
import { chooseMtu, readMtuFile } from '../../config/mtu-file.ts';
import type { PodNetwork } from '../../network/pod-network.ts';
import { alternativeHostInterfaceName, hostInterfaceName } from '../../workload/host-interface-name.ts';
import type { Job } from '../job.ts';
import type { HostIfNames } from './claim-links.ts';
import type { AddOutcome } from './decide-add.ts';

export function hostIfNames({ ids, world }: Pick<Job, 'ids' | 'world'>): HostIfNames {
  return {
    usual: hostInterfaceName(ids, world.sha1Hex, interfacePrefix(world.env)),
    alternative: alternativeHostInterfaceName(ids, interfacePrefix(world.env)),
  };
}

/** `undefined` leaves it to the kernel. Throws `config` when the MTU file is needed and missing, or unreadable. */
export function podMtu({ mtu, requireMtuFile }: CalicoConf): number | undefined {
  return chooseMtu({ confMtu: mtu, fileText: readMtuFile(requireMtuFile) });
}

export function podNetwork(
  { conf, call, ids }: Pick<Job, 'conf' | 'call' | 'ids'>,
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
    routes: ids.orchestrator === 'k8s' ? podRoutes(conf) : DEFAULT_ROUTES,
    allowIpForwarding: conf.allowIpForwarding,
    hostRoutes: true,
  };
}
