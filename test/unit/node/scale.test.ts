import { describe, expect, it } from 'vitest';
import { applyChanges, type RecordChange } from '../../../src/node/apply-changes.ts';
import { unknownCluster } from '../../../src/node/cluster.ts';
import { desiredHost } from '../../../src/node/desired/desire.ts';
import type { DesiredHost } from '../../../src/node/desired/desired-host.ts';
import { routeKey } from '../../../src/node/host-route.ts';
import { planChanges } from '../../../src/node/reconcile/plan.ts';
import { EMPTY_HOST } from './host-model.ts';
import { blockRecord, nodeRecord, READY } from './records.ts';
import { factsWith, vxlanPool } from './three-hosts.ts';

const BLOCKS_PER_NODE = 4;
/** The quickest counts: in the others somebody else may have had the processor. */
const RUNS = 5;

/** Nodes of 10.50.0.0/16, each with blocks of /26 that hold thirty pods. */
function largeCluster(nodes: number): readonly RecordChange[] {
  const records: RecordChange[] = [READY, vxlanPool('CrossSubnet', { cidr: '10.64.0.0/10' })];
  for (let n = 0; n < nodes; n++) {
    const name = `node${n}`;
    const ip = `10.${n % 2 === 0 ? 50 : 51}.${n >> 8}.${n & 255}/16`;
    for (let b = 0; b < BLOCKS_PER_NODE; b++) {
      const index = n * BLOCKS_PER_NODE + b;
      const network = `10.${64 + (index >> 10)}.${(index >> 2) & 255}.${(index & 3) * 64}`;
      if (b === 0) records.push(nodeRecord(name, ip, { ipv4VXLANTunnelAddr: network }));
      const pods = Object.fromEntries(Array.from({ length: 30 }, (_, ordinal) => [ordinal, name]));
      records.push(blockRecord(`${network}/26`, `host:${name}`, pods));
    }
  }
  return records;
}

function timed<Value>(run: () => Value): readonly [Value, number] {
  const start = performance.now();
  return [run(), performance.now() - start];
}

/** The order of the routes says nothing. */
function inOrder(desired: DesiredHost): DesiredHost {
  return { ...desired, routes: desired.routes.toSorted((a, b) => (routeKey(a) < routeKey(b) ? -1 : 1)) };
}

describe('a thousand nodes of four blocks', () => {
  const records = largeCluster(1000);
  const facts = factsWith(['10.50.0.0/16']);

  it('are worked out in a fifth of a second, and a change in much less', () => {
    const state = applyChanges(unknownCluster('node0'), records);
    const moved = blockRecord('10.64.0.64/26', 'host:node7');
    const runs = Array.from({ length: RUNS }, () => {
      const memo = {};
      const [desired, desiring] = timed(() => desiredHost(state, facts, memo));
      const [{ steps }, planning] = timed(() => planChanges(desired, EMPTY_HOST));
      const [changed, applying] = timed(() => applyChanges(state, [moved]));
      const [next, again] = timed(() => desiredHost(changed, facts, memo));
      return { desired, steps, changed, next, firstMs: desiring + planning, changeMs: applying + again };
    });
    for (const { desired, steps } of runs) {
      expect(desired.routes).toHaveLength(4000);
      expect(desired.findings).toEqual([]);
      expect(steps.length).toBeGreaterThan(2 * 999 + 4000);
    }
    for (const { changed, next } of runs.slice(-1))
      expect(inOrder(next)).toEqual(inOrder(desiredHost(changed, facts)));
    expect(Math.min(...runs.map(({ firstMs }) => firstMs))).toBeLessThan(1000);
    expect(Math.min(...runs.map(({ changeMs }) => changeMs))).toBeLessThan(250);
  });
});
