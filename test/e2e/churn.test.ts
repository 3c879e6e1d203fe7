/**
 * Real processes, really killed: 16 writers on four nodes add and delete containers in tiny pools, and every fourth
 * call dies of kill -9 somewhere in the middle. After the DELs a runtime would send, nothing may be left.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeCluster, writePool } from '../support/cluster.ts';
import { datastoreViolations } from '../support/datastore-violations.ts';
import { EXECUTABLE_FOLDER, runExecutable } from '../support/executable.ts';
import type { Finished } from '../support/run.ts';
import { DATASTORES, startDatastore, type TestDatastore } from '../support/test-datastore.ts';

const NETWORK = 'churn';
const NODES = ['node1', 'node2', 'node3', 'node4'];
const WRITERS = 16;
const CHURN_MS = 15_000;
const KILLED_SHARE = 0.25;
/** A call takes some 100 ms; loaded as here, several times that. */
const LONGEST_LIFE_MS = 1_500;
const LONGEST_STAY_MS = 500;
const NO_ADDRESS = 102;

describe.each(DATASTORES)('16 writers on four nodes, some of them killed, on %s', (which) => {
  let datastore: TestDatastore;
  let folder: string;

  beforeAll(async () => {
    datastore = await startDatastore(which);
    folder = mkdtempSync(join(tmpdir(), 'churn-'));
    await writeCluster(datastore, { nodes: NODES, pools: {} });
    await writePool(datastore, 'tiny', '10.9.0.0/28', { blockSize: 30 });
    await writePool(datastore, 'tiny-v6', 'fd00:9::/124', { blockSize: 126 });
  });
  afterAll(async () => {
    await datastore.stop();
    rmSync(folder, { recursive: true });
  });

  function call(
    command: 'ADD' | 'DEL',
    node: string,
    containerId: string,
    killAfterMs?: number,
  ): Promise<Finished> {
    const conf = {
      cniVersion: '1.0.0',
      name: NETWORK,
      type: 'calico',
      ...datastore.conf,
      nodename: node,
      nodename_file_optional: true,
      log_level: 'debug',
      // A lock for each node, as if they were machines: the datastore alone must keep them apart.
      ipam_lock_file: join(folder, `${node}.lock`),
      ipam: { type: 'calico-ipam', assign_ipv6: 'true' },
    };
    const env = {
      CNI_COMMAND: command,
      CNI_CONTAINERID: containerId,
      CNI_NETNS: '/run/netns/none',
      CNI_IFNAME: 'eth0',
      CNI_PATH: EXECUTABLE_FOLDER,
    };
    return runExecutable('calico-ipam', {
      env,
      stdin: JSON.stringify(conf),
      timeoutMs: killAfterMs ?? 60_000,
    });
  }

  it('leak nothing and give no address twice', async () => {
    const owners = new Map<string, string>();
    const unclean = new Map<string, string>();
    const duplicates: string[] = [];
    const unexpected: string[] = [];
    const count = { ADD: 0, DEL: 0, killed: 0, refused: 0, conflicts: 0 };
    const endMs = performance.now() + CHURN_MS;

    const perform = async (command: 'ADD' | 'DEL', node: string, id: string) => {
      const killAfterMs =
        Math.random() < KILLED_SHARE ? Math.ceil(Math.random() * LONGEST_LIFE_MS) : undefined;
      const finished = await call(command, node, id, killAfterMs);
      count[command] += 1;
      count.conflicts += finished.stderr.split('another writer was faster').length - 1;
      if (finished.exitCode === undefined) count.killed += 1;
      else if (finished.exitCode !== 0 && JSON.parse(finished.stdout).code === NO_ADDRESS) count.refused += 1;
      else if (finished.exitCode !== 0) unexpected.push(finished.stdout);
      return finished;
    };

    const writer = async (index: number) => {
      const node = NODES[index % NODES.length] ?? '';
      for (let turn = 0; performance.now() < endMs; turn++) {
        const id = `w${index}t${turn}`;
        unclean.set(id, node);
        const added = await perform('ADD', node, id);
        const addresses: string[] =
          added.exitCode === 0
            ? JSON.parse(added.stdout).ips.map(({ address }: { address: string }) => address)
            : [];
        for (const address of addresses) {
          const owner = owners.get(address);
          if (owner !== undefined) duplicates.push(`${address} of ${owner} was given to ${id}`);
          owners.set(address, id);
        }
        await setTimeout(Math.random() * LONGEST_STAY_MS);
        // From here on the addresses may be free, even if this DEL is killed.
        for (const address of addresses) owners.delete(address);
        const deleted = await perform('DEL', node, id);
        if (deleted.exitCode === 0) unclean.delete(id);
      }
    };
    await Promise.all(Array.from({ length: WRITERS }, (_unused, index) => writer(index)));

    const left = [...unclean];
    for (let i = 0; i < left.length; i += 8) {
      const calls = left.slice(i, i + 8).map(([id, node]) => call('DEL', node, id));
      for (const { exitCode, stdout } of await Promise.all(calls)) expect(exitCode, stdout).toBe(0);
    }
    // biome-ignore lint/suspicious/noConsole: the figures are part of the result
    console.log(
      `churn on ${which}: ${count.ADD} ADDs, ${count.DEL} DELs, ${count.killed} killed, ${count.refused} refused for want of addresses, ${count.conflicts} conflicts, ${left.length} DELs to clean up`,
    );
    expect(unexpected).toEqual([]);
    expect(duplicates).toEqual([]);
    expect(count.killed).toBeGreaterThan(0);
    expect(
      datastoreViolations(await datastore.list('/calico/'), { network: NETWORK, live: new Map() }),
    ).toEqual([]);
  }, 180_000);
});
