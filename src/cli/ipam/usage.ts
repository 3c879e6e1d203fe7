/** How much of pools and blocks is used, as calicoctl counts it. Pure. */

import { addressCount, type Cidr, containsCidr, formatCidr } from '../../base/cidr.ts';
import type { AllocationBlock } from '../../ipam/allocation-block.ts';
import type { IpPool } from '../../ipam/records.ts';
import { reservedOrdinals, reservedRanges } from '../../ipam/reservations.ts';
import { type Column, formatFramedTable } from '../table.ts';

export interface Usage {
  readonly cidr: string;
  readonly total: bigint;
  /** Addresses in cooldown count too: nobody can get them. */
  readonly inUse: bigint;
  /** Set aside by an IPReservation, and not in use. */
  readonly reserved: bigint;
  readonly free: bigint;
}

export interface BlockUsage extends Usage {
  readonly affinity: string | undefined;
}

/** A block on the way to its pool. */
export interface PlacedBlock {
  readonly cidr: Cidr;
  readonly usage: BlockUsage;
  /** How many of its addresses are reserved, in use or not. */
  readonly reservedCount: bigint;
}

export interface PoolUsage extends Usage {
  readonly name: string;
  readonly blocks: readonly BlockUsage[];
}

export interface ClusterUsage {
  readonly pools: readonly PoolUsage[];
  /** Blocks that are in no pool. */
  readonly orphans: readonly BlockUsage[];
}

export function placedBlock(block: AllocationBlock, reservations: readonly Cidr[]): PlacedBlock {
  const total = BigInt(block.allocations.length);
  const inUse = total - BigInt(block.unallocated.length);
  const reserved = reservedOrdinals(block.cidr, reservations);
  const setAside = BigInt(block.unallocated.filter((ordinal) => reserved.has(ordinal)).length);
  const usage = { ...counted(block.cidr, total, inUse, setAside), affinity: block.affinity };
  return { cidr: block.cidr, usage, reservedCount: BigInt(reserved.size) };
}

/** Pools in the order given, each with the blocks inside. */
export function clusterUsage(
  pools: readonly IpPool[],
  reservations: readonly Cidr[],
  blocks: readonly PlacedBlock[],
): ClusterUsage {
  const byPool = Map.groupBy(blocks, (block) => pools.find(({ cidr }) => containsCidr(cidr, block.cidr)));
  return {
    pools: pools.map((pool) => poolUsage(pool, reservations, byPool.get(pool) ?? [])),
    orphans: (byPool.get(undefined) ?? []).map(({ usage }) => usage),
  };
}

/** Of what is reserved, the part outside of blocks is set aside; inside them it may be in use all the same. */
function poolUsage(pool: IpPool, reservations: readonly Cidr[], blocks: readonly PlacedBlock[]): PoolUsage {
  const sum = (count: (block: PlacedBlock) => bigint) =>
    blocks.reduce((total, block) => total + count(block), 0n);
  const all = reservedRanges(pool.cidr, reservations).reduce((total, { from, to }) => total + to - from, 0n);
  const setAside = all - sum(({ reservedCount }) => reservedCount) + sum(({ usage }) => usage.reserved);
  const inUse = sum(({ usage }) => usage.inUse);
  const total = addressCount(pool.cidr);
  return {
    name: pool.name,
    ...counted(pool.cidr, total, inUse, setAside),
    blocks: blocks.map(({ usage }) => usage),
  };
}

function counted(cidr: Cidr, total: bigint, inUse: bigint, reserved: bigint): Usage {
  return { cidr: formatCidr(cidr), total, inUse, reserved, free: total - inUse - reserved };
}

const COLUMNS: readonly Column[] = [
  { title: 'GROUPING', align: 'left' },
  { title: 'CIDR', align: 'left' },
  { title: 'IPS TOTAL', align: 'right' },
  { title: 'IPS IN USE', align: 'right' },
  { title: 'IPS RESERVED', align: 'right' },
  { title: 'IPS FREE', align: 'right' },
];

/** As `calicoctl ipam show` prints it, with `--show-blocks` or without. */
export function usageTable({ pools, orphans }: ClusterUsage, withBlocks: boolean): string {
  const blockRows = (blocks: readonly BlockUsage[]) =>
    withBlocks ? blocks.map((block) => usageRow('Block', block)) : [];
  return formatFramedTable(COLUMNS, [
    ...pools.flatMap((pool) => [usageRow('IP Pool', pool), ...blockRows(pool.blocks)]),
    ...blockRows(orphans),
  ]);
}

function usageRow(grouping: string, { cidr, total, inUse, reserved, free }: Usage): readonly string[] {
  const part = (count: bigint) => `${fiveDigits(count)} (${percent(count, total)}%)`;
  return [grouping, cidr, fiveDigits(total), part(inUse), part(reserved), part(free)];
}

/** Halves go to the even neighbour, as Go rounds them. */
function percent(count: bigint, total: bigint): string {
  const whole = (100n * count) / total;
  const twiceRest = 2n * ((100n * count) % total);
  const isUp = twiceRest > total || (twiceRest === total && whole % 2n === 1n);
  return String(isUp ? whole + 1n : whole);
}

/** As Go prints a number with `%.5g`: `65536`, `1.6777e+07`. */
export function fiveDigits(count: bigint): string {
  if (count < 100_000n) return count.toString();
  const [mantissa = '', exponent = ''] = Number(count).toExponential(4).split('e+');
  const digits = mantissa.replace(/\.?0+$/, '');
  return `${digits}e+${exponent.padStart(2, '0')}`;
}
