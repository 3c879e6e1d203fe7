/** The other records of IPAM, as values. Pure types; their JSON is the business of `datastore/codecs`. */

import type { Cidr } from '../base/cidr.ts';
import type { Revision } from '../base/revision.ts';
import type { AllocationBlock } from './allocation-block.ts';

export type AffinityState = 'pending' | 'confirmed' | 'pendingDeletion';

/** A node's claim on a block. Its key holds the node and the CIDR. */
export interface BlockAffinity {
  readonly state: AffinityState;
  readonly unknownFields: Readonly<Record<string, unknown>>;
}

/** How many addresses one owner holds, per block CIDR text. */
export interface Handle {
  readonly addressCounts: ReadonlyMap<string, number>;
  readonly unknownFields: Readonly<Record<string, unknown>>;
}

/** Cluster-wide rules, defaults already applied. */
export interface IpamConfig {
  readonly strictAffinity: boolean;
  readonly autoAllocateBlocks: boolean;
  /** 0: not set. */
  readonly maxBlocksPerHost: number;
  readonly cooldownSeconds: number;
}

export interface IpPool {
  readonly name: string;
  readonly cidr: Cidr;
  /** Prefix length of its blocks: 26 means 64 addresses. */
  readonly blockSize: number;
  /** False when disabled, being deleted, or marked not allocatable. */
  readonly enabled: boolean;
  /** Selector text over node labels; `all()` when empty. */
  readonly nodeSelector: string;
  /** Selector text over namespace labels; empty matches everything. */
  readonly namespaceSelector: string;
  readonly allowedUses: readonly string[];
  readonly automatic: boolean;
}

/** What the allocator must know of a Node object. */
export interface IpamNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/**
 * One record to write, delete or merely guard, under compare-and-swap. `from` is the revision it must still
 * have; `to` the new value, `undefined` to delete it, `'unchanged'` to only insist on the revision.
 */
export type IpamChange =
  | {
      readonly record: 'block';
      readonly cidr: Cidr;
      readonly from: Revision;
      readonly to: AllocationBlock | undefined | 'unchanged';
    }
  | {
      readonly record: 'affinity';
      readonly nodeName: string;
      readonly cidr: Cidr;
      readonly from: Revision;
      readonly to: BlockAffinity | undefined | 'unchanged';
    }
  | {
      readonly record: 'handle';
      readonly handleId: string;
      readonly from: Revision;
      readonly to: Handle | undefined | 'unchanged';
    };
