/** The entries that routes through a VXLAN device need before they can be used. Pure. */

import { sameAddress } from '../../base/ip-address.ts';
import type { DesiredHost, FdbEntry, HostNeighbour } from '../desired/desired-host.ts';
import type { HostStep } from './host-step.ts';
import type { ObservedHost } from './observed-host.ts';
import type { DevicePlan } from './plan-devices.ts';

export interface Layer2Plan {
  /** Before routes. Where to send to comes before the MAC that is sent to, so that a peer with a new MAC loses nothing. */
  readonly first: readonly HostStep[];
  /** After routes. */
  readonly last: readonly HostStep[];
}

export function planLayer2(
  desired: DesiredHost,
  observed: ObservedHost,
  devices: readonly DevicePlan[],
): Layer2Plan {
  const plans = devices.filter(({ isVxlan, isUsable }) => isVxlan && isUsable);
  const neighbours = plans.flatMap(({ name, loses }) =>
    planNeighbours(name, desired, observed, loses.neighbours),
  );
  const fdb = plans.flatMap(({ name, loses }) => planFdb(name, desired, observed, loses.fdb));
  const isFirst = (step: HostStep) => step.do === 'replace-neighbour' || step.do === 'replace-fdb';
  const isLast = (step: HostStep) => !isFirst(step);
  return {
    first: [...fdb.filter(isFirst), ...neighbours.filter(isFirst)],
    last: [...neighbours.filter(isLast), ...fdb.filter(isLast)],
  };
}

/** Whether they hold the very same values, as is the rule while neither has been made anew. */
function areAlike<Entry>(wanted: readonly Entry[], found: readonly Entry[]): boolean {
  if (wanted.length !== found.length) return false;
  const there = new Set(found);
  return wanted.every((entry) => there.has(entry));
}

/** One MAC per address. */
function planNeighbours(
  device: string,
  desired: DesiredHost,
  observed: ObservedHost,
  areLost: boolean,
): readonly HostStep[] {
  if (!areLost && areAlike(desired.neighbours, observed.neighbours)) return [];
  const isHere = (neighbour: HostNeighbour) => neighbour.device === device;
  const wanted = new Map(desired.neighbours.filter(isHere).map((entry) => [addressKey(entry), entry]));
  const found = new Map(
    areLost ? [] : observed.neighbours.filter(isHere).map((entry) => [addressKey(entry), entry]),
  );
  return [
    ...Array.from(wanted)
      .filter(([key, { mac }]) => found.get(key)?.mac !== mac)
      .map(([, neighbour]) => ({ do: 'replace-neighbour', neighbour }) as const),
    ...Array.from(found)
      .filter(([key]) => !wanted.has(key))
      .map(([, neighbour]) => ({ do: 'delete-neighbour', neighbour }) as const),
  ];
}

function addressKey({ address }: HostNeighbour): string {
  return `${address.family} ${address.value}`;
}

/** One host per MAC; only MACs that stand for many hosts, which we never write, have more. */
function planFdb(
  device: string,
  desired: DesiredHost,
  observed: ObservedHost,
  areLost: boolean,
): readonly HostStep[] {
  if (!areLost && areAlike(desired.fdb, observed.fdb)) return [];
  const isHere = (entry: FdbEntry) => entry.device === device;
  const wanted = new Map(desired.fdb.filter(isHere).map((entry) => [entry.mac, entry]));
  const found = areLost ? [] : observed.fdb.filter(isHere);
  const right = new Set(
    found.filter(({ mac, remote }) => isSame(remote, wanted.get(mac)?.remote)).map(({ mac }) => mac),
  );
  return [
    ...Array.from(wanted.values())
      .filter(({ mac }) => !right.has(mac))
      .map((entry) => ({ do: 'replace-fdb', entry }) as const),
    ...found.filter(({ mac }) => !wanted.has(mac)).map((entry) => ({ do: 'delete-fdb', entry }) as const),
  ];
}

function isSame(a: FdbEntry['remote'], b: FdbEntry['remote'] | undefined): boolean {
  return b !== undefined && sameAddress(a, b);
}
