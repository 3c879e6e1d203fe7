/** The part of the demo about IPIP, which not every kernel has. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentLab } from '../../test/support/agent-lab.ts';
import { POOL_MODES, untilFollowed } from '../../test/support/pool-modes.ts';
import type { Page } from '../page.ts';
import { showLog, showReach } from './mode.ts';
import type { DemoPod } from './pods.ts';
import { applyPool, changePool, POOLS } from './pools.ts';

const REFUSAL = /the kernel has no module ipip/;
const PATIENCE_MS = 5_000;

export async function showIpip(page: Page, lab: AgentLab, pods: readonly DemoPod[]): Promise<void> {
  page.part('IPIP everywhere');
  page.say(
    'IP packets directly in IP packets: 20 bytes more instead of 50, without IPv6, and not on all clouds.',
  );
  const [pool, mode] = [POOLS.ipv4, POOL_MODES.ipip];
  await applyPool(page, lab, pool, mode);
  if (await isRefused(lab)) {
    page.say('This kernel cannot make IPIP devices, so there is nothing to show but that.');
    showLog(page, lab, REFUSAL);
  } else {
    await untilFollowed(lab, mode, pods, pool.family);
    await showReach(page, pods, { pool, mode });
  }
  page.say('Back to VXLAN between subnets:');
  await changePool(page, lab, pool, POOL_MODES.vxlanCrossSubnet, pods);
}

async function isRefused({ hosts }: AgentLab): Promise<boolean> {
  for (const startedMs = performance.now(); performance.now() - startedMs < PATIENCE_MS; await sleep(20)) {
    if (hosts.every(({ agent }) => REFUSAL.test(agent?.log() ?? ''))) return true;
    if (hosts.every(({ sh }) => sh('ip link').includes('tunl0'))) return false;
  }
  throw new Error('the agents neither make tunl0 nor say why not');
}
