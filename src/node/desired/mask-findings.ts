/** Nodes that do not agree on which of them are on one subnet: then packets go one way and answers another. Pure. */

import { formatIpNetwork } from '../../base/cidr.ts';
import type { IpFamily } from '../../base/ip-address.ts';
import type { ClusterPool } from '../cluster.ts';
import type { Finding } from '../finding.ts';
import { type HostFacts, networkOn } from '../host-facts.ts';
import type { OwnHost } from './own-host.ts';
import type { Peer } from './peers.ts';
import { modeOf } from './pools.ts';
import { collectProblems, type ProblemKind } from './problems.ts';

/** None where no pool asks for it. */
export function maskFindings(
  own: OwnHost,
  peers: Iterable<Peer>,
  pools: readonly ClusterPool[],
  facts: HostFacts,
): readonly Finding[] {
  if (!pools.some((pool) => modeOf(pool)?.isCrossSubnet)) return [];
  const problems = collectProblems();
  const isStrict = own.family === 4 && facts.rpFilter === 1;
  const differs = differingMasks(own.family, isStrict);
  for (const peer of peers)
    if (peer.hostAddress !== undefined && peer.isSameSubnet !== peer.seesUsInSubnet)
      problems.add(differs, peer.name);
  return [...problems.findings(), ...ownMaskFinding(own, facts)];
}

function differingMasks(family: IpFamily, isStrict: boolean): ProblemKind {
  const effect = isStrict
    ? 'and net.ipv4.conf.all.rp_filter=1 drops what comes the other way: set it to 2 or 0, or'
    : 'which works only without a strict rp_filter:';
  return {
    kind: 'masks-differ',
    severity: isStrict ? 'error' : 'warning',
    subject: `IPv${family} peers`,
    message: (named) =>
      `one of us and ${named} takes the other for a neighbour, and the other does not, since the masks of their Nodes ` +
      `differ; with CrossSubnet one way is tunnelled and the other is not, ${effect} give all nodes of a subnet its mask.`,
  };
}

function ownMaskFinding(own: OwnHost, facts: HostFacts): readonly Finding[] {
  const { node, parent, family } = own;
  if (node?.hostNetwork === undefined || parent === undefined) return [];
  const actual = networkOn(parent, facts, node.hostNetwork.address);
  if (actual === undefined || actual.prefixLength === node.hostNetwork.prefixLength) return [];
  return [
    {
      kind: 'masks-differ',
      severity: 'warning',
      subject: `IPv${family} own`,
      message:
        `bgp.ipv${family}Address of our Node is ${formatIpNetwork(node.hostNetwork)}, but ${parent.name} has ` +
        `${formatIpNetwork(actual)}: CrossSubnet goes by the Node. Correct its mask.`,
    },
  ];
}
