/** Compares the addresses that endpoints have with those that blocks have given out. */

import { containsAddress } from '../../base/cidr.ts';
import { fnv1 } from '../../base/fnv.ts';
import { formatIpAddress, type IpAddress, type IpFamily } from '../../base/ip-address.ts';
import { parseGoTime } from '../../base/time.ts';
import { type AllocationBlock, type Attribute, addressOf } from '../allocation-block.ts';
import { attributeOf } from '../block/attribute.ts';
import { describeHolder } from '../block/usage.ts';
import { cleanHandleId, WINDOWS_RESERVED_HANDLE_ID } from '../handle-id.ts';
import type { SeenAllocation } from '../plan-collection.ts';
import type { Finding } from './damage.ts';
import type { AuditScope } from './scope.ts';

/** Of a workload endpoint, what says whose its addresses are. */
export interface EndpointUse {
  readonly addresses: readonly IpAddress[];
  readonly containerId: string | undefined;
  readonly podName: string | undefined;
  readonly namespace: string;
}

/** One for each endpoint there is, so it holds numbers in place of texts that are only compared. */
interface Claim {
  readonly key: string;
  /** Of the container's ID; `undefined`: it has none. */
  readonly container: number | undefined;
  /** Of `<namespace>.<pod>`; `undefined`: it is no pod's. */
  readonly pod: number | undefined;
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

export function createEndpointLedger(scope: AuditScope, report: (finding: Finding) => void): EndpointLedger {
  const claims = createAddressMap();
  const orphans: Orphan[] = [];
  /** Whose endpoints are recorded: where they are not, an address without one tells nothing. */
  const networks = new Set<string>();

  function compareOne(key: string, block: AllocationBlock, ordinal: number): void {
    const attribute = attributeOf(block, ordinal);
    if (attribute === undefined || attribute.releasedAt !== undefined || isReserved(attribute)) return;
    const address = addressOf(block, ordinal);
    const claim = claims.get(address);
    if (claim === undefined) {
      const seen = seenOf(block, ordinal, attribute);
      if (isOrphan(scope, attribute))
        orphans.push({ key, address: formatIpAddress(address), attribute, seen });
      return;
    }
    claim.isAllocated = true;
    if (!isOwner(attribute, claim)) {
      report({
        damage: 'foreign-address',
        key: claim.key,
        text: `the endpoint has ${formatIpAddress(address)}, which is ${describeHolder(attribute)}`,
      });
    }
    const network = networkOf(cleanHandleId(attribute.handleId ?? ''), claim);
    if (network !== undefined) networks.add(network);
  }

  return {
    add: (key, { addresses, containerId, podName, namespace }) => {
      const container = containerId ? fnv1(containerId) : undefined;
      const pod = podName === undefined ? undefined : fnv1(`${namespace}.${podName}`);
      for (const address of addresses) {
        const other = claims.get(address);
        if (other === undefined) claims.set(address, { key, container, pod, isAllocated: false });
        else report(duplicate(key, address, other));
      }
    },
    compare: (key, block) => {
      for (const ordinal of block.allocations.keys()) compareOne(key, block, ordinal);
    },
    finish: () => {
      for (const orphan of orphans) report(judge(orphan, networks));
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

function isReserved({ handleId }: Attribute): boolean {
  return handleId?.toLowerCase() === WINDOWS_RESERVED_HANDLE_ID;
}

/**
 * Whether somebody should have an endpoint for the address. Tunnels and services have none, a virtual machine not always,
 * and an ADD that is running not yet.
 */
function isOrphan({ nodeNames, nowNs, graceNs }: AuditScope, attribute: Attribute): boolean {
  const { handleId = '', activeOwner: owner = {}, alternateOwner } = attribute;
  if (alternateOwner !== undefined || handleId.includes('.vmi.') || owner['vmi-name'] !== undefined)
    return false;
  if (owner.service !== undefined || handleId.startsWith('lb-')) return false;
  if (owner.type !== undefined) return owner.node !== undefined && !nodeNames.has(owner.node);
  return (parseGoTime(owner.timestamp ?? '') ?? 0n) < nowNs - graceNs;
}

/** By its container, or by the pod's name, which older plugins and takeovers leave under another container's handle. */
function isOwner({ handleId, activeOwner, alternateOwner }: Attribute, claim: Claim): boolean {
  const id = cleanHandleId(handleId ?? '');
  if (claim.container === undefined || networkOf(id, claim) !== undefined) return true;
  if (fnv1(id) === claim.container) return true;
  if (claim.pod === undefined) return false;
  const isPods = (owner: Attribute['activeOwner']) =>
    owner?.pod !== undefined && fnv1(`${owner.namespace}.${owner.pod}`) === claim.pod;
  return fnv1(id) === claim.pod || isPods(activeOwner) || isPods(alternateOwner);
}

/** The first part of the handle, where the endpoint tells it from the container. */
function networkOf(handleId: string, { container }: Claim): string | undefined {
  for (let dot = handleId.indexOf('.'); dot >= 0; dot = handleId.indexOf('.', dot + 1))
    if (fnv1(handleId.slice(dot + 1)) === container) return handleId.slice(0, dot);
  return undefined;
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

interface AddressMap {
  get(address: IpAddress): Claim | undefined;
  set(address: IpAddress, claim: Claim): void;
  forEach(visit: (address: IpAddress, claim: Claim) => void): void;
}

/** IPv4 addresses as plain numbers, which take a third of the memory. */
function createAddressMap(): AddressMap {
  const v4 = new Map<number, Claim>();
  const v6 = new Map<bigint, Claim>();
  const v6Family: IpFamily = 6;
  return {
    get: ({ family, value }) => (family === 4 ? v4.get(Number(value)) : v6.get(value)),
    set: ({ family, value }, claim) =>
      void (family === 4 ? v4.set(Number(value), claim) : v6.set(value, claim)),
    forEach: (visit) => {
      for (const [value, claim] of v4) visit({ family: 4, value: BigInt(value) }, claim);
      for (const [value, claim] of v6) visit({ family: v6Family, value }, claim);
    },
  };
}
