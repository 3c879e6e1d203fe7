/** Draws an allocation block the way it lies in the datastore: one cell per address, a letter per owner. Pure. */

import { formatCidr } from '../../base/cidr.ts';
import type { AllocationBlock, Attribute } from '../../ipam/allocation-block.ts';

const CELLS_PER_ROW = 16;
/** Colours of the terminal that are told apart on light and on dark ground. */
const COLOURS = [31, 32, 33, 34, 35, 36] as const;
const DIM = 2;

/**
 * ```
 * 10.0.0.0/26  affine to host:node1
 *    0 [a][b] .  .  .  .  .  .  .  .  .  .  .  .  .  .
 *   16  .  .  ~
 * a  k8s-pod-network.9f2c…  default/web-1  node1
 * ```
 * `~` waits out its cooldown. With colours, each owner has one.
 */
export function drawBlock(block: AllocationBlock, { colours }: { readonly colours: boolean }): string {
  const paint = colours ? withColour : plain;
  const cells = block.allocations.map((index) => drawCell(index, block.attributes, paint));
  const rows = Array.from({ length: Math.ceil(cells.length / CELLS_PER_ROW) }, (_, row) => {
    const first = row * CELLS_PER_ROW;
    return `${String(first).padStart(4)} ${cells.slice(first, first + CELLS_PER_ROW).join('')}`;
  });
  const owners = block.attributes.map((attribute, index) => {
    if (attribute.releasedAt !== undefined) return `~  in cooldown since ${attribute.releasedAt}`;
    return `${paint(letter(index), colourOf(index))}  ${describe(attribute)}`;
  });
  return [`${formatCidr(block.cidr)}  affine to ${block.affinity ?? 'no node'}`, ...rows, ...owners].join(
    '\n',
  );
}

/** How many addresses of the block are taken. */
export function countTaken({ allocations }: AllocationBlock): number {
  return allocations.filter((index) => index !== null).length;
}

type Paint = (text: string, colour: number) => string;

function drawCell(index: number | null, attributes: readonly Attribute[], paint: Paint): string {
  if (index === null) return paint(' . ', DIM);
  return attributes[index]?.releasedAt === undefined ? paint(`[${letter(index)}]`, colourOf(index)) : ' ~ ';
}

function describe({ handleId, activeOwner }: Attribute): string {
  const { namespace, pod, node, type } = activeOwner ?? {};
  const parts = [handleId ?? 'nobody', pod === undefined ? undefined : `${namespace}/${pod}`, type, node];
  return parts.filter((part) => part !== undefined).join('  ');
}

function letter(attribute: number): string {
  return String.fromCharCode('a'.charCodeAt(0) + (attribute % 26));
}

function colourOf(attribute: number): number {
  return COLOURS[attribute % COLOURS.length] ?? DIM;
}

const plain: Paint = (text) => text;
const withColour: Paint = (text, colour) => `\u001b[${colour}m${text}\u001b[0m`;
