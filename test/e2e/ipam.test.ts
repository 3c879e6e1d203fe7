/** `calico ipam` from end to end, on both datastores: what it finds, what it puts right, what it leaves alone. */

import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEtcdStore } from '../../src/datastore/etcd/etcd-store.ts';
import { openSqliteStore } from '../../src/datastore/sqlite/sqlite-store.ts';
import type { Store } from '../../src/datastore/store.ts';
import { deadline, realClock } from '../support/clock.ts';
import { DAMAGE_CASES, healthyCluster } from '../support/damages.ts';
import { datastoreViolations } from '../support/datastore-violations.ts';
import { runExecutable } from '../support/executable.ts';
import { addRecords } from '../support/record-calls.ts';
import type { Finished } from '../support/run.ts';
import { DATASTORES, startDatastore, type TestDatastore } from '../support/test-datastore.ts';

const ENDPOINTS = '/calico/resources/v3/projectcalico.org/workloadendpoints/';
/** Before any clock that a test may run by. */
const LONG_AGO_NS = 1_600_000_000_000_000_000n;
/** Put right without a person, and made by writing alone. */
const REPAIRABLE = [
  'a handle of nothing',
  'a handle counts too many',
  'a confirmed affinity to no block',
  'an empty block of nobody',
];

describe.each(DATASTORES)('calico ipam on %s', (which) => {
  let datastore: TestDatastore;
  let folder: string;
  let store: Store;

  beforeAll(async () => {
    datastore = await startDatastore(which);
    folder = mkdtempSync(join(tmpdir(), 'ipam-'));
    store = openStore(which, datastore);
    for (const [key, value] of await healthyCluster()) await datastore.put(key, value);
  });
  afterAll(async () => {
    await store.close();
    await datastore.stop();
    rmSync(folder, { recursive: true });
  });

  const ipam = (...args: readonly string[]): Promise<Finished> =>
    runExecutable('calico', { args: ['ipam', ...args, ...datastore.flags] });

  it('finds nothing wrong with a healthy cluster, and ends with 0', async () => {
    const { stdout, stderr, exitCode } = await ipam('check', '--grace', '0');
    expect(stdout).toMatch(/^nothing found in 2 pools, 4 nodes, 3 endpoints, 3 handles, /);
    expect(stderr).toBe('');
    expect(exitCode).toBe(0);
  });

  it('shows pools, blocks, one block, and whose an address is', async () => {
    expect((await ipam('show')).stdout).toContain('| IP Pool  | 10.9.0.0/24  |       256 |     3 (1%) |');
    const { pools } = JSON.parse((await ipam('show', '--blocks', '-o', 'json')).stdout);
    const [block] = pools[0].blocks;
    expect(block).toMatchObject({ total: 16, affinity: expect.stringMatching(/^host:node/) });
    const drawn = await ipam('show', '--block', block.cidr);
    expect(drawn.stdout).toMatch(new RegExp(`^${block.cidr} {2}affine to host:node[12]\n {3}0 \\[a\\]`));
    const address = block.cidr.split('/')[0];
    expect((await ipam('show', '--ip', address)).stdout).toMatch(
      new RegExp(`^IP ${address} is in use\nHandle ID: net1.c\\d\nActive Owner Attributes:\n`),
    );
    expect((await ipam('show', '--ip', '10.9.0.255')).stdout).toBe('10.9.0.255 is not assigned\n');
  });

  it('changes the rules, tells how, and refuses what excludes each other', async () => {
    expect((await ipam('configure', '--strict-affinity=true', '--max-blocks-per-host=3')).stdout).toBe(
      'StrictAffinity: false -> true\nMaxBlocksPerHost: 0 -> 3\n',
    );
    const shown = await ipam('show', '--show-configuration');
    expect(shown.stdout).toContain('| MaxBlocksPerHost             | 3       |');
    const refused = await ipam('configure', '--strict-affinity=false');
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain('MaxBlocksPerHost requires StrictAffinity to be enabled');
    await ipam('configure', '--strict-affinity=false', '--max-blocks-per-host=0');
    expect((await ipam('configure', '--strict-affinity=false')).stdout).toBe('nothing changed\n');
  });

  it('refuses to release the address of an endpoint', async () => {
    const address = (await addresses(datastore))[0] ?? '';
    const { stdout, exitCode } = await ipam('release', '--ip', address);
    expect(stdout).toMatch(/^left alone: .* is the address of endpoint /);
    expect(exitCode).toBe(1);
    expect((await ipam('check', '--grace', '0')).exitCode).toBe(0);
  });

  it('writes a report that its owner alone may read, and repairs from it while pods come and go', async () => {
    const leaked = Array.from({ length: 4 }, (_, i) => `leaked${i}`);
    for (const containerId of leaked) await leak(store, containerId);
    const values = new Map(await datastore.list('/calico/'));
    const before = new Map(values);
    for (const { inflict } of DAMAGE_CASES.filter(({ what }) => REPAIRABLE.includes(what))) inflict(values);
    for (const [key, value] of values) if (before.get(key) !== value) await datastore.put(key, value);

    const report = join(folder, 'report.json');
    const found = await ipam('check', '--grace', '0', '--report', report);
    expect(found.exitCode).toBe(1);
    expect(statSync(report).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['report.json']);
    const { findings } = JSON.parse(readFileSync(report, 'utf8'));
    expect(findings).toHaveLength(leaked.length + REPAIRABLE.length);
    for (const { key } of findings) expect(found.stdout).toContain(key);
    const dry = await ipam('release', '--from-report', report, '--dry-run');
    expect(dry.stdout.match(/^would have released /gm)).toHaveLength(leaked.length);
    expect(new Map(await datastore.list('/calico/'))).toEqual(values);

    const live = new Map(await addressesOfContainers(datastore));
    const add = async (containerId: string) => {
      const nodeName = `node${1 + (containerId.length % 3)}`;
      live.set(containerId, await addRecords({ containerId, nodeName, nowNs: LONG_AGO_NS })(store));
    };
    const repeated = leaked.slice(0, 2).map((containerId) => async () => {
      const again = await addRecords({ containerId, nodeName: 'node1', nowNs: LONG_AGO_NS })(store);
      live.set(containerId, again);
    });
    const fresh = Array.from({ length: 12 }, (_, i) => () => add(`new${'x'.repeat(i)}`));
    const [released] = await Promise.all([
      ipam('release', '--from-report', report, '--yes'),
      ...[...fresh, ...repeated].map(async (work, i) => {
        await setTimeout(i * 10);
        await work();
      }),
    ]);
    expect(released.stderr).toBe('');
    expect(released.stdout).toMatch(/^released /m);
    const all = await datastore.list('/calico/');
    expect(datastoreViolations(all, { network: 'net1', live })).toEqual([]);
    const after = await ipam('check', '--grace', '0');
    expect(after.stdout).toMatch(/^nothing found in /);
  });

  it('says what is wrong with a report, and with what is asked', async () => {
    const path = join(folder, 'nonsense.json');
    writeFileSync(path, '{"version":2}');
    expect((await ipam('release', '--from-report', path)).stderr).toContain(
      `${path} is no report of calico ipam check: version`,
    );
    expect((await ipam('release', '--from-report', join(folder, 'none'))).stderr).toContain('cannot read ');
    expect((await ipam('release', '--handle', 'net1.none')).stderr).toContain(
      'there is no handle "net1.none"',
    );
    expect((await ipam('release')).stderr).toContain('say what: --ip, --handle or --from-report');
    expect((await ipam('show', '--block', '10.9.1.0/28')).stderr).toContain('there is no block 10.9.1.0/28');
    expect((await ipam('show', '--output', 'xml')).stderr).toContain('invalid --output "xml"');
    expect((await ipam('check', '--report', join(folder, 'none', 'report'))).stderr).toContain(
      'cannot write ',
    );
  });
});

