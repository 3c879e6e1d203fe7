/** The part of the demo in which hosts become a cluster. */

import type { AgentLab } from '../../test/support/agent-lab.ts';
import { POOL_MODES } from '../../test/support/pool-modes.ts';
import type { Page } from '../page.ts';
import { applyPool, calico, POOLS } from './pools.ts';

const DRAWING = `
node1  10.50.0.11 ──┬── 10.50.0.1  router  10.60.0.1 ───── 10.60.0.13  node3
node2  10.50.0.12 ──┘              etcd
`;

export async function showCluster(page: Page, lab: AgentLab): Promise<void> {
  page.part('A cluster: three hosts on two subnets, a router between them, one etcd');
  page.say('Hosts, router and pods are network namespaces: your machine’s network is not touched.');
  page.show(DRAWING.trim());
  page.say('Two pools of addresses for pods, in etcd:');
  await applyPool(page, lab, POOLS.ipv4, POOL_MODES.vxlan);
  await applyPool(page, lab, POOLS.ipv6, POOL_MODES.vxlan);
  page.say('On every host runs an agent. All it has to be told is where etcd is:');
  for (const { name } of lab.hosts)
    page.command(`NODENAME=${name} IP6=autodetect ETCD_ENDPOINTS=${lab.etcd.endpoint} calico node &`, name);
  const startedMs = performance.now();
  await lab.startAgents();
  const elapsedMs = Math.round(performance.now() - startedMs);
  page.check(true, `after ${elapsedMs} ms all of them have registered, and let pods in`);
  page.command('calico get nodes -o wide', 'node1');
  page.show(await calico(lab, ['get', 'nodes', '-o', 'wide']));
}

export async function showStatus(page: Page, lab: AgentLab): Promise<void> {
  page.part('What an agent says of its host');
  page.command('calico node status', 'node1');
  page.show(await calico(lab, ['node', 'status']));
}
