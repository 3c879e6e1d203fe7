/**
 * Since when things look like garbage. What is seen so at every look of a grace period is confirmed; what once is not is
 * forgotten. It lives in memory alone: an agent that begins anew waits anew. Pure.
 */

/** When the first of the looks ended, in monotonic milliseconds, by what names a thing and everything that must not change about it. */
export type Suspicion = ReadonlyMap<string, number>;

export const NO_SUSPICION: Suspicion = new Map();

export interface AfterLook {
  readonly suspicion: Suspicion;
  readonly confirmed: ReadonlySet<string>;
}

/** When a look was taken, in monotonic milliseconds. */
export interface LookTimes {
  readonly beganMs: number;
  readonly endedMs: number;
}

/** The whole grace period lies between the two looks. */
export function afterLook(
  before: Suspicion,
  suspects: Iterable<string>,
  { beganMs, endedMs }: LookTimes,
  graceMs: number,
): AfterLook {
  const suspicion = new Map(Array.from(suspects, (id) => [id, before.get(id) ?? endedMs]));
  const isOver = (id: string) => beganMs - (before.get(id) ?? Number.POSITIVE_INFINITY) >= graceMs;
  return { suspicion, confirmed: new Set([...suspicion.keys()].filter(isOver)) };
}

/** So that garbage is collected soon after its grace period, and the agents of a cluster look at different times. */
export function lookAgainMs(graceMs: number, fraction: number): number {
  return (Math.min(graceMs, LONGEST_MS) / 3) * (0.75 + 0.5 * fraction);
}

/** Five minutes between looks are enough, however long the grace period. */
const LONGEST_MS = 15 * 60_000;
