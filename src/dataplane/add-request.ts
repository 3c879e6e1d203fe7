/** What the gRPC dataplane is told of a pod. Pure. */

import { formatCidr, formatIpNetwork, type IpNetwork } from '../base/cidr.ts';
import { formatIpAddress, type IpAddress } from '../base/ip-address.ts';
import type { PodNetwork } from '../network/pod-network.ts';
import type { WorkloadEndpoint } from '../workload/workload-endpoint.ts';
import type { AddRequest, PodAddress, Workload } from './dataplane-messages.ts';

export interface DataplanePod {
  /** Its `hostIfName` is a proposal. */
  readonly network: Pick<
    PodNetwork,
    'netnsPath' | 'containerIfName' | 'hostIfName' | 'mtu' | 'routes' | 'allowIpForwarding'
  >;
  /** As in the result of the ADD: each a /32 or /128. */
  readonly ips: readonly DataplaneIp[];
  readonly endpoint: DataplaneEndpoint;
  /** Of the pod; none where it is not Kubernetes'. */
  readonly annotations: Readonly<Record<string, string>>;
}

/** What is told of the endpoint: no profile and no policy. */
export type DataplaneEndpoint = Pick<
  WorkloadEndpoint,
  'name' | 'namespace' | 'labels' | 'endpoint' | 'nodeName' | 'orchestrator' | 'podName' | 'ports'
>;

export interface DataplaneIp {
  readonly address: IpNetwork;
  /** As IPAM gave it. */
  readonly gateway?: IpAddress | undefined;
}

/** `options`: the configuration's own, all that are texts. */
export function addRequest(
  { network, ips, endpoint, annotations }: DataplanePod,
  options: Readonly<Record<string, string>>,
): AddRequest {
  return {
    interface_name: network.containerIfName,
    netns: network.netnsPath,
    desired_host_interface_name: network.hostIfName,
    settings: { allow_ip_forwarding: network.allowIpForwarding, mtu: network.mtu ?? 0 },
    container_ips: ips.map(podAddress),
    container_routes: network.routes.map(formatCidr),
    workload: workload(endpoint, annotations),
    dataplane_options: options,
  };
}

function podAddress({ address, gateway }: DataplaneIp): PodAddress {
  const written = { address: formatIpNetwork(address) };
  return gateway === undefined ? written : { ...written, gateway: formatIpAddress(gateway) };
}

function workload(endpoint: DataplaneEndpoint, annotations: DataplanePod['annotations']): Workload {
  const ports = (endpoint.ports ?? []).map(({ name, protocol, port, hostPort, hostIp }) => ({
    name,
    protocol,
    port,
    host_port: hostPort,
    host_ip: hostIp,
  }));
  return {
    name: endpoint.name,
    namespace: endpoint.namespace,
    labels: endpoint.labels,
    annotations,
    endpoint: endpoint.endpoint,
    node: endpoint.nodeName,
    orchestrator: endpoint.orchestrator,
    pod: endpoint.podName ?? '',
    ports,
  };
}
