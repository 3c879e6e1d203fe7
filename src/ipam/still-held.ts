/** Whether a sandbox still has its addresses, or was deleted meanwhile. Pure. */

import type { IpAddress } from '../base/ip-address.ts';
import { type Attribute, ordinalOf } from './allocation-block.ts';
import type { MustLook } from './assignment/address-search.ts';
import { attributeOf } from './block/attribute.ts';
import type { IpamFacts, Predecessor } from './facts.ts';
import { isSameHandle } from './handle-id.ts';
import { homeOf, isRead, loadBlock, uniquePlaces } from './known-blocks.ts';
import { lookAtBlocks } from './look.ts';
import type { IpamChange } from './records.ts';

/** Who is asked about: a sandbox of a pod. */
export interface Sandbox extends Predecessor {
  readonly pod: string | undefined;
  readonly namespace: string;
  /** Wall clock, nanoseconds since the epoch. */
  readonly nowNs: bigint;
}

/** `isHeld: false`: one of its addresses is free, in cooldown, or somebody else's. */
export type StillHeld =
  | {
      readonly outcome: 'known';
      readonly isHeld: boolean;
      /** What must not change until something is written that relies on the answer. */
      readonly guards: readonly IpamChange[];
    }
  | MustLook;

/** An address without a pool, whose block cannot be found, counts as held: a running sandbox must not lose it. */
export function stillHeld(sandbox: Sandbox, facts: IpamFacts): StillHeld {
  const homes = sandbox.addresses.flatMap((address) => {
    const place = homeOf(facts.pools, address);
    return place === undefined ? [] : [{ address, place }];
  });
  const places = uniquePlaces(homes.map(({ place }) => place));
  const unread = places.filter((place) => !isRead(facts, place));
  if (unread.length > 0) return { outcome: 'look', look: lookAtBlocks(unread) };
  const blocks = places.flatMap((place) => loadBlock(facts, place, sandbox.nowNs) ?? []);
  const isItsOwn = (address: IpAddress) =>
    blocks.some(({ value }) => {
      const ordinal = ordinalOf(value, address);
      const holder = ordinal === undefined ? undefined : attributeOf(value, ordinal);
      return holder !== undefined && isHeldFor(sandbox, holder);
    });
  return {
    outcome: 'known',
    isHeld: homes.every(({ address }) => isItsOwn(address)),
    guards: blocks.map(({ value, revision }) => ({
      record: 'block',
      cidr: value.cidr,
      from: revision,
      to: 'unchanged',
    })),
  };
}

/** Under one of its handles, or one of another form that says the pod's name. */
function isHeldFor({ handleIds, pod, namespace }: Sandbox, { handleId, activeOwner }: Attribute): boolean {
  if (handleId !== undefined && handleIds.some((known) => isSameHandle(known, handleId))) return true;
  return pod !== undefined && activeOwner?.pod === pod && activeOwner.namespace === namespace;
}
