/** A DEL heals what a plugin that writes one key after the other can leave behind. */

import { describe, expect, it } from 'vitest';
import { datastoreViolations } from '../../support/datastore-violations.ts';
import { createMemoryStore, type MemoryStore } from '../../support/memory-store.ts';
import { addRecords, delRecords, NETWORK_NAME } from '../../support/record-calls.ts';
import { smallCluster } from '../../support/small-cluster.ts';

const HANDLE = '/calico/ipam/v2/handle/net1.';
const call = { nodeName: 'node1', containerId: 'a' };

const violations = (store: MemoryStore) =>
  datastoreViolations(store.values(), { network: NETWORK_NAME, live: new Map() });

async function changed(
  store: MemoryStore,
  change: (values: Map<string, string>) => void,
): Promise<MemoryStore> {
  const values = new Map(store.values());
  change(values);
  return createMemoryStore(values);
}

describe('a DEL', () => {
  it('removes a handle that has no address', async () => {
    const store = createMemoryStore(smallCluster({ '10.9.0.0/28': 30 }));
    store.put(`${HANDLE}a`, '{"block":{"10.9.0.0/30":1},"deleted":false}');
    await delRecords(call)(store);
    expect(violations(store)).toEqual([]);
  });

  it('removes a handle whose block is not there any more, and one that counts too much', async () => {
    const added = createMemoryStore(smallCluster({ '10.9.0.0/28': 30 }));
    await addRecords(call)(added);
    const store = await changed(added, (values) => {
      values.set(`${HANDLE}a`, (values.get(`${HANDLE}a`) ?? '').replace(':1}', ':3,"10.9.0.252/30":1}'));
    });
    await delRecords(call)(store);
    expect(violations(store)).toEqual([]);
  });

  it.each([
    ['in a block of the node', { '10.9.0.0/28': 30 }, false],
    ['borrowed from another node', { '10.9.0.0/30': 30 }, true],
  ])('releases an address whose handle was lost, %s', async (_name, pools, borrows) => {
    const added = createMemoryStore(smallCluster(pools));
    if (borrows) await addRecords({ nodeName: 'node2', containerId: 'owner' })(added);
    await addRecords(call)(added);
    const store = await changed(added, (values) => values.delete(`${HANDLE}a`));
    await delRecords(call)(store);
    await delRecords({ nodeName: 'node2', containerId: 'owner' })(store);
    expect(violations(store)).toEqual([]);
  });

  it('releases what an older plugin assigned under the container ID alone', async () => {
    const added = createMemoryStore(smallCluster({ '10.9.0.0/28': 30 }));
    await addRecords(call)(added);
    const store = await changed(added, (values) => {
      values.set('/calico/ipam/v2/handle/a', values.get(`${HANDLE}a`) ?? '');
      values.delete(`${HANDLE}a`);
      for (const [key, value] of values)
        values.set(key, value.replace('"handle_id":"net1.a"', '"handle_id":"a"'));
    });
    await delRecords(call)(store);
    expect(violations(store)).toEqual([]);
  });
});
