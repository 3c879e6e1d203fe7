import { describe, expect, it } from 'vitest';
import { ipamFacts } from '../../../../src/datastore/ipam-records.ts';
import { EMPTY_VIEW } from '../../../../src/datastore/view.ts';
import type { BeforeAdd } from '../../../../src/plugins/calico/decide-add.ts';
import { pointOfReturn } from '../../../../src/plugins/calico/point-of-return.ts';
import type { WorkloadIdentifiers } from '../../../../src/workload/identifiers.ts';
import type { WorkloadEndpoint } from '../../../../src/workload/workload-endpoint.ts';

const facts = ipamFacts(EMPTY_VIEW, { nodeName: 'node1' }, () => undefined);
const ids: WorkloadIdentifiers = {
  orchestrator: 'k8s',
  ...{ nodeName: 'node1', namespace: 'default', containerId: 'new', ifName: 'eth0', podName: 'web' },
};

function endpointOf(containerId: string): WorkloadEndpoint {
  return {
    ...{ name: 'node1-k8s-web-eth0', namespace: 'default', generateName: undefined, uid: 'u' },
    ...{ creationTimestamp: '2026-11-21T10:00:00Z', labels: {}, orchestrator: 'k8s', nodeName: 'node1' },
    ...{ containerId, podName: 'web', endpoint: 'eth0', serviceAccountName: undefined, ipNetworks: [] },
    ...{ profiles: [], interfaceName: 'cali1', mac: undefined, ports: [], ipNats: [] },
    ...{ allowedSourcePrefixes: [], qosControls: undefined, otherMetadata: {}, otherSpec: {} },
  };
}

/** With addresses of another IPAM plugin: nothing in the datastore tells whether the former sandbox lives. */
function returnTo(endpoint: WorkloadEndpoint | undefined, onHost: readonly string[]) {
  const restore: BeforeAdd = { endpoint, held: [], predecessor: undefined, takenOver: [] };
  const isOnHost = (name: string) => onHost.includes(name);
  return pointOfReturn({ restore, ids, nowNs: 0n, isOnHost }, facts);
}

describe('pointOfReturn() with addresses of another IPAM plugin', () => {
  it('goes back to the former sandbox while its interface is there', () => {
    const endpoint = endpointOf('old');
    expect(returnTo(endpoint, ['cali1'])).toMatchObject({ outcome: 'known', restore: { endpoint } });
    expect(returnTo(endpoint, ['cali2'])).toMatchObject({ restore: { endpoint: undefined } });
  });

  it('goes back to what this container had itself, wired or not', () => {
    const endpoint = endpointOf('new');
    expect(returnTo(endpoint, [])).toMatchObject({ restore: { endpoint } });
    expect(returnTo(undefined, [])).toMatchObject({ restore: { endpoint: undefined } });
  });
});
