/** The pools of the demo, changed as an operator changes them. */

import type { AgentLab } from '../../test/support/agent-lab.ts';
import { executable } from '../../test/support/executable.ts';
import { type PodFamily, type PoolMode, untilFollowed } from '../../test/support/pool-modes.ts';
import type { Page } from '../page.ts';
import type { DemoPod } from './pods.ts';

export interface DemoPool {
  readonly name: string;
  readonly cidr: string;
  readonly family: PodFamily;
}

export const POOLS = {
  ipv4: { name: 'pods', cidr: '10.77.0.0/16', family: 'ipv4' },
  ipv6: { name: 'pods-v6', cidr: 'fd00:77::/48', family: 'ipv6' },
} as const;

/** Writes the pool, and shows how long it takes until all hosts have followed. */
export async function changePool(
  page: Page,
  lab: AgentLab,
  pool: DemoPool,
  mode: PoolMode,
  pods: readonly DemoPod[],
): Promise<void> {
  await applyPool(page, lab, pool, mode);
  const startedMs = performance.now();
  await untilFollowed(lab, mode, pods, pool.family);
  const elapsedMs = performance.now() - startedMs;
  page.check(true, `all hosts have followed, ${Math.round(elapsedMs)} ms after the command`);
}

/** Writes the pool as YAML with `calico apply`. */
export async function applyPool(
  page: Page,
  lab: AgentLab,
  pool: DemoPool,
  mode: PoolMode,
  natOutgoing = true,
): Promise<void> {
  const yaml = poolYaml(pool, mode, natOutgoing);
  const file = `${pool.name}.yaml`;
  page.command(`cat ${file}; calico apply -f ${file}`, 'node1');
  page.show(yaml);
  await calico(lab, ['apply', '-f', '-'], yaml);
}

/** Runs an operator's command on node1; throws with what it says when it fails. */
export async function calico(lab: AgentLab, args: readonly string[], stdin = ''): Promise<string> {
  const env = { DATASTORE_TYPE: 'etcdv3', ETCD_ENDPOINTS: lab.etcd.endpoint };
  const { exitCode, stdout, stderr } = await lab.host(1).run([executable('calico'), ...args], { env, stdin });
  if (exitCode !== 0) throw new Error(`calico ${args.join(' ')} ended with ${exitCode}: ${stderr}${stdout}`);
  return stdout;
}

function poolYaml({ name, cidr }: DemoPool, { spec }: PoolMode, natOutgoing: boolean): string {
  const { vxlanMode, ipipMode } = spec;
  return [
    `{ apiVersion: projectcalico.org/v3, kind: IPPool, metadata: { name: ${name} },`,
    `  spec: { cidr: "${cidr}", vxlanMode: ${vxlanMode}, ipipMode: ${ipipMode}, natOutgoing: ${natOutgoing} } }`,
  ].join('\n');
}
