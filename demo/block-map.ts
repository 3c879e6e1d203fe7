/** Draws an allocation block the way it lies in etcd: one cell per address, a letter per owner. Pure. */

/** The part of a stored block that is drawn. */
export interface StoredBlock {
  readonly cidr: string;
  readonly affinity?: string | null;
  /** Per ordinal: the index of its attribute, or null when it is free. */
  readonly allocations: readonly (number | null)[];
  readonly attributes: readonly { readonly handle_id: string | null }[];
}

const CELLS_PER_ROW = 16;

/**
 * ```
 *      0 [a][b] .  .  .  .  .  .  .  .  .  .  .  .  .  .
 *     16  .  .  .
 * a  k8s-pod-network.9f2c…
 * ```
 */
export function drawBlock(block: StoredBlock): string {
  const cells = block.allocations.map((owner) => (owner === null ? ' . ' : `[${letter(owner)}]`));
  const rows = Array.from({ length: Math.ceil(cells.length / CELLS_PER_ROW) }, (_, row) => {
    const first = row * CELLS_PER_ROW;
    return `${String(first).padStart(4)} ${cells.slice(first, first + CELLS_PER_ROW).join('')}`;
  });
  const owners = block.attributes.map(({ handle_id }, index) => `${letter(index)}  ${handle_id ?? 'nobody'}`);
  return [`${block.cidr}  affine to ${block.affinity ?? 'no node'}`, ...rows, ...owners].join('\n');
}

/** How many addresses of the block are taken. */
export function countTaken(block: StoredBlock): number {
  return block.allocations.filter((owner) => owner !== null).length;
}

function letter(attribute: number): string {
  return String.fromCharCode('a'.charCodeAt(0) + (attribute % 26));
}
