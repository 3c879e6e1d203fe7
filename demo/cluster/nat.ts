/** The part of the demo about natOutgoing: with which address a pod is seen. */

import type { AgentLab } from '../../test/support/agent-lab.ts';
import type { TestNetns } from '../../test/support/netns.ts';
import { POOL_MODES } from '../../test/support/pool-modes.ts';
import { sourceSeen } from '../../test/support/reachability.ts';
import { routerAddresses } from '../../test/support/two-subnets.ts';
import { columns } from '../columns.ts';
import type { Page } from '../page.ts';
import type { DemoPod } from './pods.ts';
import { applyPool, POOLS } from './pools.ts';

const PATIENCE_MS = 5_000;

export async function showNat(page: Page, lab: AgentLab, pods: readonly DemoPod[]): Promise<void> {
  page.part('natOutgoing: with which address a pod is seen');
  page.say(
    'Pods see each other as they are. Whoever does not know them sees the host of the pod, and can answer.',
  );
  const [blue, , , white] = pods;
  if (blue === undefined || white === undefined) return;
  const router = { netns: lab.router, ifName: 'br50', address: routerAddresses(50).ipv4 };
  const seers = [
    { name: 'white, a pod on node3', netns: white.netns, ifName: 'eth0', address: white.ipv4 },
    { name: 'node3 itself', netns: white.host.netns, ifName: 'eth0', address: white.host.ipv4 },
    { name: 'the router', ...router },
  ];
  const seen = await Promise.all(seers.map((seer) => seenBy(blue, seer)));
  page.show(
    columns([
      ['blue, seen by', 'is'],
      ...seers.map(({ name }, index) => [name, `${seen[index]}, ${nameOf(seen[index], blue)}`]),
    ]),
  );
  const [toPod, ...toOthers] = seen;
  page.check(toPod === blue.ipv4 && toOthers.every((one) => one === blue.host.ipv4), 'as it must be');

  page.say('A pool can do without, when the network knows its addresses:');
  await applyPool(page, lab, POOLS.ipv4, POOL_MODES.vxlanCrossSubnet, false);
  const now = await seenUntil(blue, router, blue.ipv4);
  page.check(now === blue.ipv4, `the router now sees ${now}, ${nameOf(now, blue)}`);
  await applyPool(page, lab, POOLS.ipv4, POOL_MODES.vxlanCrossSubnet, true);
}

interface Seer {
  readonly netns: TestNetns;
  readonly ifName: string;
  readonly address: string;
}

function seenBy(pod: DemoPod, { netns, ifName, address }: Seer): Promise<string | undefined> {
  return sourceSeen(pod.netns, netns, ifName, address);
}

/** What is seen as soon as it is what is expected, or after some seconds. */
async function seenUntil(pod: DemoPod, seer: Seer, expected: string): Promise<string | undefined> {
  for (const startedMs = performance.now(); ; ) {
    const seen = await seenBy(pod, seer);
    if (seen === expected || performance.now() - startedMs > PATIENCE_MS) return seen;
  }
}

function nameOf(address: string | undefined, { ipv4, host }: DemoPod): string {
  if (address === ipv4) return 'its own address';
  return address === host.ipv4 ? `the address of ${host.name}` : 'which nobody expects';
}
