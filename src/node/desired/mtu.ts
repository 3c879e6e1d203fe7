/** Sizes of packets: what the network of the host carries, less what each encapsulation adds. Pure. */

import type { PerFamily } from '../cluster.ts';
import type { FelixSettings } from '../felix-settings.ts';
import type { Finding } from '../finding.ts';
import type { HostFacts } from '../host-facts.ts';

/** Bytes that the outer headers take. */
const VXLAN_OVERHEAD: PerFamily<number> = { 4: 50, 6: 70 };
const IPIP_OVERHEAD = 20;
/** What Calico assumes when no interface says more: what clouds carry at least. */
const UNKNOWN_HOST_MTU = 1460;

export interface Mtus {
  readonly host: number;
  readonly vxlan: PerFamily<number>;
  readonly ipip: number;
  readonly findings: readonly Finding[];
}

/** The least MTU of the interfaces that are up and named like hardware, and what it leaves for each device. */
export function hostMtus(settings: FelixSettings, facts: HostFacts): Mtus {
  const carriers = facts.links.filter(({ name, isUp }) => isUp && settings.mtuIfacePattern.test(name));
  const isKnown = carriers.length > 0;
  const host = isKnown ? Math.min(...carriers.map(({ mtu }) => mtu)) : UNKNOWN_HOST_MTU;
  return {
    host,
    vxlan: {
      4: settings.vxlanMtu[4] || host - VXLAN_OVERHEAD[4],
      6: settings.vxlanMtu[6] || host - VXLAN_OVERHEAD[6],
    },
    ipip: settings.ipipMtu || host - IPIP_OVERHEAD,
    findings: isKnown ? [] : [unknownMtu(settings.mtuIfacePattern)],
  };
}

function unknownMtu(pattern: RegExp): Finding {
  return {
    kind: 'unknown-mtu',
    severity: 'warning',
    subject: 'host',
    message:
      `no interface that is up matches mtuIfacePattern ${pattern.source}: an MTU of ${UNKNOWN_HOST_MTU} is assumed. ` +
      'Set mtuIfacePattern or vxlanMTU and ipipMTU in the FelixConfiguration.',
  };
}
