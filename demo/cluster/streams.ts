/** The part of the demo in which much changes and pods notice nothing. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentLab } from '../../test/support/agent-lab.ts';
import { startPing } from '../../test/support/ping-stream.ts';
import { POOL_MODES } from '../../test/support/pool-modes.ts';
import type { Page } from '../page.ts';
import type { DemoPod } from './pods.ts';
import { changePool, POOLS } from './pools.ts';

const INTERVAL_MS = 5;

export async function showStreams(page: Page, lab: AgentLab, pods: readonly DemoPod[]): Promise<void> {
  page.part('Changes that pods do not notice');
  const [blue, , red, white] = pods;
  if (blue === undefined || red === undefined || white === undefined) return;
  page.say(
    `Blue pings red and white every ${INTERVAL_MS} ms, while the mode changes twice and node1’s agent is killed.`,
  );
  const streams = [red, white].map((to) => ({ to, stream: startPing(blue.netns, to.ipv4, INTERVAL_MS) }));
  for (const mode of [POOL_MODES.vxlan, POOL_MODES.vxlanCrossSubnet]) {
    await changePool(page, lab, POOLS.ipv4, mode, pods);
    await sleep(300);
  }
  page.command('pkill --signal KILL --exact calico', 'node1');
  await lab.host(1).agent?.kill();
  await sleep(300);
  const agent = lab.host(1).startAgent();
  page.command('calico node &', 'node1');
  await agent.ready;
  await sleep(300);
  for (const { to, stream } of streams) {
    const { answered, lost, longestGapMs } = await stream.stop();
    const gap = `${Math.round(longestGapMs)} ms between two answers at most`;
    page.check(
      lost.length === 0,
      `${to.colour} has answered ${answered} packets, ${lost.length} are lost; ${gap}`,
    );
  }
  page.check(!agent.log().includes('host: changed'), 'the new agent has found everything as it must be');
}
