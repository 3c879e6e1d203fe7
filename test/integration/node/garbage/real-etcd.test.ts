/** The collection of garbage on a real etcd: whose turn it is, whole agents' collectors, and ones that are cut off. */

import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createInterrupter } from '../../../../src/base/interruption.ts';
import { createLog } from '../../../../src/base/log.ts';
import { COLLECTOR_KEY, nodeKey } from '../../../../src/datastore/keys.ts';
import type { Leases } from '../../../../src/datastore/leases.ts';
import { openEtcd } from '../../../../src/datastore/open-etcd.ts';
import type { Store } from '../../../../src/datastore/store.ts';
import type { ClusterState } from '../../../../src/node/cluster.ts';
import { createContainerCollector } from '../../../../src/node/garbage/collect-containers.ts';
import { createRemovedNodeCollector } from '../../../../src/node/garbage/collect-removed-nodes.ts';
import { createCollectorRole } from '../../../../src/node/garbage/collector-role.ts';
import type { GarbageMode } from '../../../../src/node/garbage/garbage-settings.ts';
import { createGarbageCollector } from '../../../../src/node/garbage/keep-collecting.ts';
import { deadline, realClock } from '../../../support/clock.ts';
import { endlessDeadline, everyCut, Killed, runActors } from '../../../support/cut-line.ts';
import { datastoreViolations } from '../../../support/datastore-violations.ts';
import { type Etcd, startEtcd } from '../../../support/etcd.ts';
import {
  createHostModel,
  type HostModel,
  heardState,
  listingReport,
  modelClock,
} from '../../../support/node-model.ts';
import { addRecords, NETWORK_NAME } from '../../../support/record-calls.ts';
import { smallCluster } from '../../../support/small-cluster.ts';
import { clusterOf } from '../../../unit/ipam/support/calico-cluster.ts';
import { clusterViolations } from '../../../unit/ipam/support/invariants.ts';

let etcd: Etcd;
let store: Store;
let leases: Leases;
beforeAll(async () => {
  etcd = await startEtcd();
  const settings = {
    type: 'etcdv3' as const,
    endpoints: [etcd.endpoint],
    user: undefined,
    discoverySrv: undefined,
  };
  const files = { caCertFile: undefined, certFile: undefined, keyFile: undefined };
  const ports = { clock: realClock, deadline: deadline(), random: Math.random };
  ({ store, leases } = await openEtcd({ ...settings, ...files }, ports));
});
afterAll(async () => {
  leases.close();
  await store.close();
  await etcd.stop();
});
beforeEach(() => etcd.wipe());

const agent = (nodeName: string) => ({ nodeName, identity: `host of ${nodeName}`, hostname: nodeName });
const roleOf = (nodeName: string, seconds = 60) =>
  createCollectorRole(agent(nodeName), { store, leases, clock: realClock }, seconds);

describe('createCollectorRole()', () => {
  it('is one agent’s until it gives it up', async () => {
    const [first, second] = [roleOf('node1'), roleOf('node2')];
    const guard = await first.take(deadline());
    expect(guard).toBeDefined();
    expect(await second.take(deadline())).toBeUndefined();
    expect(await first.take(deadline())).toEqual(guard);
    await first.release(deadline());
    expect(await etcd.get(COLLECTOR_KEY)).toBeUndefined();
    expect(await second.take(deadline())).toBeDefined();
    expect(await first.take(deadline())).toBeUndefined();
  });

  it('is another’s once an agent is silent, and guards what is written in it', async () => {
    const [silent, next] = [roleOf('node1', 1), roleOf('node2')];
    const guard = await silent.take(deadline());
    await vi.waitUntil(() => next.take(deadline()), { timeout: 10_000, interval: 200 });
    const write = [{ type: 'put' as const, key: '/x', value: 'x' }];
    expect(
      await store.commit({ expect: guard === undefined ? [] : [guard], write }, deadline()),
    ).toMatchObject({
      committed: false,
    });
    expect(await silent.take(deadline())).toBeUndefined();
  });

  it('is the same host’s after a new start', async () => {
    const before = await roleOf('node1').take(deadline());
    const after = await roleOf('node1').take(deadline());
    expect(after).toBeDefined();
    expect(after).not.toEqual(before);
    expect(await roleOf('node2').take(deadline())).toBeUndefined();
  });

  it('is nobody’s who cannot be understood', async () => {
    await etcd.put(COLLECTOR_KEY, '{');
    expect(await roleOf('node1').take(deadline())).toBeUndefined();
  });
});

