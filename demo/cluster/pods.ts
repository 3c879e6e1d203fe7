/** The parts of the demo in which pods come and go. */

import type { AgentLab, LabPod } from '../../test/support/agent-lab.ts';
import { mtuOf } from '../../test/support/reachability.ts';
import { columns } from '../columns.ts';
import type { Page } from '../page.ts';

export interface DemoPod extends LabPod {
  readonly colour: string;
}

/** Two of them share a host. */
const PODS = [
  { colour: 'blue', host: 1 },
  { colour: 'green', host: 1 },
  { colour: 'red', host: 2 },
  { colour: 'white', host: 3 },
] as const;

const POD_INTERFACE = /\bcali[0-9a-f]{11}\b/;
const BOTH_FAMILIES = { ipam: { type: 'calico-ipam', assign_ipv4: 'true', assign_ipv6: 'true' } };

export async function makePods(page: Page, lab: AgentLab): Promise<readonly DemoPod[]> {
  page.part('Pods');
  page.say(
    'Made by the CNI plugin on their host, as a container runtime would call it. The largest packet that their',
  );
  page.say('interface takes fits through every tunnel: the agent has told the plugin how much that is.');
  const pods = await Promise.all(
    PODS.map(async ({ colour, host }) => ({
      colour,
      ...(await lab.host(host).makePod({ conf: BOTH_FAMILIES })),
    })),
  );
  const rows = pods.map((pod) => [pod.colour, pod.host.name, pod.ipv4, pod.ipv6, `${mtuOf(pod)} bytes`]);
  page.show(columns([['POD', 'HOST', 'IPV4', 'IPV6', 'MTU'], ...rows]));
  return pods;
}

export async function removePods(page: Page, pods: readonly DemoPod[]): Promise<void> {
  page.part('The pods go away');
  await Promise.all(pods.map((pod) => pod.remove()));
  for (const { name, sh } of new Set(pods.map(({ host }) => host)))
    page.check(
      !POD_INTERFACE.test(sh('ip link; ip route; ip -6 route')),
      `nothing of them is left on ${name}`,
    );
}
