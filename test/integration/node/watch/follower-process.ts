/**
 * A process that follows an etcd as the agent does, and prints when it has everything and what that took, and then each
 * change it hears of: what a whole agent needs beside it is not measured here.
 */

import { createInterrupter } from '../../../../src/base/interruption.ts';
import { openEtcdStore } from '../../../../src/datastore/etcd/etcd-store.ts';
import { openEtcdWatch } from '../../../../src/datastore/etcd/etcd-watch.ts';
import { applyChanges } from '../../../../src/node/apply-changes.ts';
import { unknownCluster } from '../../../../src/node/cluster.ts';
import { DatastoreFollower } from '../../../../src/node/watch/datastore-follower.ts';
import { isWantedBy, NODE_PREFIXES } from '../../../../src/node/watch/watched-prefix.ts';
import { realClock } from '../../../support/clock.ts';

const [endpoint = ''] = process.argv.slice(2);
const files = { caCertFile: undefined, certFile: undefined, keyFile: undefined };
const settings = { endpoints: [endpoint], user: undefined, ...files };
const startMs = performance.now();
let state = unknownCluster('node0');

const follower = new DatastoreFollower({
  store: openEtcdStore(settings, realClock),
  watch: openEtcdWatch(settings, realClock),
  prefixes: NODE_PREFIXES,
  isWanted: isWantedBy('node0'),
  clock: realClock,
  random: Math.random,
  interruption: createInterrupter().interruption,
  onEvent: () => undefined,
  onBatch: ({ changes, cause }) => {
    state = applyChanges(
      state,
      changes.map(({ key, value }) => ({ key, text: value })),
    );
    const { rss } = process.memoryUsage();
    const taken = {
      ms: performance.now() - startMs,
      peakMb: process.resourceUsage().maxRSS / 1024,
      rssMb: rss / 1e6,
    };
    const sizes = { nodes: state.nodes.size, blocks: state.blocks.size, endpoints: state.endpoints.size };
    process.stdout.write(`${JSON.stringify({ cause, ...taken, ...sizes })}\n`);
  },
});
void follower.run();
