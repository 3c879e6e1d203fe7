/** Compares the endpoints of this node with its interfaces and routes. */

import { hostCidr, sameCidr } from '../../base/cidr.ts';
import { formatIpAddress } from '../../base/ip-address.ts';
import { interfacePrefix } from '../../config/environment-defaults.ts';
import { NODENAME_FILE, readNodeName } from '../../config/node-name.ts';
import type { Finding } from '../../ipam/audit/damage.ts';
import { type HostState, observeHost } from '../../network/observe-host.ts';
import type { WorkloadEndpoint } from '../../workload/workload-endpoint.ts';

export interface SeenEndpoint {
  readonly key: string;
  readonly endpoint: WorkloadEndpoint;
}

/** Throws `config` when the node's name cannot be told. */
export function thisNode(name: string | undefined): string {
  return readNodeName({
    nodename: name,
    nodenameFile: NODENAME_FILE,
    nodenameFileOptional: true,
    hostname: undefined,
  });
}

/** Throws what the kernel says. */
export function findInKernel(
  nodeName: string,
  seen: readonly SeenEndpoint[],
  env: Readonly<Record<string, string | undefined>>,
): readonly Finding[] {
  const own = seen.filter(({ endpoint }) => endpoint.nodeName === nodeName);
  return compareHost(own, observeHost(), interfacePrefix(env));
}

/** `prefix`: how names of host interfaces of pods begin. */
export function compareHost(
  own: readonly SeenEndpoint[],
  host: HostState,
  prefix: string,
): readonly Finding[] {
  const recorded = new Set(own.map(({ endpoint }) => endpoint.interfaceName));
  const stray = [...host.interfaces.keys()].filter((name) => name.startsWith(prefix) && !recorded.has(name));
  return [
    ...own.flatMap((one) => endpointFindings(one, host)),
    ...stray.map((name): Finding => {
      const text = `interface ${name} has no endpoint on this node`;
      return { damage: 'link-without-endpoint', key: name, text };
    }),
  ];
}

function endpointFindings({ key, endpoint }: SeenEndpoint, host: HostState): readonly Finding[] {
  const { interfaceName, ipNetworks } = endpoint;
  const ifIndex = host.interfaces.get(interfaceName);
  if (ifIndex === undefined) {
    const text = `its interface ${interfaceName} does not exist on this node`;
    return [{ damage: 'endpoint-without-link', key, text }];
  }
  const isRouted = (network: (typeof ipNetworks)[number]) =>
    host.routes.some(
      (route) => route.ifIndex === ifIndex && sameCidr(route.destination, hostCidr(network.address)),
    );
  return ipNetworks
    .filter((network) => !isRouted(network))
    .map(({ address }) => {
      const text = `this node has no route to ${formatIpAddress(address)} by ${interfaceName}`;
      return { damage: 'endpoint-without-route', key, text };
    });
}
