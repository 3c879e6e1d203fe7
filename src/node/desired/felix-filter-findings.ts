/** That a Felix which has ended still decides whose tunnelled packets are let in. Pure. */

import type { Finding } from '../finding.ts';
import type { HostFacts } from '../host-facts.ts';

/** While it runs, that is told already. */
export function felixFilterFindings({ hasFelixFilter, isFelixRunning }: HostFacts): readonly Finding[] {
  if (hasFelixFilter !== true || isFelixRunning) return [];
  return [
    {
      kind: 'foreign-agent',
      severity: 'warning',
      subject: 'rules of Felix',
      message:
        'Felix has ended, and its rules and sets (cali40all-vxlan-net, cali40all-hosts-net, or the nftables table calico) ' +
        'are still there: tunnelled packets of nodes that came after it are dropped. Remove them, as docs/node.md says, or ' +
        'restart the host.',
    },
  ];
}
