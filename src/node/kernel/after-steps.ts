/**
 * What a host has after steps that the kernel has taken, so that one route more does not mean to read all of them, nor to
 * compare all of them. Pure.
 */

import { sameAddress } from '../../base/ip-address.ts';
import type { DesiredHost, FdbEntry, HostNeighbour } from '../desired/desired-host.ts';
import { type HostRoute, routeKey, sameRoute } from '../host-route.ts';
import type { HostStep } from '../reconcile/host-step.ts';
import { ALL_PARTS, type HostPart } from './host-part.ts';

export interface KnownParts {
  readonly neighbours: readonly HostNeighbour[];
  readonly fdb: readonly FdbEntry[];
  readonly routes: readonly HostRoute[];
}

export interface AfterSteps extends KnownParts {
  /** What must be read to be known. */
  readonly outdated: readonly HostPart[];
}

/** Routes and entries follow from the steps. A change of a device changes more than it says. */
export function afterSteps(before: KnownParts, steps: readonly HostStep[]): AfterSteps {
  const routes = new Map<string, HostRoute | undefined>();
  const neighbours = new Map<string, HostNeighbour | undefined>();
  const fdb = new Map<string, FdbEntry | undefined>();
  const outdated = new Set<HostPart>();
  for (const step of steps) {
    switch (step.do) {
      case 'replace-route':
      case 'delete-route':
        routes.set(routeKey(step.route), step.do === 'replace-route' ? step.route : undefined);
        break;
      case 'replace-neighbour':
      case 'delete-neighbour':
        neighbours.set(
          neighbourKey(step.neighbour),
          step.do === 'replace-neighbour' ? step.neighbour : undefined,
        );
        break;
      case 'replace-fdb':
      case 'delete-fdb':
        fdb.set(fdbKey(step.entry), step.do === 'replace-fdb' ? step.entry : undefined);
        break;
      case 'write-sysctl':
        outdated.add('switches');
        break;
      default:
        for (const part of ALL_PARTS) outdated.add(part);
    }
  }
  return {
    routes: merged(before.routes, routes, routeKey),
    neighbours: merged(before.neighbours, neighbours, neighbourKey),
    fdb: merged(before.fdb, fdb, fdbKey),
    outdated: Array.from(outdated),
  };
}

function merged<T>(
  before: readonly T[],
  changes: ReadonlyMap<string, T | undefined>,
  keyOf: (value: T) => string,
): readonly T[] {
  if (changes.size === 0) return before;
  const kept = before.filter((value) => !changes.has(keyOf(value)));
  return [...kept, ...Array.from(changes.values()).filter((value) => value !== undefined)];
}

/** The same, with what is as it is wanted in the form of the very value that is wanted: comparing these is quick. */
export function recognised(
  found: KnownParts,
  wanted: Pick<DesiredHost, 'neighbours' | 'fdb' | 'routes'>,
): KnownParts {
  return {
    routes: exchanged(found.routes, wanted.routes, routeKey, sameRoute),
    neighbours: exchanged(found.neighbours, wanted.neighbours, neighbourKey, (a, b) => a.mac === b.mac),
    fdb: exchanged(found.fdb, wanted.fdb, fdbKey, (a, b) => sameAddress(a.remote, b.remote)),
  };
}

function exchanged<T>(
  found: readonly T[],
  wanted: readonly T[],
  keyOf: (value: T) => string,
  isSame: (wanted: T, found: T) => boolean,
): readonly T[] {
  const there = new Set(found);
  const strange = wanted.filter((value) => !there.has(value));
  if (strange.length === 0) return found;
  const byKey = new Map(strange.map((value) => [keyOf(value), value]));
  return found.map((value) => {
    const twin = byKey.get(keyOf(value));
    return twin !== undefined && isSame(twin, value) ? twin : value;
  });
}

function neighbourKey({ device, address }: HostNeighbour): string {
  return `${device} ${address.family} ${address.value}`;
}

/** One host per MAC is all we ever write. */
function fdbKey({ device, mac }: FdbEntry): string {
  return `${device} ${mac}`;
}
