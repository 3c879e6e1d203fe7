/** A node without etcd: pods on the embedded datastore, with the keys and values that etcd would hold. */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alike } from '../support/alike.ts';
import { writeCluster, writePool } from '../support/cluster.ts';
import { whyNoNetns } from '../support/netns.ts';
import { dumpCalico, type SimulatedNode, startNode, succeeded } from '../support/simulated-node.ts';
import { startDatastore, type TestDatastore } from '../support/test-datastore.ts';

const why = whyNoNetns();
const PODS = 16;

describe.skipIf(why !== undefined)(
  `a node without etcd${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    let node: SimulatedNode;
    let datastore: TestDatastore;
    let folder: string;
    /** What an ADD answers and leaves in etcd, while there is one. */
    let onEtcd: { readonly result: object; readonly values: ReadonlyMap<string, string> };

    const ipam = { type: 'calico-ipam', assign_ipv6: 'true' };
    const conf = () => ({ ipam, etcd_endpoints: undefined, ...datastore.conf });
    const call = (containerId: string, netns: string) => ({ containerId, netns, conf: conf() });
    const elsewhere = (path: string) => ({ ...conf(), datastore_path: path });

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'embedded-'));
      node = await startNode();
      await writeCluster(node.etcd);
      await writePool(node.etcd, 'v6', 'fd00:9::/112');
      const pod = { containerId: 'aaaa', netns: node.makePod().path, conf: { ipam } };
      const { json } = succeeded(await node.cni('ADD', pod));
      onEtcd = { result: json, values: await dumpCalico(node) };
      succeeded(await node.cni('DEL', pod));
      await node.etcd.stop();

      datastore = await startDatastore('the embedded store');
      await writeCluster(datastore);
      await writePool(datastore, 'v6', 'fd00:9::/112');
    });
    afterAll(async () => {
      await datastore.stop();
      await node.stop();
      rmSync(folder, { recursive: true });
    });

    it('answers and keeps what it would with etcd', async () => {
      const pod = node.makePod();
      const { json } = succeeded(await node.cni('ADD', call('aaaa', pod.path)));
      expect(json).toEqual({
        ...onEtcd.result,
        interfaces: [
          { name: 'caliaaaa' },
          { name: 'eth0', mtu: 1440, mac: expect.any(String), sandbox: pod.path },
        ],
      });
      expect(alike(await datastore.list('/calico/'))).toEqual(alike(onEtcd.values));
      succeeded(await node.cni('DEL', call('aaaa', pod.path)));
    });

    it('connects pods that are added at once, and forgets them when they are deleted at once', async () => {
      const pods = Array.from({ length: PODS }, (_unused, i) => ({
        containerId: `${i.toString(16)}bcd`.repeat(4),
        netns: node.makePod(),
      }));
      const each = (command: string) =>
        Promise.all(pods.map(async (pod) => node.cni(command, call(pod.containerId, pod.netns.path))));
      const addresses = (await each('ADD')).map((answer) => succeeded(answer).json.ips[0].address);
      expect(new Set(addresses).size).toBe(PODS);
      const [first, last] = [pods.at(0)?.netns, addresses.at(-1)?.replace('/32', '')];
      expect(first?.sh(`ping -c 1 -W 2 ${last}`)).toContain('1 received');

      for (const answer of await each('DEL')) succeeded(answer);
      const left = [...(await datastore.list('/calico/')).keys()];
      expect(left.filter((key) => /handle|workloadendpoints/.test(key))).toEqual([]);
      expect(node.host.sh('ip -o link')).not.toContain('cali');
    });

    it('says how to set the datastore up where there is none, and makes no file', async () => {
      const path = join(folder, 'none/embedded.db');
      const pod = node.makePod();
      const add = await node.cni('ADD', { ...call('cccc', pod.path), conf: elsewhere(path) });
      expect(add.json).toMatchObject({ code: 103, details: expect.stringContaining('calico bootstrap') });
      expect(existsSync(join(folder, 'none'))).toBe(false);
    });

    it('takes the interface away also when the datastore cannot be used', async () => {
      const path = join(folder, 'notes.txt');
      writeFileSync(path, 'no database, but a text of some length\n', { mode: 0o600 });
      const pod = node.makePod();
      succeeded(await node.cni('ADD', call('dddd', pod.path)));
      const del = await node.cni('DEL', { ...call('dddd', pod.path), conf: elsewhere(path) });
      expect(del.json).toMatchObject({
        code: 105,
        msg: `the embedded datastore ${path} is not a database: file is not a database`,
      });
      expect(pod.sh('ip -o link')).not.toContain('eth0');
      succeeded(await node.cni('DEL', call('dddd', pod.path)));
    });
  },
);
