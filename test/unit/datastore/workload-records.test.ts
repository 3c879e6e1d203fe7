import { describe, expect, it } from 'vitest';
import { EMPTY_VIEW, withSnapshot } from '../../../src/datastore/view.ts';
import { workloadFacts, workloadRanges } from '../../../src/datastore/workload-records.ts';
import type { WorkloadIdentifiers } from '../../../src/workload/identifiers.ts';

const FOLDER = '/calico/resources/v3/projectcalico.org/workloadendpoints';

const web: WorkloadIdentifiers = {
  orchestrator: 'k8s',
  nodeName: 'n',
  namespace: 'test',
  containerId: 'c1',
  ifName: 'eth0',
  podName: 'pod',
};
const container: WorkloadIdentifiers = {
  ...web,
  orchestrator: 'cni',
  namespace: 'default',
  containerId: 'cnitool-12ce16',
  podName: undefined,
};

function endpointsPrefix(ids: WorkloadIdentifiers): string | undefined {
  return workloadRanges(ids).flatMap((range) => ('prefix' in range ? [range.prefix] : []))[0];
}

/** What is known once endpoints of these names have been read. */
function factsOf(ids: WorkloadIdentifiers, stored: Readonly<Record<string, string>>) {
  const prefix = endpointsPrefix(ids) ?? '';
  const all = Object.entries(stored).map(([name, value]) => ({
    key: `${FOLDER}/${ids.namespace}/${name}`,
    value,
    revision: '7',
  }));
  const found = all.filter(({ key }) => key.startsWith(prefix));
  const view = withSnapshot(EMPTY_VIEW, [{ prefix }], { revision: '9', entries: [found] });
  const warnings: string[] = [];
  const facts = workloadFacts(view, ids, (text) => warnings.push(text));
  return { listed: found.map(({ key }) => key.slice(key.lastIndexOf('/') + 1)), facts, warnings };
}

const stored = (interfaceName: string) => JSON.stringify({ metadata: {}, spec: { interfaceName } });

describe('endpoints of a pod', () => {
  it('are listed by its whole name', () => {
    expect(endpointsPrefix(web)).toBe(`${FOLDER}/test/n-k8s-pod-`);
    expect(endpointsPrefix({ ...web, nodeName: 'node-1', podName: 'web-1' })).toBe(
      `${FOLDER}/test/node--1-k8s-web--1-`,
    );
  });

  it('are told apart from those of a pod whose name begins alike', () => {
    const { listed, facts } = factsOf(web, {
      'n-k8s-pod--1-eth0': stored('caliother'),
      'n-k8s-pod-eth0': stored('caliours'),
      'n-k8s-pod2-eth0': stored('calimore'),
    });
    expect(listed).toEqual(['n-k8s-pod--1-eth0', 'n-k8s-pod-eth0']);
    expect(facts.endpoint?.value.interfaceName).toBe('caliours');
    expect(facts.endpoint?.revision).toBe('7');
  });

  it('are none where only others begin alike, and theirs may be damaged', () => {
    const { facts, warnings } = factsOf(web, { 'n-k8s-pod--1-eth0': 'not JSON' });
    expect(facts).toMatchObject({ endpoint: undefined, similar: [] });
    expect(warnings).toEqual([]);
  });

  it('are found whatever interface they were made for', () => {
    expect(factsOf(web, { 'n-k8s-pod-net1': stored('cali1') }).facts.endpoint?.value.interfaceName).toBe(
      'cali1',
    );
  });
});

describe('endpoints of a container', () => {
  it('are listed with those of containers whose IDs begin alike, for the names of their interfaces', () => {
    const { facts, warnings } = factsOf(container, {
      'n-cni-cnitool--12ce16-eth0': stored('calione'),
      'n-cni-cnitool--12ce17-eth0': stored('calitwo'),
      'n-cni-cnitool--12c000-eth0': 'not JSON',
    });
    expect(facts.endpoint?.value.interfaceName).toBe('calione');
    expect(facts.similar.map(({ interfaceName }) => interfaceName)).toEqual(['calitwo']);
    expect(warnings).toHaveLength(1);
  });
});
