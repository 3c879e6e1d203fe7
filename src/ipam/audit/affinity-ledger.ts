/** Compares the nodes' claims with what blocks say of their owners. */

import { type Cidr, formatCidr } from '../../base/cidr.ts';
import { ABSENT, type Revision } from '../../base/revision.ts';
import { nodeOfAffinity } from '../affinity.ts';
import type { AllocationBlock } from '../allocation-block.ts';
import type { AffinityState, BlockAffinity } from '../records.ts';
import type { Damage, Finding } from './damage.ts';
import type { AuditScope } from './scope.ts';

interface Claim {
  readonly key: string;
  readonly nodeName: string;
  readonly cidr: Cidr;
  readonly state: AffinityState;
  readonly revision: Revision;
}

export interface AffinityLedger {
  add(key: string, nodeName: string, cidr: Cidr, affinity: BlockAffinity, revision: Revision): void;
  compare(key: string, block: AllocationBlock): void;
  finish(): void;
}

export function createAffinityLedger(scope: AuditScope, report: (finding: Finding) => void): AffinityLedger {
  /** By the CIDR's text; those of blocks that were compared are gone. */
  const claims = new Map<string, Claim[]>();
  const tell = (damage: Damage, claim: Claim, text: string) => {
    const { key, nodeName, cidr, revision } = claim;
    const what = `affinity of node ${nodeName} to ${formatCidr(cidr)} ${text}`;
    report({ damage, key, text: what, repair: { record: 'affinity', nodeName, cidr, revision } });
  };
  const tellUnsettled = (claim: Claim) => tell('unsettled-affinity', claim, `is ${claim.state}`);
  return {
    add: (key, nodeName, cidr, { state }, revision) => {
      const text = formatCidr(cidr);
      const claim = { key, nodeName, cidr, state, revision };
      claims.set(text, [...(claims.get(text) ?? []), claim]);
    },
    compare: (key, { cidr, affinity }) => {
      const text = formatCidr(cidr);
      const owner = nodeOfAffinity(affinity);
      const found = claims.get(text) ?? [];
      claims.delete(text);
      if (owner !== undefined && !found.some(({ nodeName }) => nodeName === owner))
        report(unclaimed(key, cidr, owner));
      for (const claim of found) {
        if (claim.nodeName !== owner) tell('affinity-of-other-block', claim, ownedBy(affinity));
        else if (claim.state !== 'confirmed') tellUnsettled(claim);
      }
    },
    finish: () => {
      for (const claim of [...claims.values()].flat()) {
        if (claim.state !== 'confirmed') tellUnsettled(claim);
        else if (scope.nodeNames.has(claim.nodeName)) tell('affinity-without-block', claim, 'has no block');
        else tell('affinity-of-unknown-node', claim, 'has no block, and the node does not exist');
      }
    },
  };
}

function unclaimed(key: string, cidr: Cidr, nodeName: string): Finding {
  return {
    damage: 'block-without-affinity',
    key,
    text: `block ${formatCidr(cidr)} belongs to node ${nodeName}, which has no affinity to it`,
    repair: { record: 'affinity', nodeName, cidr, revision: ABSENT },
  };
}

function ownedBy(affinity: string | undefined): string {
  return affinity === undefined ? 'is to a block that has no owner' : `is to a block of ${affinity}`;
}
