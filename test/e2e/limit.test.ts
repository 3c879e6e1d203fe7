/** As many containers as addresses: all get one, the next is told why not, and all of it again after deleting. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeCluster, writePool } from '../support/cluster.ts';
import { datastoreViolations } from '../support/datastore-violations.ts';
import { type Etcd, startEtcd } from '../support/etcd.ts';
import { EXECUTABLE_FOLDER, runExecutable } from '../support/executable.ts';
import type { Finished } from '../support/run.ts';

const ADDRESSES = 32;
const AT_ONCE = 8;

describe('a pool of 32 addresses', () => {
  let etcd: Etcd;

  beforeAll(async () => {
    etcd = await startEtcd();
    await writeCluster(etcd, { pools: {} });
    await writePool(etcd, 'small', '10.9.0.0/27', { blockSize: 29 });
  });
  afterAll(async () => {
    await etcd.stop();
  });

  const call = (command: 'ADD' | 'DEL', containerId: string): Promise<Finished> =>
    runExecutable('calico-ipam', {
      env: {
        CNI_COMMAND: command,
        CNI_CONTAINERID: containerId,
        CNI_NETNS: '/run/netns/none',
        CNI_IFNAME: 'eth0',
        CNI_PATH: EXECUTABLE_FOLDER,
      },
      stdin: JSON.stringify({
        cniVersion: '1.0.0',
        name: 'net',
        type: 'calico',
        etcd_endpoints: etcd.endpoint,
        nodename: 'node1',
        nodename_file_optional: true,
        log_level: 'error',
        ipam: { type: 'calico-ipam' },
      }),
    });
  const all = async (command: 'ADD' | 'DEL', ids: readonly string[]) => {
    const finished: Finished[] = [];
    for (let i = 0; i < ids.length; i += AT_ONCE) {
      finished.push(...(await Promise.all(ids.slice(i, i + AT_ONCE).map((id) => call(command, id)))));
    }
    for (const { exitCode, stdout, stderr } of finished) expect(exitCode, stdout + stderr).toBe(0);
    return finished.map(({ stdout }) => stdout);
  };

  it.each([1, 2, 3])('goes to 32 containers, and not to a 33rd: round %i', async (round) => {
    const ids = Array.from({ length: ADDRESSES }, (_unused, i) => `r${round}c${i}`);
    const addresses = (await all('ADD', ids)).map((stdout) => JSON.parse(stdout).ips[0].address);
    expect(new Set(addresses).size).toBe(ADDRESSES);

    const { exitCode, stdout } = await call('ADD', 'one-too-many');
    expect(exitCode).toBe(1);
    const { code, msg, details } = JSON.parse(stdout);
    expect(code).toBe(102);
    expect(msg).toContain('No IPs available in pools: [10.9.0.0/27]');
    expect(`${msg} ${details}`).toMatch(/small|10\.9\.0\.0\/27/);
    await all('DEL', ['one-too-many', ...ids]);
    expect(datastoreViolations(await etcd.list('/calico/'), { network: 'net', live: new Map() })).toEqual([]);
  });
});
