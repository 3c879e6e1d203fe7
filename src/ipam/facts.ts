/**
 * What the allocator knows when it decides, and what it may ask to know more of. A decision is a function of
 * facts; when it needs a block that has not been read it answers with a {@link Look} and is asked again with
 * the facts grown. After a lost compare-and-swap it is asked again with the current values. Pure types.
 */

import type { Cidr } from '../base/cidr.ts';
import type { IpAddress, IpFamily } from '../base/ip-address.ts';
import type { Stored } from '../base/revision.ts';
import type { AllocationBlock, Attribute } from './allocation-block.ts';
import type { BlockAffinity, Handle, IpamConfig, IpamNode, IpPool } from './records.ts';

export interface NodeAffinity extends Stored<BlockAffinity> {
  readonly cidr: Cidr;
}

export interface IpamFacts {
  readonly config: IpamConfig;
  readonly reservations: readonly Cidr[];
  /** `undefined`: there is no Node object of this name. */
  readonly node: IpamNode | undefined;
  /** Every pool, enabled or not, in name order. */
  readonly pools: readonly IpPool[];
  /** This node's affinities of both families, in key order. */
  readonly affinities: readonly NodeAffinity[];
  /** Handles read so far, by handle ID; `undefined`: known not to exist; no entry: not read. */
  readonly handles: ReadonlyMap<string, Stored<Handle> | undefined>;
  /** Blocks read so far, by CIDR text; `undefined`: known not to exist. */
  readonly blocks: ReadonlyMap<string, Stored<AllocationBlock> | undefined>;
  /** CIDR texts of every existing block of a family, once they have been listed. */
  readonly blockListings: ReadonlyMap<IpFamily, ReadonlySet<string>>;
  /** Other nodes' affinities read so far, by {@link affinityId}; `undefined`: known not to exist. */
  readonly otherAffinities: ReadonlyMap<string, Stored<BlockAffinity> | undefined>;
}

/** Key of {@link IpamFacts.otherAffinities}. */
export function affinityId(nodeName: string, cidrText: string): string {
  return `${nodeName} ${cidrText}`;
}

/** What must be read before the decision can be made. All of it is read in one request. */
export interface Look {
  readonly blocks: readonly Cidr[];
  /** Families whose block keys must be listed: names alone, or every block with its value. */
  readonly listings: readonly { readonly family: IpFamily; readonly withValues: boolean }[];
  readonly affinities: readonly { readonly nodeName: string; readonly cidr: Cidr }[];
  /** Handle IDs. */
  readonly handles: readonly string[];
}

/** What one ADD asks of the allocator. */
export interface AssignmentRequest {
  readonly nodeName: string;
  readonly handleId: string;
  /** `secondary` of the new attribute: `node`, `timestamp`, for pods `pod` and `namespace`. */
  readonly owner: Readonly<Record<string, string>>;
  /** Families to assign one automatic address of, in the order of the result: `[4]`, `[6]` or `[4, 6]`. */
  readonly families: readonly IpFamily[];
  /** Pools the configuration or an annotation names, already resolved to CIDRs. Empty: choose by selectors. */
  readonly requestedPools: readonly Cidr[];
  /** Exact addresses (CNI_ARGS `IP=`); when not empty, `families` and `requestedPools` are not consulted. */
  readonly requestedAddresses: readonly IpAddress[];
  /** The pod's sandbox before this one, if it had one: requested addresses are taken over from it. */
  readonly predecessor?: Predecessor | undefined;
  /** Labels of the pod's namespace, for namespaceSelector; empty outside Kubernetes. */
  readonly namespaceLabels: Readonly<Record<string, string>>;
  readonly use: 'Workload' | 'Tunnel';
  /** Wall clock, nanoseconds since the epoch. */
  readonly nowNs: bigint;
}

/** Another sandbox of the same pod, which this one replaces. */
export interface Predecessor {
  /** All names its addresses may be held under: `<network>.<containerID>` and the forms of older plugins. */
  readonly handleIds: readonly string[];
  /** Those the pod's endpoint records. No other one is taken over. */
  readonly addresses: readonly IpAddress[];
}

/** An address that an ADD took over from a {@link Predecessor}: it goes back there if the ADD is taken back. */
export interface TakenOver {
  readonly address: IpAddress;
  /** Who held it. */
  readonly from: Attribute;
}
