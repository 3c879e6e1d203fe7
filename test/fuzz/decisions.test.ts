/**
 * Whole datastores in which some records are damaged: what ADD, DEL, CHECK and GC decide on them. Whatever they decide,
 * what other containers hold stays theirs.
 */

import fc from 'fast-check';
import { describe, it } from 'vitest';
import { isCalicoError } from '../../src/base/calico-error.ts';
import { parseIpAddress } from '../../src/base/ip-address.ts';
import { createLog } from '../../src/base/log.ts';
import { parseMacAddress } from '../../src/base/mac-address.ts';
import { decodeBlock } from '../../src/datastore/codecs/block.ts';
import { ipamRanges } from '../../src/datastore/ipam-records.ts';
import { readAll } from '../../src/datastore/read-all.ts';
import { type Decision, settle } from '../../src/datastore/settle.ts';
import type { Range } from '../../src/datastore/store.ts';
import type { View } from '../../src/datastore/view.ts';
import { workloadRanges } from '../../src/datastore/workload-records.ts';
import { attributeOf } from '../../src/ipam/block/attribute.ts';
import { decideAdd } from '../../src/plugins/calico/decide-add.ts';
import { checkRanges, decideCheck } from '../../src/plugins/calico/decide-check.ts';
import { decideDel } from '../../src/plugins/calico/decide-del.ts';
import { decideGc } from '../../src/plugins/garbage/decide-gc.ts';
import { scan } from '../../src/plugins/garbage/scan.ts';
import { calicoState } from '../support/calico-states.ts';
import { endlessDeadline } from '../support/cut-line.ts';
import { isRefusal, type Refusal, survivesLater } from '../support/fuzz.ts';
import { mangledJson } from '../support/mangled.ts';
import { createMemoryStore, type MemoryStore } from '../support/memory-store.ts';

const NETWORK = 'k8s-pod-network';
const NODE = 'node1';
const NOW_NS = 1_800_000_000_000_000_000n;
const NEW = 'ab'.repeat(32);
/** A container of the fixture, with addresses of both families. */
const KNOWN = '05'.repeat(32);
const handleIdOf = (containerId: string) => `${NETWORK}.${containerId}`;
const warn = () => undefined;

const STATE = new Map([
  ...calicoState('06').values,
  ['/calico/ipam/v2/config', '{"strict_affinity":false,"auto_allocate_blocks":true,"ipCooldownSeconds":30}'],
  [
    '/calico/resources/v3/projectcalico.org/ipreservations/r',
    '{"kind":"IPReservation","metadata":{"name":"r"},"spec":{"reservedCIDRs":["10.9.0.15/32"]}}',
  ],
]);

/** What nobody looks at, and containers that are like others. */
const IGNORED = /\/tiers\/|(?:01|02|03|04){32}/;

/** Another value of a key that there is, or a record at a key that there should not be. */
const damage: fc.Arbitrary<readonly [string, string]> = fc.oneof(
  ...[...STATE]
    .filter(([key]) => !IGNORED.test(key))
    .map(([key, value]) =>
      mangledJson([JSON.parse(value)]).chain((mangled) =>
        fc.tuple(fc.oneof({ weight: 9, arbitrary: fc.constant(key) }, oddKeys(key)), fc.constant(mangled)),
      ),
    ),
);
/** What is changed in {@link STATE}. */
type Damages = readonly (readonly [key: string, value: string])[];
const damages: fc.Arbitrary<Damages> = fc.array(damage, { minLength: 1, maxLength: 3 });
const damaged = (changes: Damages) => new Map([...STATE, ...changes]);

function oddKeys(key: string): fc.Arbitrary<string> {
  const ends = ['10.0.0.0-8', '0.0.0.0-0', '::-0', '10.9.0.9-30', '10.9.0.0-26', '10.9.1.0-30', 'x', '-', ''];
  return fc.constantFrom(...ends).map((end) => key.slice(0, key.lastIndexOf('/') + 1) + end);
}

function idsOf(containerId: string) {
  const base = { orchestrator: 'cni', nodeName: NODE, namespace: 'default', ifName: 'eth0' } as const;
  return { ...base, containerId, podName: undefined };
}

function decided<T>(
  store: MemoryStore,
  ranges: readonly Range[],
  decide: (view: View) => Decision<T>,
): Promise<T> {
  const clock = { nowNs: () => NOW_NS, monotonicMs: () => 0, sleep: async () => undefined };
  return settle({ store, ranges, decide, deadline: endlessDeadline(), clock, random: () => 0 });
}