const ENDPOINTS = '/calico/resources/v3/projectcalico.org/workloadendpoints/default/';
const handles = async () =>
  [...(await etcd.list('/calico/ipam/v2/handle/')).keys()].map((key) => key.split('/').at(-1));
const GRACE_MS = 300;
const PATIENCE = { timeout: 20_000 };
const POOLS = { '10.9.0.0/28': 30 };

function startCollector(nodeName: string, host: HostModel, mode: GarbageMode = 'on') {
  const { interruption, interrupt } = createInterrupter();
  const lines: string[] = [];
  const log = createLog({
    ...{ level: 'debug', pid: 1, nowNs: realClock.nowNs, context: {} },
    write: (line) => void lines.push(line),
  });
  const settings = { mode, graceMs: GRACE_MS, cniCache: undefined };
  const collector = createGarbageCollector(agent(nodeName), settings, {
    ...{ store, leases, clock: realClock, random: { fraction: Math.random }, log },
    ...{ interfacePrefix: 'cali', host: host.view },
  });
  const hear = async () => collector.onCluster(heardState(nodeName, await etcd.list('/calico/')));
  const ended = collector.keep(interruption);
  const stop = () => {
    interrupt('the end of the test');
    return ended;
  };
  onTestFinished(stop);
  return { collector, hear, stop, text: () => lines.join('') };
}

/** Some containers of node1, of which the host has a part; node2 has one as well. */
async function makeCluster(ids: readonly string[], live: readonly string[]): Promise<HostModel> {
  await etcd.putAll(smallCluster(POOLS));
  const host = createHostModel();
  for (const containerId of ids) await addRecords({ containerId, nodeName: 'node1' })(store);
  await addRecords({ containerId: 'far', nodeName: 'node2' })(store);
  for (const id of live) host.interfaces.add(`cali${id}`);
  return host;
}

describe('createGarbageCollector()', () => {
  it('tells what is lost in a dry run, and collects it otherwise', async () => {
    const host = await makeCluster(['a', 'b'], ['b']);
    const revision = await etcd.revision();
    const dry = startCollector('node1', host, 'dry-run');
    await dry.hear();
    await vi.waitUntil(() => dry.collector.status().collected.containers === 1, PATIENCE);
    expect(dry.text()).toMatch(/garbage: would collect container .*container="a"/);
    await dry.stop();
    expect(await etcd.revision()).toBe(revision);

    const real = startCollector('node1', host);
    await real.hear();
    const status = real.collector.status;
    // The role is taken after the containers of a look.
    await vi.waitUntil(() => status().collected.containers === 1 && status().isCollector, PATIENCE);
    expect(status()).toMatchObject({ mode: 'on', failure: undefined });
    expect(real.text()).toMatch(/garbage: collected container .*container="a" handle="net1\.a"/);
    expect(await handles()).toEqual(['net1.b', 'net1.far']);
    await real.stop();
    expect(await etcd.get(COLLECTOR_KEY)).toBeUndefined();
  });

  it('looks after removed nodes with one agent of several, and with another when that ends', async () => {
    const host = await makeCluster(['a'], ['a']);
    const agents = ['node1', 'node3'].map((name) => startCollector(name, host));
    const remove = async (name: string) => {
      await addRecords({ containerId: `of-${name}`, nodeName: name })(store);
      await etcd.remove(nodeKey(name));
      await etcd.remove(`${ENDPOINTS}${name}`);
      for (const one of agents) await one.hear();
    };
    const isGone = async (name: string) => (await etcd.list(`/calico/ipam/v2/host/${name}/`)).size === 0;
    await remove('node4');
    await vi.waitUntil(() => isGone('node4'), PATIENCE);
    const leading = agents.filter(({ collector }) => collector.status().isCollector);
    expect(leading).toHaveLength(1);
    await leading[0]?.stop();
    await remove('node2');
    await vi.waitUntil(() => isGone('node2'), PATIENCE);
    const counts = () => agents.map(({ collector }) => collector.status().collected.addresses).sort();
    // It counts what it has the answer for.
    await vi.waitUntil(() => counts().at(-1) === 2, PATIENCE);
    expect(counts()).toEqual([1, 2]);
    expect(await handles()).toEqual(['net1.a']);
  });

  it('goes on after looks that fail, and says why they do', async () => {
    const host = await makeCluster(['a'], []);
    const { look } = host.view;
    Object.assign(host.view, {
      look: () => {
        throw new Error('the kernel says no');
      },
    });
    const one = startCollector('node1', host);
    await one.hear();
    await vi.waitUntil(() => one.collector.status().failure === 'the kernel says no', PATIENCE);
    Object.assign(host.view, { look });
    await vi.waitUntil(() => one.collector.status().collected.containers === 1, PATIENCE);
    await vi.waitUntil(() => one.collector.status().failure === undefined, PATIENCE);
    expect(one.collector.status()).toMatchObject({ suspects: expect.any(Number) });
    expect(one.text().match(/the kernel says no/g)).toHaveLength(1);
  });
});

