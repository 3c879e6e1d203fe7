import { describe, expect, it } from 'vitest';
import { checkDocument } from '../../../../src/cli/apply/check-resource.ts';
import { type Applied, applyRanges, decideApply } from '../../../../src/cli/apply/plan-apply.ts';
import { readDocuments } from '../../../../src/cli/apply/read-documents.ts';
import { settle } from '../../../../src/datastore/settle.ts';
import { alike } from '../../../support/alike.ts';
import { calicoState } from '../../../support/calico-states.ts';
import { endlessDeadline, instantClock } from '../../../support/cut-line.ts';
import { createMemoryStore, type MemoryStore } from '../../../support/memory-store.ts';

const RESOURCES = '/calico/resources/v3/projectcalico.org';

async function apply(store: MemoryStore, ...resources: readonly object[]): Promise<readonly Applied[]> {
  const documents = readDocuments(JSON.stringify(resources), 'test');
  const candidates = documents.flatMap((document) => {
    const { resource, problems } = checkDocument(document);
    return resource === undefined ? [] : [{ resource, problems }];
  });
  const identity = () => ({
    uid: '0cac4ac7-de65-40ff-a15e-000000000001',
    creationTimestamp: '2026-11-21T10:54:12Z',
  });
  const request = { candidates, mayReplace: true, identity };
  return settle({
    store,
    ranges: applyRanges(request),
    decide: (view) => decideApply(request, view),
    deadline: endlessDeadline(),
    clock: instantClock(0n),
    random: () => 0,
  });
}

function resource(kind: string, name: string, spec: object): object {
  return { apiVersion: 'projectcalico.org/v3', kind, metadata: { name }, spec };
}

describe('decideApply()', () => {
  it('writes a pool as calicoctl has written it', async () => {
    const calicos = calicoState('01').values;
    const key = `${RESOURCES}/ippools/default-ipv4-ippool`;
    const value = JSON.parse(calicos.get(key) ?? '');
    const store = createMemoryStore();
    await apply(store, resource('IPPool', value.metadata.name, value.spec));
    expect(alike(store.values())[key]).toBe(alike(calicos)[key]);
  });

  it('writes nothing when all is as it should be', async () => {
    const calicos = calicoState('01').values;
    const store = createMemoryStore(calicos);
    const pool = JSON.parse(calicos.get(`${RESOURCES}/ippools/default-ipv4-ippool`) ?? '');
    expect(await apply(store, pool)).toEqual([expect.objectContaining({ outcome: 'unchanged' })]);
    expect(store.values()).toEqual(new Map(calicos));
  });

  it('keeps what a newer version has stored', async () => {
    const stored = {
      kind: 'IPPool',
      apiVersion: 'projectcalico.org/v3',
      metadata: { name: 'p', uid: 'u', creationTimestamp: 't', managedFields: [1] },
      spec: { cidr: '10.0.0.0/8', vxlanMode: 'Never', ipipMode: 'Never', future: { a: 1 } },
      status: { conditions: [] },
    };
    const key = `${RESOURCES}/ippools/p`;
    const store = createMemoryStore(new Map([[key, JSON.stringify(stored)]]));
    await apply(store, resource('IPPool', 'p', { cidr: '10.0.0.0/8', natOutgoing: true, future: { a: 1 } }));
    expect(JSON.parse(store.values().get(key) ?? '')).toMatchObject({
      metadata: { managedFields: [1], uid: 'u' },
      spec: { natOutgoing: true, future: { a: 1 } },
      status: { conditions: [] },
    });
    await expect(apply(store, resource('IPPool', 'p', { cidr: '10.0.0.0/8', other: 1 }))).rejects.toThrow(
      'spec.other',
    );
  });

  it('keeps what the allocator is told beside the configuration', async () => {
    const store = createMemoryStore(
      new Map([['/calico/ipam/v2/config', '{"auto_allocate_blocks":true,"future":1}']]),
    );
    await apply(store, resource('IPAMConfiguration', 'default', { strictAffinity: true }));
    expect(store.values().get('/calico/ipam/v2/config')).toBe(
      '{"strict_affinity":true,"auto_allocate_blocks":true,"future":1}',
    );
  });

  it('refuses a new pool over blocks of another size, and takes it over those of its own', async () => {
    const block = '/calico/ipam/v2/assignment/ipv4/block/10.8.0.64-26';
    const pool = (blockSize: number) => resource('IPPool', 'p', { cidr: '10.8.0.0/16', blockSize });
    const store = createMemoryStore(new Map([[block, '{}']]));
    await expect(apply(store, pool(28))).rejects.toThrow(
      'IPPool blocksSize conflicts with existing allocations that use a different blockSize: 10.8.0.64/26 is there; set spec.blockSize to 26',
    );
    expect(await apply(store, pool(26))).toEqual([expect.objectContaining({ outcome: 'created' })]);
  });

  it('does not let a pool of load balancers become one of pods', async () => {
    const store = createMemoryStore();
    await apply(store, resource('IPPool', 'p', { cidr: '10.0.0.0/8', allowedUses: ['LoadBalancer'] }));
    await expect(
      apply(store, resource('IPPool', 'p', { cidr: '10.0.0.0/8', allowedUses: ['Workload'] })),
    ).rejects.toThrow('IPPool allowed use cannot be changed from LoadBalancer to Workload or Tunnel');
  });
});
