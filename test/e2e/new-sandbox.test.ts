/** A pod that gets a new sandbox while the earlier one runs, on a real kernel and a real etcd. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeCluster } from '../support/cluster.ts';
import { type TestNetns, whyNoNetns } from '../support/netns.ts';
import {
  dumpCalico,
  leftovers,
  type SimulatedNode,
  startNode,
  succeeded,
} from '../support/simulated-node.ts';

const why = whyNoNetns();
const ENDPOINT = '/calico/resources/v3/projectcalico.org/workloadendpoints/test/node1-k8s-web--1-eth0';
const HOST_IF_NAME = 'cali9aa35139ea0';

describe.skipIf(why !== undefined)(
  `a pod's new sandbox${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    let node: SimulatedNode;
    beforeAll(async () => {
      node = await startNode();
      await writeCluster(node.etcd);
      node.host.sh('ip address add 192.0.2.1/32 dev lo');
    });
    afterAll(async () => {
      await node.stop();
    });

    const call = (command: string, containerId: string, { path }: TestNetns) => {
      const args = `IgnoreUnknown=1;K8S_POD_NAMESPACE=test;K8S_POD_NAME=web-1;K8S_POD_INFRA_CONTAINER_ID=${containerId}`;
      return node.cni(command, { containerId, netns: path, args });
    };
    const addressOf = ({ json }: { json: { ips: [{ address: string }] } }) =>
      json.ips[0].address.replace('/32', '');
    const pings = (address: string) => node.host.sh(`ping -c 1 -W 2 ${address}`).includes('1 received');

    it('costs the earlier one nothing until it works itself, and then outlives its DEL', async () => {
      const [earlier, later] = [node.makePod(), node.makePod()];
      const first = addressOf(succeeded(await call('ADD', 'earlier', earlier)));
      const recorded = (await dumpCalico(node)).get(ENDPOINT);
      // Addresses are given out in order, so the next one is known.
      const next = first.replace(/\d+$/, (last) => String(Number(last) + 1));
      node.host.sh(
        `ip link add name other type bridge; ip link set other up; ip route add ${next} dev other`,
      );

      const refused = await call('ADD', 'later', later);

      expect(refused.exitCode).toBe(1);
      expect(refused.json.msg).toContain(`already exists for an interface other than '${HOST_IF_NAME}'`);
      expect(pings(first)).toBe(true);
      expect((await dumpCalico(node)).get(ENDPOINT)).toBe(recorded);

      node.host.sh('ip link del other');
      const second = addressOf(succeeded(await call('ADD', 'later', later)));

      expect(pings(second)).toBe(true);
      expect(node.host.sh('ip -br link')).toContain(`${HOST_IF_NAME}@`);
      expect(earlier.sh('ip -br link')).not.toContain('eth0');
      succeeded(await call('DEL', 'earlier', earlier));
      expect(pings(second)).toBe(true);
      succeeded(await call('DEL', 'later', later));
      expect(await leftovers(node)).toEqual([]);
    });
  },
);
