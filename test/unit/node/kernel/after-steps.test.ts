import { describe, expect, it } from 'vitest';
import { desiredHost } from '../../../../src/node/desired/desire.ts';
import { routeKey } from '../../../../src/node/host-route.ts';
import { afterSteps } from '../../../../src/node/kernel/after-steps.ts';
import { planChanges } from '../../../../src/node/reconcile/plan.ts';
import { EMPTY_HOST, afterSteps as inTheModel } from '../../../unit/node/host-model.ts';
import { blockRecord, clusterOf, deleted, nodeRecord } from '../records.ts';
import { BLOCKS, factsOf, NODES, vxlanPool } from '../three-hosts.ts';

const facts = factsOf('node1');
const before = [...NODES, ...BLOCKS, vxlanPool('Always')];
const start = inTheModel(
  EMPTY_HOST,
  planChanges(desiredHost(clusterOf('node1', ...before), facts), EMPTY_HOST).steps,
);

describe('afterSteps()', () => {
  it.each([
    ['a block more', [blockRecord('10.77.7.0/28', 'host:node2')]],
    ['a block less', [deleted(BLOCKS[1] ?? vxlanPool('Never'))]],
    ['another mode', [vxlanPool('CrossSubnet')]],
    ['a node less', [deleted(NODES[2] ?? vxlanPool('Never'))]],
    [
      'a node that has moved',
      [nodeRecord('node3', '10.60.0.14/24', { ipv4VXLANTunnelAddr: '10.77.161.200' })],
    ],
  ])('knows what the kernel has after %s', (_what, changes) => {
    const desired = desiredHost(clusterOf('node1', ...before, ...changes), facts);
    const { steps } = planChanges(desired, start);
    const model = inTheModel(start, steps);

    const known = afterSteps(start, steps);

    expect(steps.length).toBeGreaterThan(0);
    expect(known.outdated).toEqual([]);
    expect(byText(known.routes.map((route) => ({ ...route, key: routeKey(route) })))).toEqual(
      byText(model.routes.map((route) => ({ ...route, key: routeKey(route) }))),
    );
    expect(byText(known.neighbours)).toEqual(byText(model.neighbours));
    expect(byText(known.fdb)).toEqual(byText(model.fdb));
  });

  it('knows nothing for sure after a change of a device', () => {
    const { outdated } = afterSteps(start, [{ do: 'set-mtu', device: 'vxlan.calico', mtu: 1400 }]);

    expect(outdated).toContain('routes');
    expect(outdated).toContain('links');
  });

  it('reads switches again that were set', () => {
    const sysctl = { key: 'net/ipv4/ip_forward', value: '1', onFailure: 'fail' } as const;

    expect(afterSteps(start, [{ do: 'write-sysctl', sysctl }]).outdated).toEqual(['switches']);
  });
});

function byText(values: readonly unknown[]): readonly string[] {
  return values
    .map((value) => JSON.stringify(value, (_key, part) => (typeof part === 'bigint' ? String(part) : part)))
    .toSorted();
}
