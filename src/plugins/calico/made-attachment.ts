/** What an ADD made, as the result of its chain says, and the network that CHECK expects of that. Pure. */

import { type IpAddress, sameAddress } from '../../base/ip-address.ts';
import { type MacAddress, parseMacAddress } from '../../base/mac-address.ts';
import type { CniResult } from '../../cni/result.ts';
import { DEFAULT_ROUTES, podRoutes } from '../../config/host-local-routes.ts';
import type { PodNetwork } from '../../network/pod-network.ts';
import type { Job } from '../job.ts';
import { addressesOf, sandboxInterface } from '../prev-result.ts';
import type { HostIfNames } from './claim-links.ts';

export interface MadeAttachment {
  readonly hostIfName: string;
  /** Of the end in the sandbox, after all plugins of the chain; `undefined` where the result does not tell. */
  readonly mac: MacAddress | undefined;
  readonly mtu: number | undefined;
  readonly addresses: readonly IpAddress[];
  /** Whether a route of the result is of one of the addresses: `calico-ipam` gives one with each. */
  readonly hasIpamRoutes: boolean;
}

/** Throws `config` when the result does not name the interface. */
export function madeAttachment(result: CniResult, ifName: string, names: HostIfNames): MadeAttachment {
  const container = sandboxInterface(result, ifName);
  const addresses = addressesOf(result, ifName);
  return {
    hostIfName: hostIfNameIn(result, names),
    mac: container.mac === undefined ? undefined : parseMacAddress(container.mac),
    mtu: container.mtu,
    addresses,
    hasIpamRoutes: result.routes.some(({ dst }) =>
      addresses.some((address) => sameAddress(address, dst.address)),
    ),
  };
}

/** Other plugins of the chain may have made interfaces on the host, too; a dataplane chooses names of its own. */
function hostIfNameIn({ interfaces }: CniResult, { usual, alternative }: HostIfNames): string {
  const onHost = interfaces.filter(({ sandbox }) => sandbox === undefined).map(({ name }) => name);
  return onHost.find((name) => name === usual || name === alternative) ?? onHost[0] ?? usual;
}

/** `macNow` stands for the MAC where the result does not tell it. */
export function expectedNetwork(
  { call, conf, ids }: Pick<Job, 'call' | 'conf' | 'ids'>,
  made: MadeAttachment,
  macNow: MacAddress,
): PodNetwork {
  return {
    netnsPath: call.netnsPath,
    deviceType: conf.deviceType,
    containerIfName: call.ifName,
    hostIfName: made.hostIfName,
    containerMac: made.mac ?? macNow,
    mtu: made.mtu,
    queues: conf.queues,
    addresses: made.addresses,
    routes: ids.orchestrator === 'k8s' ? podRoutes(conf) : DEFAULT_ROUTES,
    allowIpForwarding: conf.allowIpForwarding,
    hostRoutes: true,
  };
}
