/** The part of the demo that shows one mode of a pool: who reaches whom, what is on the wire, and the routes of each host. */

import type { AgentLab } from '../../test/support/agent-lab.ts';
import type { CapturedPacket } from '../../test/support/captured-packet.ts';
import { type PodFamily, type PoolMode, wayBetween } from '../../test/support/pool-modes.ts';
import { mtuOf, type Reach, tryEach } from '../../test/support/reachability.ts';
import { columns } from '../columns.ts';
import type { Page } from '../page.ts';
import type { DemoPod } from './pods.ts';
import { changePool, type DemoPool } from './pools.ts';

export interface ModeScene {
  readonly title: string;
  readonly about: readonly string[];
  readonly pool: DemoPool;
  readonly mode: PoolMode;
  /** Whether the tables of the tunnel are shown. */
  readonly showsTunnel?: boolean;
  /** What the agent of node1 is to say about it. */
  readonly says?: RegExp;
}

export async function showMode(
  page: Page,
  lab: AgentLab,
  pods: readonly DemoPod[],
  scene: ModeScene,
): Promise<void> {
  page.part(scene.title);
  for (const line of scene.about) page.say(line);
  await changePool(page, lab, scene.pool, scene.mode, pods);
  await showReach(page, pods, scene);
  if (scene.says !== undefined) showLog(page, lab, scene.says);
  showRoutes(page, lab, scene.pool.family);
  if (scene.showsTunnel) showTunnel(page, lab);
}

/** A matrix, and two packets: to a pod of the same subnet, and to one of the other. */
export async function showReach(
  page: Page,
  pods: readonly DemoPod[],
  { pool: { family }, mode }: Pick<ModeScene, 'pool' | 'mode'>,
): Promise<void> {
  const reaches = await tryEach(pods, family);
  const mtu = Math.min(...pods.map(mtuOf));
  page.say(`Who reaches whom, and how, with packets of ${mtu} bytes that must not be cut:`);
  page.show(matrix(pods, reaches));
  const isRight = ({ from, to, isAnswered }: Reach) =>
    isAnswered === (from.host === to.host || wayBetween(mode, from.host, to.host) !== 'none');
  page.check(
    reaches.every(isRight),
    reaches.every(({ isAnswered }) => isAnswered)
      ? 'all reach each other'
      : 'as it must be: those of one subnet reach each other',
  );
  page.check(
    reaches.every(({ isLargerRefused }) => isLargerRefused),
    `a packet of ${mtu + 1} bytes is refused at once`,
  );
  for (const index of [2, 3]) showOnWire(page, pods[0], pods[index], reaches);
}

function matrix(pods: readonly DemoPod[], reaches: readonly Reach[]): string {
  const cell = (from: DemoPod, to: DemoPod) => {
    const reach = reaches.find((one) => one.from === from && one.to === to);
    if (reach === undefined) return '·';
    if (!reach.isAnswered) return '✗';
    return reach.onWire === undefined ? 'same host' : (reach.onWire.tunnelled?.by ?? 'direct');
  };
  return columns([
    ['from \\ to', ...pods.map(({ colour }) => colour)],
    ...pods.map((from) => [`${from.colour} (${from.host.name})`, ...pods.map((to) => cell(from, to))]),
  ]);
}

function showOnWire(
  page: Page,
  from: DemoPod | undefined,
  to: DemoPod | undefined,
  reaches: readonly Reach[],
): void {
  const packet = reaches.find((reach) => reach.isAnswered && reach.from === from && reach.to === to)?.onWire;
  if (from === undefined || to === undefined || packet === undefined) return;
  page.say(`From ${from.colour} to ${to.colour} on ${to.host.name}, seen on eth0 of ${from.host.name}:`);
  page.show(columns(wireLines(packet)));
}

function wireLines(
  { source, destination, bytes, tunnelled }: CapturedPacket,
  indent = '',
): readonly (readonly string[])[] {
  const line = [
    `${indent}${source} → ${destination}`,
    `${bytes} bytes`,
    tunnelled === undefined ? 'ICMP' : `${tunnelled.by}, with this in it:`,
  ];
  return tunnelled === undefined ? [line] : [line, ...wireLines(tunnelled.packet, `${indent}  `)];
}

/** What the agent of node1 has logged last of that. */
export function showLog(page: Page, lab: AgentLab, pattern: RegExp): void {
  const line = lab
    .host(1)
    .agent?.log()
    .split('\n')
    .findLast((text) => pattern.test(text));
  page.say('The agent of node1 has logged:');
  page.show(line?.replace(/^.*?\[/, '[') ?? '');
  page.check(line !== undefined, 'the agent says what is wrong and what to do');
}

function showRoutes(page: Page, lab: AgentLab, family: PodFamily): void {
  page.say(
    'The routes that the agents have made; what no pod has of the addresses of a host goes into its blackhole:',
  );
  for (const { name, sh } of lab.hosts) {
    page.command(`ip -${family.at(-1)} route show proto 202`, name);
    page.show(sh(`ip -${family.at(-1)} route show proto 202`));
  }
}

function showTunnel(page: Page, lab: AgentLab): void {
  page.say('And which host is behind which address of the tunnel:');
  for (const command of ['ip -4 neigh show dev vxlan.calico', 'bridge fdb show dev vxlan.calico']) {
    page.command(command, 'node1');
    page.show(lab.host(1).sh(command));
  }
}
