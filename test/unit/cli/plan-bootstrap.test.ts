import { describe, expect, it } from 'vitest';
import { type BootstrapReport, bootstrapRanges, decideBootstrap } from '../../../src/cli/plan-bootstrap.ts';
import { settle } from '../../../src/datastore/settle.ts';
import { parseNewPool } from '../../../src/ipam/new-pool.ts';
import { alike } from '../../support/alike.ts';
import { calicoState } from '../../support/calico-states.ts';
import { endlessDeadline, instantClock } from '../../support/cut-line.ts';
import { createMemoryStore, type MemoryStore } from '../../support/memory-store.ts';

let count = 0;

async function bootstrap(
  store: MemoryStore,
  nodeName: string,
  ...pools: readonly string[]
): Promise<BootstrapReport> {
  const request = {
    nodeName,
    pools: pools.map((pool) => parseNewPool(pool, undefined, true)),
    uuid: () => `0cac4ac7-de65-40ff-a15e-${String(++count).padStart(12, '0')}`,
    now: '2026-11-21T10:54:12Z',
  };
  return settle({
    store,
    ranges: bootstrapRanges(request),
    decide: (view) => decideBootstrap(request, view),
    deadline: endlessDeadline(),
    clock: instantClock(0n),
    random: () => 0,
  });
}

describe('decideBootstrap()', () => {
  it('writes the cluster, the pool and the node as Calico writes them', async () => {
    const store = createMemoryStore();
    const report = await bootstrap(store, 'node9', '192.168.0.0/16');
    expect(report.created).toEqual([
      'cluster information',
      'pool default-ipv4-ippool 192.168.0.0/16',
      'node node9',
    ]);
    const written = alike(store.values());
    const calicos = alike(calicoState('01').values);
    for (const key of Object.keys(written).filter((name) => !name.includes('/nodes/')))
      expect(written[key]).toBe(calicos[key]);
  });

  it('changes nothing the second time', async () => {
    const store = createMemoryStore();
    await bootstrap(store, 'node1', '192.168.0.0/16');
    const before = store.values();
    const report = await bootstrap(store, 'node1', '192.168.0.0/16');
    expect(report).toEqual({
      created: [],
      found: ['cluster information', 'pool default-ipv4-ippool 192.168.0.0/16', 'node node1'],
    });
    expect(store.values()).toEqual(before);
  });

  it('adds a node to a cluster that exists, and leaves its pool alone', async () => {
    const store = createMemoryStore(calicoState('01').values);
    expect((await bootstrap(store, 'node3', '192.168.0.0/16')).created).toEqual(['node node3']);
  });

  it('gives each of several pools a name of its own', async () => {
    const store = createMemoryStore();
    const { created } = await bootstrap(store, 'node1', '10.1.0.0/16', '10.2.0.0/16', 'fd00:9::/112');
    expect(created.slice(1, 4)).toEqual([
      'pool default-ipv4-ippool 10.1.0.0/16',
      'pool ippool-10-2-0-0-16 10.2.0.0/16',
      'pool default-ipv6-ippool fd00:9::/112',
    ]);
  });

  it.each([
    [
      'one that exists',
      ['192.168.7.0/24'],
      /192\.168\.7\.0\/24 overlaps pool default-ipv4-ippool \(192\.168\.0\.0\/16\)/,
    ],
    ['another one of the call', ['10.1.0.0/16', '10.1.2.0/24'], /10\.1\.2\.0\/24 overlaps/],
  ])('refuses a pool that overlaps %s, and writes nothing', async (_name, pools, message) => {
    const store = createMemoryStore(calicoState('01').values);
    await expect(bootstrap(store, 'node1', ...pools)).rejects.toThrow(message);
    expect(store.values()).toEqual(new Map(calicoState('01').values));
  });
});
