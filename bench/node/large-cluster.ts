/** A large cluster as it looks in etcd: nodes with blocks, and pods in them. Written as JSON, past the agent's own code. */

const RESOURCES = '/calico/resources/v3/projectcalico.org';
const BLOCKS = '/calico/ipam/v2/assignment/ipv4/block/';
export const BLOCKS_PER_NODE = 4;
const PODS_PER_BLOCK = 16;
const BORN = '2026-01-01T00:00:00Z';

/** Holds every block of {@link peerRecords} and more. */
export const PEER_POOL = '10.64.0.0/10';

export interface Record {
  readonly key: string;
  readonly text: string;
}

export function peerName(index: number): string {
  return `peer${index}`;
}

/** Nodes with these numbers (0 … 4095), every second one in 10.50.0.0/16 and the others behind a router, and all that is theirs. */
export function* peerRecords(first: number, end: number): Generator<readonly [string, string]> {
  for (let index = first; index < end; index++) {
    const node = peerName(index);
    const address = `10.${index % 2 === 0 ? 50 : 51}.${16 + (index >> 8)}.${index & 255}`;
    const spec = { bgp: { ipv4Address: `${address}/16` }, ipv4VXLANTunnelAddr: blockBase(index, 0) };
    yield [`${RESOURCES}/nodes/${node}`, resource('Node', { name: node }, spec)];
    for (let number = 0; number < BLOCKS_PER_NODE; number++) {
      const { key, text } = blockRecord(blockBase(index, number), node, PODS_PER_BLOCK);
      yield [key, text];
      for (let pod = 0; pod < PODS_PER_BLOCK; pod++) yield endpoint(node, number * PODS_PER_BLOCK + pod);
    }
  }
}

/** First address of a block, and that of the tunnel in the first one. */
function blockBase(node: number, number: number): string {
  return `10.${64 + (node >> 8)}.${node & 255}.${number * 64}`;
}

/** A block of 64 addresses, so many of which are pods of its node. */
export function blockRecord(base: string, node: string, pods: number): Record {
  const ordinals = Array.from({ length: 64 }, (_, ordinal) => ordinal);
  const attributes = ordinals.slice(0, pods).map((ordinal) => ({
    handle_id: `k8s-pod-network.${'0123456789abcdef'.repeat(4)}${ordinal}`,
    secondary: {
      namespace: 'default',
      node,
      pod: `pod-${ordinal}`,
      timestamp: '2026-01-01 00:00:00 +0000 UTC',
    },
  }));
  const value = {
    cidr: `${base}/26`,
    affinity: `host:${node}`,
    allocations: ordinals.map((ordinal) => (ordinal < pods ? ordinal : null)),
    unallocated: ordinals.slice(pods),
    attributes,
    sequenceNumber: pods,
    sequenceNumberForAllocation: Object.fromEntries(attributes.map((_, ordinal) => [ordinal, ordinal])),
    deleted: false,
  };
  return { key: `${BLOCKS}${base}-26`, text: JSON.stringify(value) };
}

function endpoint(node: string, pod: number): readonly [string, string] {
  const name = `${node}-k8s-pod--${pod}-eth0`;
  const spec = {
    ...{ orchestrator: 'k8s', node, containerID: `${node}${pod}`, pod: `pod-${pod}`, endpoint: 'eth0' },
    ...{ ipNetworks: ['10.127.255.255/32'], profiles: ['kns.default'], interfaceName: `cali${pod}` },
  };
  return [
    `${RESOURCES}/workloadendpoints/default/${name}`,
    resource('WorkloadEndpoint', { name, namespace: 'default', creationTimestamp: BORN }, spec),
  ];
}

function resource(kind: string, metadata: object, spec: object): string {
  return JSON.stringify({ kind, apiVersion: 'projectcalico.org/v3', metadata, spec });
}
