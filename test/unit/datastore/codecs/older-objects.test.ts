/** Objects as Calico wrote them in 2019 to 2023 are read as they are. */

import { describe, expect, it } from 'vitest';
import { formatIpNetwork } from '../../../../src/base/cidr.ts';
import { decodeBlock, encodeBlock } from '../../../../src/datastore/codecs/block.ts';
import { decodeIpPool } from '../../../../src/datastore/codecs/ip-pool.ts';
import {
  decodeWorkloadEndpoint,
  encodeWorkloadEndpoint,
} from '../../../../src/datastore/codecs/workload-endpoint.ts';
import { autoAssign } from '../../../../src/ipam/block/auto-assign.ts';
import { nextVersion } from '../../../../src/ipam/block/next-version.ts';
import { releaseByHandle } from '../../../../src/ipam/block/release.ts';
import { isEndpointOf } from '../../../../src/workload/endpoint-name.ts';

const FIRST = 'k8s-pod-network.e908404f358d0e88231393cf2e19b0328f05ccc162743e18a87e0192beef0e0d';
const SECOND = 'k8s-pod-network.c4367bf4e8732d6dc33ed192f9ee9ce07f9e6731a98e1fca58cd2d1c1b887c5c';
const free = [...Array.from({ length: 54 }, (_unused, i) => i + 10), 1, 0, 2, 3, 4, 5, 6, 7];
const taken = Array.from({ length: 64 }, (_unused, ordinal) =>
  ordinal === 8 ? 0 : ordinal === 9 ? 1 : null,
);
/** Without sequence numbers, claim time and `deleted`; owners that are null. */
const BLOCK = JSON.stringify({
  cidr: '172.16.236.128/26',
  affinity: 'host:k8s02',
  strictAffinity: false,
  allocations: taken,
  unallocated: free,
  attributes: [
    { handle_id: FIRST, secondary: null },
    { handle_id: SECOND, secondary: null },
  ],
});

describe('a block without sequence numbers', () => {
  const block = decodeBlock(BLOCK, 'block');

  it('hands out the head of its queue, and counts from then on', () => {
    const request = { count: 1, handleId: 'net.new', owner: { node: 'k8s02' }, reservations: [] };
    const assigned = autoAssign(block, request);
    const stored = JSON.parse(encodeBlock(nextVersion(assigned.block)));
    expect(stored.allocations[10]).toBe(2);
    expect(stored.unallocated).toEqual(free.slice(1));
    expect([stored.sequenceNumber, stored.sequenceNumberForAllocation, stored.deleted]).toEqual([
      1,
      { 10: 0 },
      false,
    ]);
    expect(stored).not.toHaveProperty('strictAffinity');
  });

  it('takes a released ordinal back at its tail', () => {
    const { block: after, released } = releaseByHandle(block, FIRST, 0n, 0);
    expect(released).toEqual([8]);
    expect(after.unallocated.at(-1)).toBe(8);
    expect(after.attributes.map(({ handleId }) => handleId)).toEqual([SECOND]);
  });
});

describe('an endpoint of 2019', () => {
  const text = JSON.stringify({
    kind: 'WorkloadEndpoint',
    apiVersion: 'projectcalico.org/v3',
    metadata: {
      name: 'cs1--k8s--n1.zpepc.com.cn-k8s-source--ip--app--68b64dc7bc--46dzt-eth0',
      generateName: 'source-ip-app-68b64dc7bc-',
      namespace: 'default',
      uid: 'ec2edbb3-0c02-11ea-9d7b-e04f43ddacb0',
      creationTimestamp: '2019-11-21T02:02:07Z',
      labels: {
        'pod-template-hash': '68b64dc7bc',
        'projectcalico.org/namespace': 'default',
        'projectcalico.org/orchestrator': 'k8s',
        'projectcalico.org/serviceaccount': 'default',
        run: 'source-ip-app',
        'workloadID_ingress-d188feee46ef994debda00f09923a0f5': 'true',
      },
    },
    spec: {
      orchestrator: 'k8s',
      node: 'cs1-k8s-n1.zpepc.com.cn',
      containerID: '8d2adbfe5a602864ced8e8e98636b196b85a9ec4b64506cb72bcd74de144fb98',
      pod: 'source-ip-app-68b64dc7bc-46dzt',
      endpoint: 'eth0',
      ipNetworks: ['192.168.118.87/32'],
      profiles: ['kns.default', 'ksa.default.default'],
      interfaceName: 'cali6bae7ed2e34',
      mac: '4e:0f:f9:25:13:70',
    },
  });

  it('is read, known by its pod, and written back as it was', () => {
    const endpoint = decodeWorkloadEndpoint(text, 'endpoint');
    expect(endpoint.ipNetworks.map(formatIpNetwork)).toEqual(['192.168.118.87/32']);
    const ids = {
      orchestrator: 'k8s',
      nodeName: 'cs1-k8s-n1.zpepc.com.cn',
      namespace: 'default',
      containerId: 'x',
      ifName: 'eth0',
      podName: 'source-ip-app-68b64dc7bc-46dzt',
    } as const;
    expect(isEndpointOf(endpoint.name, ids)).toBe(true);
    expect(encodeWorkloadEndpoint(endpoint)).toBe(text);
  });
});

describe('pools of older clusters', () => {
  it.each([
    [
      'of 2023',
      {
        cidr: '192.168.0.0/16',
        blockSize: 26,
        ipipMode: 'Never',
        vxlanMode: 'CrossSubnet',
        natOutgoing: true,
        nodeSelector: 'all()',
        allowedUses: ['Workload', 'Tunnel'],
      },
      26,
    ],
    [
      'with the least there can be',
      { cidr: '10.21.0.0/31', blockSize: 31, ipipMode: 'Never', natOutgoing: true },
      31,
    ],
    ['without a block size', { cidr: '10.0.0.0/8' }, 26],
    ['written in an unusual way', { cidr: '5001:0:0:1b::/64' }, 122],
  ])('are read: %s', (_name, spec, blockSize) => {
    const pool = decodeIpPool(JSON.stringify({ kind: 'IPPool', metadata: { name: 'pool-1' }, spec }), 'pool');
    expect(pool).toMatchObject({
      name: 'pool-1',
      blockSize,
      enabled: true,
      automatic: true,
      nodeSelector: 'all()',
      allowedUses: ['Workload', 'Tunnel'],
    });
  });

  it.each([
    ['10.0.0.0/8', 8],
    ['10.0.0.0/8', -(2 ** 40)],
    ['10.0.0.0/8', 33],
    ['fd00::/64', 64],
    ['fd00::/64', 129],
  ])('are refused with blocks that no plugin takes: %s in blocks of /%i', (cidr, blockSize) => {
    const text = JSON.stringify({ spec: { cidr, blockSize } });
    expect(() => decodeIpPool(text, 'pool')).toThrow(/spec\.blockSize must be \d+ to \d+, found/);
  });
});
