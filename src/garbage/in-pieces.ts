/** Cuts long work into pieces. Pure. */

/** The items in their order, as many together as `max` allows; one that is larger than that is alone. */
export function inPieces<T>(
  items: readonly T[],
  sizeOf: (item: T) => number,
  max: number,
): readonly (readonly T[])[] {
  const pieces: T[][] = [];
  let room = 0;
  for (const item of items) {
    const size = sizeOf(item);
    if (size > room || pieces.length === 0) {
      pieces.push([]);
      room = max;
    }
    pieces.at(-1)?.push(item);
    room -= size;
  }
  return pieces;
}
