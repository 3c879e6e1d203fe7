/**
 * A cluster with many pods of other nodes: what Calico's plugins leave in etcd for each. Written as JSON here, past
 * our own code. Every node has 64 pods, in one block of /26.
 */

const IPAM = '/calico/ipam/v2';
const ENDPOINTS = '/calico/resources/v3/projectcalico.org/workloadendpoints/default';
const PODS_PER_NODE = 64;
const BORN = '2026-01-01T00:00:00Z';

/** Key and value of the records of so many pods; their addresses begin with those of the pool `<a>.<b>.0.0/16`. */
export function* podRecords(count: number, pool = '192.168'): Generator<readonly [string, string]> {
  for (let first = 0; first < count; first += PODS_PER_NODE) {
    const pods = Array.from({ length: Math.min(PODS_PER_NODE, count - first) }, (_, i) => first + i);
    yield* nodeRecords(pool, first / PODS_PER_NODE, pods);
  }
}

function* nodeRecords(
  pool: string,
  index: number,
  pods: readonly number[],
): Generator<readonly [string, string]> {
  const node = `other-${index}`;
  // From the far end: the pool's first blocks stay free for the node under test.
  const number = 1023 - index;
  const base = `${pool}.${number >> 2}.${(number & 3) * 64}`;
  yield [`${IPAM}/host/${node}/ipv4/block/${base}-26`, '{"state":"confirmed","deleted":false}'];
  yield [`${IPAM}/assignment/ipv4/block/${base}-26`, block(`${base}/26`, node, pods)];
  for (const [ordinal, pod] of pods.entries()) {
    const address = `${pool}.${number >> 2}.${(number & 3) * 64 + ordinal}`;
    yield [
      `${IPAM}/handle/k8s.pod${pod}`,
      `{"handleID":"k8s.pod${pod}","block":{"${base}/26":1},"deleted":false}`,
    ];
    yield [`${ENDPOINTS}/other--${index}-k8s-pod${pod}-eth0`, endpoint(index, pod, address)];
  }
}

function block(cidr: string, node: string, pods: readonly number[]): string {
  const ordinals = Array.from({ length: PODS_PER_NODE }, (_, ordinal) => ordinal);
  return JSON.stringify({
    cidr,
    affinity: `host:${node}`,
    allocations: ordinals.map((ordinal) => (ordinal < pods.length ? ordinal : null)),
    unallocated: ordinals.slice(pods.length),
    attributes: pods.map((pod) => ({
      handle_id: `k8s.pod${pod}`,
      secondary: { namespace: 'default', node, pod: `pod${pod}`, timestamp: '2026-01-01 00:00:00 +0000 UTC' },
    })),
    sequenceNumber: PODS_PER_NODE,
    sequenceNumberForAllocation: Object.fromEntries(pods.map((_, ordinal) => [ordinal, ordinal])),
    deleted: false,
  });
}

function endpoint(index: number, pod: number, address: string): string {
  return JSON.stringify({
    kind: 'WorkloadEndpoint',
    apiVersion: 'projectcalico.org/v3',
    metadata: {
      name: `other--${index}-k8s-pod${pod}-eth0`,
      namespace: 'default',
      uid: '0cac4ac7-de65-40ff-a15e-89f889c2f060',
      creationTimestamp: BORN,
      labels: { 'projectcalico.org/namespace': 'default', 'projectcalico.org/orchestrator': 'k8s' },
    },
    spec: {
      orchestrator: 'k8s',
      node: `other-${index}`,
      containerID: `pod${pod}`,
      pod: `pod${pod}`,
      endpoint: 'eth0',
      ipNetworks: [`${address}/32`],
      profiles: ['kns.default'],
      interfaceName: `calipod${pod}`,
      mac: 'de:ad:be:ef:00:01',
    },
  });
}
