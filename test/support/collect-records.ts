/** GC as far as the datastore sees it: the very decisions of the plugins, without a kernel. */

import { formatIpAddress } from '../../src/base/ip-address.ts';
import { settle } from '../../src/datastore/settle.ts';
import type { Store } from '../../src/datastore/store.ts';
import { batches } from '../../src/garbage/batches.ts';
import { collectionRanges, decideCollection } from '../../src/garbage/decide-collection.ts';
import { decideGc } from '../../src/plugins/garbage/decide-gc.ts';
import { scan } from '../../src/plugins/garbage/scan.ts';
import { endlessDeadline, instantClock } from './cut-line.ts';
import { NETWORK_NAME, RECORD_TIME_NS } from './record-calls.ts';

export interface CollectCall {
  readonly nodeName: string;
  readonly networkName?: string;
  /** Container IDs. */
  readonly live: readonly string[];
}

/** Gives back the addresses that were released, as text. */
export function collectRecords(call: CollectCall): (store: Store) => Promise<readonly string[]> {
  const { nodeName, live, networkName: network = NETWORK_NAME } = call;
  const deadline = endlessDeadline();
  const clock = instantClock(RECORD_TIME_NS);
  const log = { debug: fail, info: fail, warn: fail, error: fail };
  return async (store) => {
    const found = await scan({ nodeName, withEndpoints: true, store, deadline, log });
    const scope = { network, nodeName, liveContainers: new Set(live), madeBeforeNs: undefined };
    const released: string[] = [];
    for (const leaks of batches(decideGc(scope, found).leaks)) {
      const inputs = { leaks, nodeName, nowNs: RECORD_TIME_NS };
      const outcome = await settle({
        store,
        deadline,
        clock,
        random: () => 0.5,
        ranges: collectionRanges(inputs),
        decide: (view) => decideCollection(inputs, view, fail),
      });
      released.push(...outcome.released.map(formatIpAddress));
    }
    return released;
  };
}

function fail(text: string): never {
  throw new Error(`nothing was to be said: ${text}`);
}