describe('a collector on etcd that is cut off', () => {
  const GRACE = 90_000;

  /** Two looks at everything, a grace period apart. */
  const collect =
    (host: HostModel, state: ClusterState) =>
    async (gated: Store): Promise<void> => {
      const clock = modelClock();
      clock.setWall(3_600_000);
      const settings = { mode: 'on' as const, graceMs: GRACE, cniCache: undefined };
      const ports = { store: gated, clock, random: Math.random, report: listingReport() };
      const role = createCollectorRole(agent('node1'), { store: gated, leases, clock }, 60);
      const containers = createContainerCollector('cali', settings, { ...ports, host: host.view });
      const nodes = createRemovedNodeCollector(settings, { ...ports, role });
      for (let look = 0; look < 2; look++) {
        await containers.look(state, endlessDeadline());
        await nodes.look(state, endlessDeadline());
        clock.pass(GRACE);
      }
    };

  it('leaves nothing half done, whichever of its requests is its last, and the next one does the rest', async () => {
    const host = await makeCluster(['a', 'b', 'c'], ['b']);
    await etcd.remove(nodeKey('node2'));
    await etcd.remove(`${ENDPOINTS}node2`);
    const before = await etcd.list('/calico/');
    const state = heardState('node1', before);
    const live = new Map([['b', heldBy('b', before)]]);
    const whole = await runActors(store, [collect(host, state)], []);
    const wrong = async () =>
      datastoreViolations(await etcd.list('/calico/'), { network: NETWORK_NAME, live });
    expect(await wrong()).toEqual([]);
    const cuts = everyCut(whole.trace).filter(({ mode }) => mode.startsWith('killed'));
    expect(cuts.length).toBeGreaterThan(15);
    for (const cut of cuts) {
      await etcd.wipe();
      await etcd.putAll(before);
      const { outcomes } = await runActors(store, [collect(host, state)], [], cut);
      expect(outcomes[0]).toMatchObject({ status: 'rejected', reason: expect.any(Killed) });
      expect(clusterViolations(clusterOf(await etcd.list('/calico/')))).toEqual([]);
      await collect(host, state)(store);
      expect(await wrong()).toEqual([]);
    }
  }, 30_000);
});

function heldBy(id: string, values: ReadonlyMap<string, string>): readonly string[] {
  const endpoint = [...values].find(([key]) => key.includes(`/workloadendpoints/default/node1-cni-${id}-`));
  return JSON.parse(endpoint?.[1] ?? '{}').spec.ipNetworks.map((network: string) => network.split('/')[0]);
}
