/** Switches of the whole host. Those of the pods' interfaces are the CNI plugin's. Pure. */

import type { ClusterPool } from '../cluster.ts';
import type { FelixSettings } from '../felix-settings.ts';
import type { HostSysctl } from './desired-host.ts';

export function desiredSysctls(
  pools: readonly ClusterPool[],
  settings: FelixSettings,
): readonly HostSysctl[] {
  const hasIpv6 = pools.some(({ cidr }) => cidr.family === 6);
  const forwarding: readonly HostSysctl[] = [
    { key: 'net/ipv4/ip_forward', value: '1', onFailure: 'fail' },
    ...(hasIpv6 ? [{ key: 'net/ipv6/conf/all/forwarding', value: '1', onFailure: 'fail' } as const] : []),
  ];
  return [
    ...(settings.forwardsIp ? forwarding : []),
    { key: 'net/netfilter/nf_conntrack_acct', value: '1', onFailure: 'warn' },
  ];
}
