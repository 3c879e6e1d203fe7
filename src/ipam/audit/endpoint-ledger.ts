/** Compares the suspect addresses that endpoints have with those that blocks have given out. */

import { containsAddress } from '../../base/cidr.ts';
import { formatIpAddress, type IpAddress } from '../../base/ip-address.ts';
import { type AllocationBlock, type Attribute, addressOf } from '../allocation-block.ts';
import { attributeOf } from '../block/attribute.ts';
import { describeHolder } from '../block/usage.ts';
import { cleanHandleId } from '../handle-id.ts';
import type { SeenAllocation } from '../plan-collection.ts';
import { createAddressMap } from './address-map.ts';
import type { Finding } from './damage.ts';
import { type EndpointOwner, type EndpointUse, isOwner, ownerOf } from './endpoint-owner.ts';
import { needsEndpoint } from './holders.ts';
import type { AuditScope } from './scope.ts';
import type { Suspects } from './sieve.ts';

interface Claim {
  readonly key: string;
  readonly owner: EndpointOwner;
  isAllocated: boolean;
}

/** An address in use without an endpoint. */
interface Orphan {
  readonly key: string;
  readonly address: string;
  readonly attribute: Attribute;
  /** What would be released; `undefined` without a handle. */
  readonly seen: SeenAllocation | undefined;
}

export interface EndpointLedger {
  add(key: string, use: EndpointUse): void;
  compare(key: string, block: AllocationBlock): void;
  finish(): void;
}

export function createEndpointLedger(
  scope: AuditScope,
  suspects: Suspects,
  report: (finding: Finding) => void,
): EndpointLedger {
  const claims = createAddressMap<Claim>();
  const orphans: Orphan[] = [];

  function compareOne(key: string, block: AllocationBlock, ordinal: number): void {
    const attribute = attributeOf(block, ordinal);
    const address = addressOf(block, ordinal);
    if (attribute === undefined || attribute.releasedAt !== undefined || !suspects.hasAddress(address))
      return;
    const claim = claims.get(address);
    if (claim === undefined) {
      const seen = seenOf(block, ordinal, attribute);
      if (needsEndpoint(scope, attribute))
        orphans.push({ key, address: formatIpAddress(address), attribute, seen });
      return;
    }
    claim.isAllocated = true;
    if (isOwner(attribute, claim.owner)) return;
    const text = `the endpoint has ${formatIpAddress(address)}, which is ${describeHolder(attribute)}`;
    report({ damage: 'foreign-address', key: claim.key, text });
  }

  return {
    add: (key, use) => {
      for (const address of use.addresses.filter(suspects.hasAddress)) {
        const other = claims.get(address);
        if (other === undefined) claims.set(address, { key, owner: ownerOf(use), isAllocated: false });
        else report(duplicate(key, address, other));
      }
    },
    compare: (key, block) => {
      for (const ordinal of block.allocations.keys()) compareOne(key, block, ordinal);
    },
    finish: () => {
      for (const orphan of orphans) report(judge(orphan, suspects.networks));
      claims.forEach((address, claim) => {
        if (!claim.isAllocated) report(unallocated(scope, address, claim));
      });
    },
  };
}

function duplicate(key: string, address: IpAddress, other: Claim): Finding {
  const text = `the endpoint has ${formatIpAddress(address)}, as ${other.key} does`;
  return { damage: 'duplicate-address', key, text };
}

function unallocated({ pools }: AuditScope, address: IpAddress, { key }: Claim): Finding {
  const isInPool = pools.some(({ cidr }) => containsAddress(cidr, address));
  const text = `the endpoint has ${formatIpAddress(address)}, which is ${isInPool ? 'not allocated' : 'in no pool'}`;
  return { damage: isInPool ? 'unallocated-address' : 'address-outside-pools', key, text };
}

function seenOf(block: AllocationBlock, ordinal: number, attribute: Attribute): SeenAllocation | undefined {
  if (attribute.handleId === undefined) return undefined;
  return {
    block: block.cidr,
    ordinal,
    handleId: cleanHandleId(attribute.handleId),
    sequenceNumber: block.sequenceNumberForAllocation.get(ordinal),
    owner: attribute.activeOwner ?? {},
  };
}

function judge({ key, address, attribute, seen }: Orphan, networks: ReadonlySet<string>): Finding {
  const holder = describeHolder(attribute);
  if (seen === undefined)
    return { damage: 'address-without-handle', key, text: `${address} is ${holder}, and has no endpoint` };
  const isSure = attribute.activeOwner?.type !== undefined || isOfNetwork(seen.handleId, networks);
  const doubt = isSure
    ? ''
    : '; its network has no endpoint at all, so it may be of pods that another main plugin has networked';
  return {
    damage: 'leaked-address',
    key,
    text: `${address} is ${holder}, and has no endpoint${doubt}`,
    repair: isSure ? { record: 'address', seen } : undefined,
  };
}

function isOfNetwork(handleId: string, networks: ReadonlySet<string>): boolean {
  for (let dot = handleId.indexOf('.'); dot >= 0; dot = handleId.indexOf('.', dot + 1))
    if (networks.has(handleId.slice(0, dot))) return true;
  return false;
}
