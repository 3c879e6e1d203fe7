/** `calico bootstrap`: from nothing to a networked pod. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { executable } from '../support/executable.ts';
import { whyNoNetns } from '../support/netns.ts';
import { run } from '../support/run.ts';
import { type SimulatedNode, startNode, succeeded } from '../support/simulated-node.ts';

const why = whyNoNetns();

describe.skipIf(why !== undefined)(`calico bootstrap${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let node: SimulatedNode;
  let folder: string;

  beforeAll(async () => {
    node = await startNode();
    folder = mkdtempSync(join(tmpdir(), 'bootstrap-'));
  });
  afterAll(async () => {
    await node.stop();
    rmSync(folder, { recursive: true });
  });

  const bootstrap = (...args: readonly string[]) =>
    run([executable('calico'), 'bootstrap', '--pool', '10.8.0.0/16', '--node', 'node1', ...args], {
      netns: node.host.name,
    });
  const stores = () =>
    [
      ['etcd', ['--etcd-endpoints', node.etcd.endpoint], {}],
      [
        'the embedded datastore',
        ['--datastore-type', 'embedded', '--datastore-path', join(folder, 'calico.db')],
        { datastore_type: 'embedded', datastore_path: join(folder, 'calico.db'), etcd_endpoints: undefined },
      ],
    ] as const;

  it.each([0, 1])('is all that a datastore needs (store %i)', async (index) => {
    const [, flags, conf] = stores()[index] ?? stores()[0];
    const pod = node.makePod();
    const call = { containerId: 'abc', netns: pod.path, conf };
    expect((await node.cni('ADD', call)).json).toMatchObject({
      code: 103,
      msg: expect.stringContaining('ClusterInformation'),
    });
    const first = await bootstrap(...flags);
    expect(first.stderr).toBe('');
    expect(first.stdout).toBe(
      'created cluster information\ncreated pool default-ipv4-ippool 10.8.0.0/16\ncreated node node1\n',
    );
    expect((await bootstrap(...flags)).stdout).not.toContain('created');
    const { json } = succeeded(await node.cni('ADD', call));
    expect(json.ips[0].address).toMatch(/^10\.8\.\d+\.\d+\/32$/);
    succeeded(await node.cni('DEL', call));
  });

  it('says what is wrong, and ends with 1', async () => {
    const { exitCode, stderr } = await run([executable('calico'), 'bootstrap', '--pool', '10.8.0.1/16'], {
      netns: node.host.name,
    });
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      'Error: invalid pool "10.8.0.1/16": 10.8.0.1 is not the first address of a /16; did you mean 10.8.0.0/16?',
    );
  });
});
