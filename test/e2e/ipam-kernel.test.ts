/** `calico ipam check --with-kernel` on a node with real pods. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeCluster } from '../support/cluster.ts';
import { executable } from '../support/executable.ts';
import { whyNoNetns } from '../support/netns.ts';
import { output, run } from '../support/run.ts';
import { type SimulatedNode, startNode, succeeded } from '../support/simulated-node.ts';

const why = whyNoNetns();

describe.skipIf(why !== undefined)(
  `a check with the kernel${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    let node: SimulatedNode;

    beforeAll(async () => {
      node = await startNode();
      await writeCluster(node.etcd);
    });
    afterAll(() => node.stop());

    const onHost = (...command: readonly string[]) => output(command, { netns: node.host.name });
    const check = () =>
      run([executable('calico'), 'ipam', 'check', '--with-kernel', '--node', 'node1'], {
        netns: node.host.name,
        env: { ETCD_ENDPOINTS: node.etcd.endpoint },
      });

    it('finds nothing, then a route, an interface and an endpoint that are missing', async () => {
      const pod = node.makePod();
      const call = { containerId: 'abc', netns: pod.path };
      const { json } = succeeded(await node.cni('ADD', call));
      const address = json.ips[0].address;
      const healthy = await check();
      expect(healthy.stdout).toMatch(/^nothing found in /);
      expect(healthy.exitCode).toBe(0);

      await onHost('ip', 'route', 'del', address);
      const unrouted = await check();
      expect(unrouted.exitCode).toBe(1);
      expect(unrouted.stdout).toContain('endpoint-without-route (1)');
      expect(unrouted.stdout).toContain(`this node has no route to ${address.split('/')[0]} by caliabc\n`);

      await onHost('ip', 'link', 'del', 'caliabc');
      await onHost('ip', 'link', 'add', 'calistray', 'type', 'veth', 'peer', 'name', 'straypeer');
      const { stdout } = await check();
      expect(stdout).toContain('its interface caliabc does not exist on this node\n');
      expect(stdout).toContain('link-without-endpoint (1)');
      expect(stdout).toContain('interface calistray has no endpoint on this node\n');
      succeeded(await node.cni('DEL', call));
    });
  },
);
