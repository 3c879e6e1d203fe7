/** The ports of a pod's endpoint: those that have a name for policy, or a port on the host. Pure. */

import { printable } from '../base/printable.ts';
import type { EndpointPort } from '../workload/endpoint-settings.ts';
import type { ContainerPort, Pod } from './objects.ts';

export interface PodPorts {
  readonly ports: readonly EndpointPort[];
  readonly notes: readonly string[];
}

/** Ports of a protocol that policy does not know are left out, with a note. */
export function podPorts(pod: Pod): PodPorts {
  const wanted = pod.ports.filter(
    ({ containerPort, hostPort, name }) => containerPort !== 0 && (hostPort !== 0 || name !== ''),
  );
  return {
    ports: wanted.flatMap((port) => endpointPort(port) ?? []),
    notes: wanted.filter((port) => endpointPort(port) === undefined).map(note),
  };
}

function endpointPort(port: ContainerPort): EndpointPort | undefined {
  const { name, containerPort, hostPort, hostIp } = port;
  const protocol = knownProtocol(port.protocol);
  return protocol && { name, protocol, port: containerPort, hostPort, hostIp };
}

function knownProtocol(protocol: string): EndpointPort['protocol'] | undefined {
  switch (protocol) {
    case '':
    case 'TCP':
      return 'TCP';
    case 'UDP':
    case 'SCTP':
      return protocol;
    default:
      return undefined;
  }
}

function note({ name, containerPort, protocol }: ContainerPort): string {
  return `port ${containerPort} '${printable(name)}' is left out of the endpoint: protocol '${printable(protocol)}' is none of TCP, UDP and SCTP`;
}
