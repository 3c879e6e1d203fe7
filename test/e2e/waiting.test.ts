/** What an ADD waits for: gates before it begins, and Felix, which programs the policy of the pod that it made. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { writeCluster } from '../support/cluster.ts';
import { moveTo, type TestNetns, whyNoNetns } from '../support/netns.ts';
import { listening } from '../support/peer.ts';
import {
  dumpCalico,
  leftovers,
  type SimulatedNode,
  startNode,
  succeeded,
} from '../support/simulated-node.ts';

const why = whyNoNetns();
const skipped = why === undefined ? '' : ` (skipped: ${why})`;

const ENDPOINT = '/calico/resources/v3/projectcalico.org/workloadendpoints/shop/node1-k8s-web-eth0';
const POD = { containerId: 'c1', args: 'IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web' };
const NO_POD = { containerId: 'c1', args: '' };

describe.skipIf(why !== undefined)(`an ADD waits${skipped}`, () => {
  let node: SimulatedNode;
  let home: Disposable;
  let folder: string;
  let pod: TestNetns;

  beforeAll(async () => {
    node = await startNode();
    home = moveTo(node.host);
    folder = mkdtempSync(join(tmpdir(), 'waiting-'));
    await writeCluster(node.etcd);
  });
  afterAll(async () => {
    home[Symbol.dispose]();
    await node.stop();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    pod = node.makePod();
  });

  const add = (conf: object, call = POD) => node.cni('ADD', { ...call, netns: pod.path, conf });
  const del = async (conf: object, call = POD) => {
    succeeded(await node.cni('DEL', { ...call, netns: pod.path, conf }));
    expect(await leftovers(node)).toEqual([]);
  };

  describe('for readiness gates', () => {
    /** A gate that is closed until it is opened; gives its URL. */
    async function makeGate() {
      const gate = { isOpen: false, asked: 0, url: '' };
      const server = createServer((_request, response) => {
        gate.asked += 1;
        response.writeHead(gate.isOpen ? 200 : 503).end();
      });
      onTestFinished(() => void server.close());
      gate.url = `http://127.0.0.1:${await listening(server)}/ready`;
      return gate;
    }

    it('until the last one is open, and changes nothing before', async () => {
      const gates = [await makeGate(), await makeGate()];
      const conf = { readiness_gates: gates.map(({ url }) => url) };
      const before = await dumpCalico(node);
      const adding = add(conf);
      setTimeout(() => Object.assign(gates[0] ?? {}, { isOpen: true }), 500);
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      expect(await dumpCalico(node)).toEqual(before);
      expect(pod.sh('ip -o link')).not.toContain('eth0');
      Object.assign(gates[1] ?? {}, { isOpen: true });

      const answer = succeeded(await adding);

      expect(answer.elapsedMs).toBeGreaterThan(1_900);
      expect(pod.sh('ip -o link')).toContain('eth0');
      const asked = gates.map((gate) => gate.asked);
      await del(conf);
      expect(gates.map((gate) => gate.asked)).toEqual(asked);
    });

    it('no longer than it takes to ask those that are open', async () => {
      const gate = await makeGate();
      gate.isOpen = true;
      const conf = { readiness_gates: [gate.url] };
      // Calico asks after five seconds for the first time.
      expect(succeeded(await add(conf)).elapsedMs).toBeLessThan(5_000);
      expect(gate.asked).toBe(1);
      await del(conf);
    });

    it('not at all for what is no URL', async () => {
      const { json } = await add({ readiness_gates: ['ready?'] });
      expect(json).toMatchObject({
        code: 7,
        msg: expect.stringContaining('invalid URL set for ReadinessGates'),
      });
    });
  });

  describe('for policy', () => {
    /** A directory of Felix's that is not there yet, and a configuration that waits for it. */
    const waiting = (name: string, seconds: number) => {
      const directory = join(folder, name);
      return { directory, conf: { policy_setup_timeout_seconds: seconds, endpoint_status_dir: directory } };
    };
    /** Writes the status of the pod's endpoint as Felix does. */
    const report = (directory: string, text: string) => {
      mkdirSync(directory, { recursive: true });
      writeFileSync(join(directory, 'k8s shop%2Fweb eth0'), text);
    };
    const endpoint = () =>
      vi.waitUntil(async () => JSON.parse((await node.etcd.get(ENDPOINT)) ?? 'null') ?? undefined, 15_000);

    it('until Felix has reported on this very interface', async () => {
      const { directory, conf } = waiting('reported', 20);
      report(directory, '{"ifaceName":"cali551b05c3e54","mac":"02:00:00:00:00:01"}');
      const adding = add(conf);
      const { mac, ipNetworks, interfaceName } = (await endpoint()).spec;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      report(
        directory,
        JSON.stringify({ ifaceName: interfaceName, mac, ipv4Nets: ipNetworks, ipv6Nets: [] }),
      );
      const answer = succeeded(await adding);
      expect(answer.elapsedMs).toBeGreaterThan(1_000);
      expect(answer.elapsedMs).toBeLessThan(15_000);
      expect(answer.stderr).not.toContain('WARN');
      await del(conf);
    });

    it('in a directory that comes later, for the empty file of older releases', async () => {
      const { directory, conf } = waiting('later', 20);
      const adding = add(conf);
      await endpoint();
      report(directory, '');
      expect(succeeded(await adding).stderr).not.toContain('WARN');
      await del(conf);
    });

    it('as long as it is told, and then goes on with a warning', async () => {
      const { directory, conf } = waiting('never', 1);
      const answer = succeeded(await add(conf));
      expect(answer.elapsedMs).toBeGreaterThan(1_000);
      expect(answer.elapsedMs).toBeLessThan(15_000);
      expect(answer.stderr).toContain(
        `timed out waiting for endpoint status file '${directory}/k8s shop%2Fweb eth0' for 1000 ms`,
      );
      await del(conf);
    });

    it('not outside Kubernetes', async () => {
      const { conf } = waiting('none', 20);
      expect(succeeded(await add(conf, NO_POD)).elapsedMs).toBeLessThan(15_000);
      await del(conf, NO_POD);
    });
  });
});
