/** Many calls of the finished executable at once, on one node. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeCluster } from '../support/cluster.ts';
import { whyNoNetns } from '../support/netns.ts';
import {
  dumpCalico,
  leftovers,
  type SimulatedNode,
  startNode,
  succeeded,
} from '../support/simulated-node.ts';

const why = whyNoNetns();
const PODS = 64;

describe.skipIf(why !== undefined)(`64 pods at once${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let node: SimulatedNode;

  beforeAll(async () => {
    node = await startNode();
    await writeCluster(node.etcd);
  });
  afterAll(async () => {
    await node.stop();
  });

  it('get 64 different addresses from two blocks at most, and give all of them back', async () => {
    const pods = Array.from({ length: PODS }, (_unused, i) => ({
      containerId: `${i.toString(16).padStart(2, '0')}ab`.repeat(8),
      netns: node.makePod().path,
    }));
    const answers = await Promise.all(pods.map((pod) => node.cni('ADD', pod)));
    const addresses = answers.map((answer) => succeeded(answer).json.ips[0].address);
    expect(new Set(addresses).size).toBe(PODS);
    expect(await blocks()).toBeLessThanOrEqual(2);
    expect(node.host.sh('ip -o link | grep -c cali')).toBe(String(PODS));

    for (const answer of await Promise.all(pods.map((pod) => node.cni('DEL', pod)))) succeeded(answer);
    const left = await dumpCalico(node);
    expect([...left.keys()].filter((key) => /handle|workloadendpoints/.test(key))).toEqual([]);
    for (const [key, value] of left) {
      if (!key.includes('/assignment/')) continue;
      expect([...JSON.parse(value).unallocated].sort((a, b) => a - b)).toEqual(
        Array.from({ length: 64 }, (_unused, i) => i),
      );
    }
    expect(node.host.sh('ip -o link')).not.toContain('cali');
    expect(await leftovers(node)).toEqual([]);
  }, 120_000);

  async function blocks(): Promise<number> {
    return [...(await dumpCalico(node)).keys()].filter((key) => key.includes('/assignment/')).length;
  }
});
