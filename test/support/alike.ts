/**
 * Calico's values with all that differs from run to run taken out: times, IDs, MACs and the seeds of sequence
 * numbers. What is left must be the same whoever wrote it.
 */

const TIMES = /"(creationTimestamp|affinity_claim_time|timestamp|releasedAt)":"[^"]*"/g;
const IDS = /"(uid|mac|clusterGUID)":"[^"]*"/g;

/** All keys with their comparable values. */
export function alike(values: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Array.from(values, ([key, value]) => [key, comparable(value)]).sort(([a = ''], [b = '']) =>
      a < b ? -1 : 1,
    ),
  );
}

function comparable(value: string): string {
  return relativeSequence(value.replace(TIMES, '"$1":"(a time)"').replace(IDS, '"$1":"(an id)"'));
}

/** Sequence numbers start at the time a block was made; what matters is how far they are apart. */
function relativeSequence(value: string): string {
  const sequence = BigInt(/"sequenceNumber":(\d+)/.exec(value)?.[1] ?? 0);
  return value
    .replace(/("\d+"):(\d+)/g, (_all, ordinal, number) => `${ordinal}:${BigInt(number) - sequence}`)
    .replace(/"sequenceNumber":\d+/, '"sequenceNumber":(a seed)');
}