/** Of all endpoints. */
async function addresses(datastore: TestDatastore): Promise<readonly string[]> {
  return [...(await addressesOfContainers(datastore)).values()].flat();
}

async function addressesOfContainers(
  datastore: TestDatastore,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const endpoints = await datastore.list(ENDPOINTS);
  return new Map(
    [...endpoints.values()].map((value) => {
      const { containerID, ipNetworks } = JSON.parse(value).spec;
      return [containerID, ipNetworks.map((network: string) => network.replace(/\/\d+$/, ''))];
    }),
  );
}

/** An address without an endpoint. */
async function leak(store: Store, containerId: string): Promise<void> {
  await addRecords({ containerId, nodeName: 'node1', nowNs: LONG_AGO_NS })(store);
  const key = `${ENDPOINTS}default/node1-cni-${containerId}-eth0`;
  const { entries } = await store.read([{ key }], deadline());
  const expect = [{ key, revision: entries[0]?.[0]?.revision ?? '' }];
  await store.commit({ expect, write: [{ type: 'delete', key }] }, deadline());
}

function openStore(which: (typeof DATASTORES)[number], { flags }: TestDatastore): Store {
  if (which !== 'etcd') return openSqliteStore(flags.at(-1) ?? '', realClock);
  const none = { caCertFile: undefined, certFile: undefined, keyFile: undefined, user: undefined };
  return openEtcdStore({ endpoints: [flags.at(-1) ?? ''], ...none }, realClock);
}