function add(store: MemoryStore, containerId: string, requested: readonly string[]) {
  const ids = idsOf(containerId);
  const request = {
    nodeName: NODE,
    handleId: handleIdOf(containerId),
    owner: { node: NODE },
    families: [4, 6] as const,
    requestedAddresses: requested.map(parseIpAddress),
    namespaceLabels: {},
    use: 'Workload' as const,
    nowNs: NOW_NS,
  };
  const inputs = {
    ids,
    netnsPath: '/run/netns/x',
    hostIfNames: { usual: 'cali1', alternative: 'cali2' },
    seen: { container: undefined, host: [] },
    profiles: [NETWORK],
    ownProfile: NETWORK,
    labels: {},
    settings: undefined,
    wantedMac: undefined,
    source: {
      from: 'allocator',
      allocation: { networkName: NETWORK, request, ipv4Pools: [], ipv6Pools: [] },
    },
    freshMac: parseMacAddress('aa:bb:cc:dd:ee:ff'),
    endpointUid: 'u',
    profileUid: 'p',
    nowNs: NOW_NS,
  } as const;
  const ranges = [
    ...workloadRanges(ids, NETWORK),
    ...ipamRanges({ nodeName: NODE, handleIds: [handleIdOf(containerId)] }),
  ];
  return decided(store, ranges, (view) => decideAdd(inputs, view, warn));
}

function del(store: MemoryStore, containerId: string) {
  const ids = idsOf(containerId);
  const handleIds = [handleIdOf(containerId), containerId];
  const ranges = [...workloadRanges(ids), ...ipamRanges({ nodeName: NODE, handleIds })];
  const inputs = {
    ids,
    handleIds,
    nowNs: NOW_NS,
    isInUse: () => false,
    isOnHost: () => true,
    restore: undefined,
  };
  return decided(store, ranges, (view) => decideDel(inputs, view, warn));
}

async function check(store: MemoryStore, containerId: string) {
  const inputs = {
    ids: idsOf(containerId),
    made: {
      hostIfName: 'cali1',
      mac: undefined,
      mtu: undefined,
      addresses: [parseIpAddress('10.9.0.12')],
      hasIpamRoutes: false,
    },
    tuning: { formerMac: undefined, formerMtu: undefined },
    profile: NETWORK,
    allocation: {
      addresses: [parseIpAddress('10.9.0.12')],
      handleIds: [handleIdOf(containerId)],
      machinePrefix: `${NETWORK}.vmi.`,
    },
    mayBeWithoutIpam: false,
  };
  return decideCheck(inputs, await readAll(store, checkRanges(inputs), endlessDeadline()), warn);
}

async function gc(store: MemoryStore) {
  const log = createLog({ level: 'error', pid: 1, nowNs: () => NOW_NS, write: warn, context: {} });
  const facts = await scan({ nodeName: NODE, withEndpoints: true, store, deadline: endlessDeadline(), log });
  const scope = {
    network: NETWORK,
    nodeName: NODE,
    liveContainers: new Set([KNOWN]),
    madeBeforeNs: undefined,
  };
  return decideGc(scope, facts);
}

/** Who holds which address, as far as blocks can be read. */
function holders(values: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of values) {
    if (!key.includes('/assignment/')) continue;
    try {
      const block = decodeBlock(value, key);
      for (const [ordinal, index] of block.allocations.entries()) {
        const attribute = index === null ? undefined : attributeOf(block, ordinal);
        if (attribute?.handleId && attribute.releasedAt === undefined)
          found.set(`${key} ${ordinal}`, attribute.handleId);
      }
    } catch (error) {
      if (!isCalicoError(error, 'corrupt')) throw error;
    }
  }
  return found;
}

/** Runs it and sees to it that all others hold what they held, also when it fails. */
async function sparingOthers(
  changes: Damages,
  containerId: string,
  run: (store: MemoryStore) => Promise<unknown>,
): Promise<void> {
  const before = damaged(changes);
  const store = createMemoryStore(before);
  const [outcome] = await Promise.allSettled([run(store)]);
  const own = [handleIdOf(containerId), containerId];
  const after = holders(store.values());
  for (const [place, handleId] of holders(before)) {
    if (own.includes(handleId) || after.get(place) === handleId) continue;
    throw new Error(`${place} was ${handleId}'s and is ${after.get(place) ?? "nobody's"} now`);
  }
  if (outcome.status === 'rejected') throw outcome.reason;
}

/** Nobody else writes, so that no commit can be lost. */
const isAnswer: Refusal = (error) => isRefusal(error) && !isCalicoError(error, 'conflict');

describe('in a datastore with damaged records', () => {
  it('ADD gives an address or says why not', async () => {
    const requests = fc.constantFrom<readonly string[]>(
      [],
      [],
      ['10.9.0.15'],
      ['10.9.0.13'],
      ['10.9.0.9', 'fd09::1'],
    );
    await survivesLater(
      fc.tuple(damages, requests),
      ([changes, requested]) => sparingOthers(changes, NEW, (store) => add(store, NEW, requested)),
      isAnswer,
    );
  });

  it('ADD is repeated, or says why not', async () => {
    await survivesLater(damages, (changes) =>
      sparingOthers(changes, KNOWN, (store) => add(store, KNOWN, [])),
    );
  });

  it('DEL takes away what is its own, or says why not', async () => {
    await survivesLater(
      damages,
      (changes) => sparingOthers(changes, KNOWN, (store) => del(store, KNOWN)),
      isAnswer,
    );
  });

  it('CHECK compares, or says why not', async () => {
    await survivesLater(damages, (changes) => check(createMemoryStore(damaged(changes)), KNOWN));
  });

  it('GC finds garbage, or says why not', async () => {
    await survivesLater(damages, (changes) => gc(createMemoryStore(damaged(changes))));
  });
});
