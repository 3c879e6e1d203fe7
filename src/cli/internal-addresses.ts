/** What Kubernetes says of the addresses of a node, for `IP_AUTODETECTION_METHOD=kubernetes-internal-ip`. */

import { CalicoError } from '../base/calico-error.ts';
import type { Deadline } from '../base/deadline.ts';
import { type IpAddress, tryParseIpAddress } from '../base/ip-address.ts';
import { openKubernetesApi } from '../kubernetes/api-client.ts';
import { readConnectionSettings } from '../kubernetes/connection-settings.ts';
import type { CommandWorld } from './command-world.ts';
import { kubernetesSources } from './kubernetes-sources.ts';

/**
 * Asks for the InternalIPs of the Node of that name, over a new connection each time: it is asked once a minute, and
 * tokens change. `undefined` where neither a kubeconfig nor the environment of a pod says whom to ask. Rejects as the
 * calls of `KubernetesApi` do, and with `unavailable` while the Node has no such address.
 */
export function internalAddresses(
  nodeName: string,
  { env, clock }: Pick<CommandWorld, 'env' | 'clock'>,
): ((deadline: Deadline) => Promise<readonly IpAddress[]>) | undefined {
  const sources = kubernetesSources(undefined, env);
  if (sources.kubeconfig === undefined && sources.server === undefined && sources.inCluster === undefined)
    return undefined;
  return async (deadline) => {
    const api = openKubernetesApi(await readConnectionSettings(sources, clock), clock);
    try {
      const { internalIps } = await api.node(nodeName, deadline);
      const addresses = internalIps.map(tryParseIpAddress).filter((address) => address !== undefined);
      if (addresses.length === 0) throw noAddress(nodeName);
      return addresses;
    } finally {
      api.close();
    }
  };
}

function noAddress(nodeName: string): CalicoError {
  return new CalicoError('unavailable', `node ${nodeName} of Kubernetes has no InternalIP yet`, {
    details: 'its kubelet or the cloud provider reports it: kubectl get node -o wide; see kubelet --node-ip',
  });
}
