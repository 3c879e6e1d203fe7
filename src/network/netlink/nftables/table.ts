/**
 * A whole table of nftables as a value: chains of rules, and sets of address ranges that the rules look into. Pure.
 *
 * A table is only ever replaced as a whole. In one transaction, so that no packet sees half of it.
 */

import { type IpFamily, ipAddressToBytes } from '../../../base/ip-address.ts';
import { attribute, attributeText, nested } from '../attribute.ts';
import { type NetlinkRequest, NLM_F_APPEND, NLM_F_CREATE } from '../header.ts';
import type { Expressions } from './expression.ts';
import { attributeBe32, be32, filterRequest } from './message.ts';

/** In every message the first attribute is the name of the table. */
export const NFTA_TABLE_NAME = 1;
export const NFTA_CHAIN_NAME = 3;
export const NFTA_CHAIN_HOOK = 4;
export const NFTA_CHAIN_TYPE = 7;
export const NFTA_HOOK_NUMBER = 1;
export const NFTA_HOOK_PRIORITY = 2;
export const NFTA_RULE_CHAIN = 2;
export const NFTA_RULE_EXPRESSIONS = 4;
export const NFTA_SET_NAME = 2;
const NFTA_SET_FLAGS = 3;
const NFTA_SET_KEY_TYPE = 4;
export const NFTA_SET_KEY_LENGTH = 5;
const NFTA_SET_ID = 10;
export const NFTA_SET_ELEMENTS = 3;
export const NFTA_LIST_ELEM = 1;
export const NFTA_ELEMENT_KEY = 1;
export const NFTA_ELEMENT_FLAGS = 3;
export const NFTA_DATA_VALUE = 1;

const SET_OF_INTERVALS = 4;
const INTERVAL_END = 1;
/** Only for `nft list`, which names types that the kernel does not know. */
const KEY_TYPE: Readonly<Record<IpFamily, number>> = { 4: 7, 6: 8 };
/** The length of an attribute is two bytes; an element takes up to 36. */
const ELEMENTS_PER_MESSAGE = 1024;

/** Addresses from the first up to the one before `end`; `undefined`: up to the last there is. */
export interface AddressRange {
  readonly first: bigint;
  readonly end: bigint | undefined;
}

export interface RangeSet {
  readonly name: string;
  /** In order, neither overlapping nor touching. */
  readonly ranges: readonly AddressRange[];
}

/** A chain that packets come through. */
export interface HookedChain {
  readonly name: string;
  readonly type: 'nat';
  /** `postrouting` is 4. */
  readonly hook: number;
  readonly priority: number;
  readonly rules: readonly Expressions[];
}

export interface FilterTable {
  readonly family: IpFamily;
  readonly name: string;
  readonly sets: readonly RangeSet[];
  readonly chains: readonly HookedChain[];
}

/** The requests of a transaction that puts the table in the place of the one of its name, or makes it. */
export function replaceTable(table: FilterTable): readonly NetlinkRequest[] {
  const { family, name } = table;
  const of = attributeText(NFTA_TABLE_NAME, name);
  return [
    ...removeTable(family, name),
    filterRequest('NEWTABLE', family, NLM_F_CREATE, [of]),
    ...table.sets.flatMap((set, index) => setRequests(family, of, set, index + 1)),
    ...table.chains.flatMap((chain) => chainRequests(family, of, chain)),
  ];
}

/** The requests of a transaction after which there is no table of the name. Made first, since none could be removed. */
export function removeTable(family: IpFamily, name: string): readonly NetlinkRequest[] {
  const attributes = [attributeText(NFTA_TABLE_NAME, name)];
  return [
    filterRequest('NEWTABLE', family, NLM_F_CREATE, attributes),
    filterRequest('DELTABLE', family, 0, attributes),
  ];
}

function setRequests(
  family: IpFamily,
  of: Buffer,
  { name, ranges }: RangeSet,
  id: number,
): readonly NetlinkRequest[] {
  const elements = elementsOf(family, ranges).map(encodeElement);
  const starts = Array.from(
    { length: Math.ceil(elements.length / ELEMENTS_PER_MESSAGE) },
    (_, n) => n * ELEMENTS_PER_MESSAGE,
  );
  return [
    filterRequest('NEWSET', family, NLM_F_CREATE, [
      of,
      attributeText(NFTA_SET_NAME, name),
      attributeBe32(NFTA_SET_FLAGS, SET_OF_INTERVALS),
      attributeBe32(NFTA_SET_KEY_TYPE, KEY_TYPE[family]),
      attributeBe32(NFTA_SET_KEY_LENGTH, family === 4 ? 4 : 16),
      attributeBe32(NFTA_SET_ID, id),
    ]),
    ...starts.map((start) =>
      filterRequest('NEWSETELEM', family, NLM_F_CREATE, [
        of,
        attributeText(NFTA_SET_NAME, name),
        nested(NFTA_SET_ELEMENTS, elements.slice(start, start + ELEMENTS_PER_MESSAGE)),
      ]),
    ),
  ];
}

/** A set of intervals is a list of addresses at which something begins or ends. */
export interface SetElement {
  readonly key: Uint8Array;
  readonly isEnd: boolean;
}

/** As nft itself writes them: what is before the first range ends at its beginning, and so a set begins with an end. */
export function elementsOf(family: IpFamily, ranges: readonly AddressRange[]): readonly SetElement[] {
  const element = (value: bigint, isEnd: boolean) => ({ key: ipAddressToBytes({ family, value }), isEnd });
  const startsLater = ranges[0] !== undefined && ranges[0].first > 0n;
  return [
    ...(startsLater ? [element(0n, true)] : []),
    ...ranges.flatMap(({ first, end }) => [
      element(first, false),
      ...(end === undefined ? [] : [element(end, true)]),
    ]),
  ];
}

function encodeElement({ key, isEnd }: SetElement): Buffer {
  return nested(NFTA_LIST_ELEM, [
    nested(NFTA_ELEMENT_KEY, [attribute(NFTA_DATA_VALUE, key)]),
    ...(isEnd ? [attributeBe32(NFTA_ELEMENT_FLAGS, INTERVAL_END)] : []),
  ]);
}

function chainRequests(family: IpFamily, of: Buffer, chain: HookedChain): readonly NetlinkRequest[] {
  return [
    filterRequest('NEWCHAIN', family, NLM_F_CREATE, [
      of,
      attributeText(NFTA_CHAIN_NAME, chain.name),
      nested(NFTA_CHAIN_HOOK, [
        attribute(NFTA_HOOK_NUMBER, be32(chain.hook)),
        attribute(NFTA_HOOK_PRIORITY, be32(chain.priority)),
      ]),
      attributeText(NFTA_CHAIN_TYPE, chain.type),
    ]),
    ...chain.rules.map((expressions) =>
      filterRequest('NEWRULE', family, NLM_F_CREATE | NLM_F_APPEND, [
        of,
        attributeText(NFTA_RULE_CHAIN, chain.name),
        nested(NFTA_RULE_EXPRESSIONS, expressions),
      ]),
    ),
  ];
}
