/**
 * A main plugin that is killed while its IPAM plugin works: runtimes do that when their patience is over, and then call
 * DEL. An address that is assigned after that DEL would be nobody's.
 */

import { closeSync, copyFileSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tryLockFile } from '../../src/network/native.ts';
import { writeCluster } from '../support/cluster.ts';
import { executable } from '../support/executable.ts';
import { whyNoNetns } from '../support/netns.ts';
import { startCall } from '../support/running-call.ts';
import { leftovers, type SimulatedNode, startNode, succeeded } from '../support/simulated-node.ts';

const why = whyNoNetns();

describe.skipIf(why !== undefined)(`an orphan${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let node: SimulatedNode;
  let folder = '';
  beforeAll(async () => {
    node = await startNode();
    await writeCluster(node.etcd);
    folder = mkdtempSync(join(tmpdir(), 'orphan-'));
    // Another file than the main plugin's, so that it is run, and not done in the same process.
    copyFileSync(executable('calico-ipam'), join(folder, 'calico-ipam'));
  });
  afterAll(async () => {
    await node.stop();
    rmSync(folder, { recursive: true });
  });

  it.each([
    ['while it waits for the lock', 1_500],
    ['before it has begun', 130],
  ])('assigns nothing when its parent was killed %s', async (_when, afterMs) => {
    const file = join(folder, 'ipam.lock');
    const holder = openSync(file, 'a');
    expect(tryLockFile(holder)).toBe(true);
    const pod = { containerId: `orphan${afterMs}`.padEnd(16, '0'), netns: node.makePod().path };
    const conf = { ipam_lock_file: file, log_level: 'error' };
    const call = startCall(node, 'ADD', { ...pod, conf, path: folder });
    await sleep(afterMs);
    call.process.kill('SIGKILL');
    await sleep(500);
    succeeded(await node.cni('DEL', { ...pod, conf: { log_level: 'error' } }));
    closeSync(holder);
    await sleep(1_000);
    expect(await leftovers(node)).toEqual([]);
  });
});
