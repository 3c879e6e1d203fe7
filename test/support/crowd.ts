/**
 * A cluster of any size, of pods with the names that containerd and Kubernetes give them: the values of etcd for so many
 * blocks of /26 with so many pods in each, from 10.0.0.0/8 on.
 */

import { createHash } from 'node:crypto';

const IPAM = '/calico/ipam/v2';
const RESOURCES = '/calico/resources/v3/projectcalico.org';
const BLOCK_SIZE = 64;
const BLOCKS_PER_NODE = 4;
const BORN = '2026-01-01T00:00:00Z';

export interface Crowd {
  readonly blocks: number;
  readonly podsPerBlock: number;
}

export function* crowdRecords({ blocks, podsPerBlock }: Crowd): Generator<readonly [string, string]> {
  yield resource('clusterinformations', 'default', { datastoreReady: true });
  yield resource('ippools', 'crowd', { cidr: '10.0.0.0/8', blockSize: 26, nodeSelector: 'all()' });
  for (let node = 0; node < blocks / BLOCKS_PER_NODE; node++)
    yield resource('nodes', `worker-${node}.example.com`, {});
  for (let block = 0; block < blocks; block++) yield* blockRecords(block, podsPerBlock);
}

function* blockRecords(number: number, count: number): Generator<readonly [string, string]> {
  const node = `worker-${Math.floor(number / BLOCKS_PER_NODE)}.example.com`;
  const base = number * BLOCK_SIZE;
  const cidr = `${addressText(base)}/26`;
  const place = cidr.replace('/', '-');
  const pods = Array.from({ length: count }, (_, ordinal) => podOf(number, ordinal));
  yield [`${IPAM}/host/${node}/ipv4/block/${place}`, '{"state":"confirmed","deleted":false}'];
  yield [`${IPAM}/assignment/ipv4/block/${place}`, blockValue(cidr, node, pods)];
  for (const [ordinal, pod] of pods.entries()) {
    yield [`${IPAM}/handle/${pod.handle}`, `{"block":{"${cidr}":1},"deleted":false}`];
    const name = `${node.replaceAll('-', '--')}-k8s-${pod.name.replaceAll('-', '--')}-eth0`;
    yield [
      `${RESOURCES}/workloadendpoints/${pod.namespace}/${name}`,
      endpointValue(name, node, pod, addressText(base + ordinal)),
    ];
  }
}

interface CrowdPod {
  readonly name: string;
  readonly namespace: string;
  readonly containerId: string;
  readonly handle: string;
}

function podOf(block: number, ordinal: number): CrowdPod {
  const id = (block * BLOCK_SIZE + ordinal).toString(16);
  const containerId = createHash('sha256').update(id).digest('hex');
  return {
    name: `deployment-${id.padStart(10, '7')}-x${id.padStart(4, '2')}`,
    namespace: `namespace-${block % 100}`,
    containerId,
    handle: `k8s-pod-network.${containerId}`,
  };
}

function blockValue(cidr: string, node: string, pods: readonly CrowdPod[]): string {
  const ordinals = Array.from({ length: BLOCK_SIZE }, (_, ordinal) => ordinal);
  const first = 1_795_257_492_507_231_238n;
  const numbers = pods.map((_, ordinal) => `"${ordinal}":${first + BigInt(ordinal)}`);
  const attributes = pods.map(({ handle, name, namespace }) => ({
    handle_id: handle,
    secondary: { namespace, node, pod: name, timestamp: '2026-01-01 00:00:00.123456789 +0000 UTC' },
  }));
  const text = JSON.stringify({
    cidr,
    affinity: `host:${node}`,
    affinity_claim_time: BORN,
    allocations: ordinals.map((ordinal) => (ordinal < pods.length ? ordinal : null)),
    unallocated: ordinals.slice(pods.length),
    attributes,
  });
  const rest = `"sequenceNumber":${first + BigInt(pods.length)},"sequenceNumberForAllocation":{${numbers.join(',')}},"deleted":false}`;
  return `${text.slice(0, -1)},${rest}`;
}

function endpointValue(name: string, node: string, pod: CrowdPod, address: string): string {
  return JSON.stringify({
    kind: 'WorkloadEndpoint',
    apiVersion: 'projectcalico.org/v3',
    metadata: {
      name,
      namespace: pod.namespace,
      uid: '0cac4ac7-de65-40ff-a15e-89f889c2f060',
      creationTimestamp: BORN,
      labels: {
        app: 'crowd',
        'projectcalico.org/namespace': pod.namespace,
        'projectcalico.org/orchestrator': 'k8s',
        'projectcalico.org/serviceaccount': 'default',
      },
    },
    spec: {
      orchestrator: 'k8s',
      node,
      containerID: pod.containerId,
      pod: pod.name,
      endpoint: 'eth0',
      serviceAccountName: 'default',
      ipNetworks: [`${address}/32`],
      profiles: [`kns.${pod.namespace}`, `ksa.${pod.namespace}.default`],
      interfaceName: `cali${pod.containerId.slice(0, 11)}`,
      mac: 'de:ad:be:ef:00:01',
    },
  });
}

function addressText(offset: number): string {
  return `10.${(offset >> 16) & 255}.${(offset >> 8) & 255}.${offset & 255}`;
}

function resource(plural: string, name: string, spec: object): readonly [string, string] {
  const metadata = { name, uid: '0cac4ac7-de65-40ff-a15e-89f889c2f060', creationTimestamp: BORN };
  return [`${RESOURCES}/${plural}/${name}`, JSON.stringify({ metadata, spec })];
}
