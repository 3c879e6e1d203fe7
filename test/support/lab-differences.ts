/** Whether the kernels of all hosts of a lab are as its etcd says. */

import { type AgentLab, PATIENCE } from './agent-lab.ts';
import { hostDifferences, settledDifferences } from './host-differences.ts';

/**
 * What a second implementation finds wrong with them: none as soon as it is none, or what is left when the time is over. One
 * look takes seconds on a slow machine, and there have to be several.
 */
export function labDifferences(
  lab: AgentLab,
  limitMs: number = PATIENCE.timeout,
): Promise<readonly string[]> {
  return settledDifferences(async () => {
    const records = await lab.etcd.list('/calico/');
    return lab.hosts.flatMap((host) => hostDifferences(records, host.name, host));
  }, limitMs);
}
