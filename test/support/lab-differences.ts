/** Whether the kernels of all hosts of a lab are as its etcd says. */

import type { AgentLab } from './agent-lab.ts';
import { hostDifferences, settledDifferences } from './host-differences.ts';

/** What a second implementation finds wrong with them: none as soon as it is none, or what is left after some seconds. */
export function labDifferences(lab: AgentLab, limitMs = 3_000): Promise<readonly string[]> {
  return settledDifferences(async () => {
    const records = await lab.etcd.list('/calico/');
    return lab.hosts.flatMap((host) => hostDifferences(records, host.name, host));
  }, limitMs);
}
