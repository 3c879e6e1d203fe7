/** What calicoctl printed on a cluster with one pod, and that cluster's values. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const FOLDER = join(import.meta.dirname, '../fixtures/calicoctl');
const RESOURCES = '/calico/resources/v3/projectcalico.org';

/** The output alone, without the command line above it. */
export function calicoctlOutput(name: string): string {
  return readFileSync(join(FOLDER, `${name}.txt`), 'utf8').replace(/^\$.*\n/, '');
}

/** Versions are what the datastore of the moment counts. */
export function withoutVersions(text: string): string {
  return text.replace(/(resourceVersion"?: )"\d+"/g, '$1"N"');
}

export const CLUSTER_OF_ONE_POD: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'ippools/default-ipv4-ippool': {
      ...resource('IPPool', { name: 'default-ipv4-ippool' }),
      spec: { cidr: '192.168.0.0/16', natOutgoing: true, nodeSelector: 'all()' },
    },
    'nodes/node1': { ...resource('Node', { name: 'node1' }), spec: { bgp: { ipv4Address: '10.0.0.1/24' } } },
    'profiles/k8s-pod-network': {
      ...resource('Profile', { name: 'k8s-pod-network' }),
      spec: {
        ingress: [{ action: 'Allow' }],
        egress: [{ action: 'Allow' }],
        labelsToApply: { 'k8s-pod-network': '' },
      },
    },
    'workloadendpoints/default/node1-k8s-web--1-eth0': {
      ...resource('WorkloadEndpoint', {
        name: 'node1-k8s-web--1-eth0',
        namespace: 'default',
        uid: 'c73d424f-c681-454e-b8a0-fc8c18a1867b',
        creationTimestamp: '2026-11-21T11:41:02Z',
        labels: {
          app: 'web',
          'projectcalico.org/namespace': 'default',
          'projectcalico.org/orchestrator': 'k8s',
          'projectcalico.org/serviceaccount': 'default',
        },
      }),
      spec: {
        orchestrator: 'k8s',
        node: 'node1',
        containerID: 'ab362be4377b6c37d3829cdda9201cb765771ea17c962aea1c5bd96f62a23cac',
        pod: 'web-1',
        endpoint: 'eth0',
        serviceAccountName: 'default',
        ipNetworks: ['192.168.166.143/32'],
        profiles: ['kns.default', 'ksa.default.default'],
        interfaceName: 'cali0761ccbeace',
        mac: 'f2:74:04:59:e1:98',
        ports: [{ name: 'http', protocol: 'TCP', port: 8080, hostPort: 18080, hostIP: '' }],
      },
    },
  }).map(([name, value]) => [`${RESOURCES}/${name}`, JSON.stringify(value)]),
);

function resource(kind: string, metadata: object): object {
  return { kind, apiVersion: 'projectcalico.org/v3', metadata };
}
