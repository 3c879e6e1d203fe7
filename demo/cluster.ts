/**
 * `make demo-cluster`: three hosts on two subnets, an agent on each, and pods that reach each other in every mode.
 * It runs in namespaces of its own (build/isolated.sh), so what it makes cannot outlive it.
 */

import { makeAgentLab } from '../test/support/agent-lab.ts';
import { POOL_MODES } from '../test/support/pool-modes.ts';
import { showCluster, showStatus } from './cluster/hosts.ts';
import { showIpip } from './cluster/ipip.ts';
import { showMode } from './cluster/mode.ts';
import { showNat } from './cluster/nat.ts';
import { makePods, removePods } from './cluster/pods.ts';
import { POOLS } from './cluster/pools.ts';
import { showStreams } from './cluster/streams.ts';
import { openPage } from './page.ts';

const page = openPage(process.stdout);
await using lab = await makeAgentLab({ env: { IP6: 'autodetect' } });

await showCluster(page, lab);
const pods = await makePods(page, lab);
await showMode(page, lab, pods, {
  title: 'VXLAN everywhere',
  about: [
    'Packets between pods of different hosts travel in UDP packets between these hosts. Nothing between the hosts has',
    'to know of pods. Each host has one route for each block of addresses, and tells the tunnel where its peers are.',
  ],
  pool: POOLS.ipv4,
  mode: POOL_MODES.vxlan,
  showsTunnel: true,
});
await showMode(page, lab, pods, {
  title: 'VXLAN only between subnets',
  about: [
    'Hosts of one subnet hand packets to each other as they are; only what passes the router is wrapped.',
  ],
  pool: POOLS.ipv4,
  mode: POOL_MODES.vxlanCrossSubnet,
});
await showStatus(page, lab);
await showMode(page, lab, pods, {
  title: 'No encapsulation',
  about: [
    'All packets go as they are. The router does not know the pods, so none of the other subnet are reached: the agents',
    'make no route that would only seem to lead there, and say what to do.',
  ],
  pool: POOLS.ipv4,
  mode: POOL_MODES.unencapsulated,
  says: /no route is made to pods of/,
});
await showIpip(page, lab, pods);
await showMode(page, lab, pods, {
  title: 'IPv6: VXLAN only between subnets',
  about: ['The same, with a tunnel of its own. Its packets have 70 bytes more instead of 50.'],
  pool: POOLS.ipv6,
  mode: POOL_MODES.vxlanCrossSubnet,
});
await showNat(page, lab, pods);
await showStreams(page, lab, pods);
await removePods(page, pods);

process.exitCode = page.end() === 0 ? 0 : 1;
