import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RecordChange } from '../../../src/node/apply-changes.ts';
import { type TestNetns, whyNoNetns } from '../../support/netns.ts';
import { blockRecord, nodeRecord, poolRecord, READY } from '../../unit/node/records.ts';
import { makeLoneHost, startAgent } from './fabric.ts';

const BLOCKS_PER_NODE = 4;

/** Nodes of 10.50.0.0/16 and, behind a router, of 10.51.0.0/16. */
function largeCluster(nodes: number): readonly RecordChange[] {
  return Array.from({ length: nodes }, (_, n) => {
    const name = `node${n}`;
    const network = (block: number) => `10.${64 + (n >> 8)}.${n & 255}.${block * 64}`;
    const ip = `10.${n % 2 === 0 ? 50 : 51}.${n >> 7}.${(n & 127) + 1}/16`;
    return [
      nodeRecord(name, ip, { ipv4VXLANTunnelAddr: network(0) }),
      ...Array.from({ length: BLOCKS_PER_NODE }, (_, block) =>
        blockRecord(`${network(block)}/26`, `host:${name}`, { 0: name }),
      ),
    ];
  }).flat();
}

describe.skipIf(whyNoNetns() !== undefined)('a thousand peers of four blocks', () => {
  let stack: DisposableStack;
  let host: TestNetns;

  beforeEach(() => {
    stack = new DisposableStack();
    host = makeLoneHost(stack, '10.50.0.1/16');
  });
  afterEach(() => stack.dispose());

  it('are in the kernel within three seconds, and one block more is there much sooner', async () => {
    const pool = poolRecord('v4', '10.64.0.0/10', { vxlanMode: 'CrossSubnet', natOutgoing: true });
    const agent = stack.use(startAgent(host, 'node0', [READY]));

    const first = await agent.tell([pool, ...largeCluster(1000)]);
    await agent.quiet();
    const more = Array.from({ length: 15 }, (_, n) => blockRecord(`10.90.${n}.0/26`, `host:node${n + 1}`));
    const times: number[] = [];
    for (const block of more) {
      const { steps, elapsedMs } = await agent.tell([block]);
      expect(steps).toMatchObject([{ do: 'replace-route' }]);
      times.push(elapsedMs);
    }
    const medianMs = times.toSorted((a, b) => a - b)[7] ?? Number.NaN;
    process.stdout.write(
      `${first.steps.length} steps in ${first.elapsedMs.toFixed(0)} ms, then one in ${medianMs.toFixed(1)} ms\n`,
    );
    expect(first.failures).toEqual([]);
    expect(host.sh('ip route show proto 202 | wc -l')).toBe('4015');
    expect(host.sh('bridge fdb show dev vxlan.calico | wc -l')).toBe('999');
    expect(host.sh('ip neigh show dev vxlan.calico nud permanent | wc -l')).toBe('999');
    expect(first.elapsedMs).toBeLessThan(3_000);
    expect(medianMs).toBeLessThan(200);

    agent[Symbol.dispose]();
    const again = stack.use(startAgent(host, 'node0', [READY]));
    const { steps, elapsedMs } = await again.tell([pool, ...largeCluster(1000), ...more]);
    process.stdout.write(`started again: ${steps.length} steps in ${elapsedMs.toFixed(0)} ms\n`);
    expect(steps).toEqual([]);
  });
});
