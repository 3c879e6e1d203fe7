import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createLog } from '../../../src/base/log.ts';
import { systemRandom } from '../../../src/base/system-random.ts';
import { applyChanges } from '../../../src/node/apply-changes.ts';
import { unknownCluster } from '../../../src/node/cluster.ts';
import { keepHost } from '../../../src/node/host-consumer.ts';
import type { AgentWitness } from '../../../src/node/witness.ts';
import { realClock } from '../../support/clock.ts';
import { makeNetns, moveTo, whyNoNetns } from '../../support/netns.ts';
import { nodeRecord, poolRecord, READY } from '../../unit/node/records.ts';
import { type TimedRound, until, untilQuiet } from './fabric.ts';

const why = whyNoNetns();
const HOST = `
  ip link set lo up
  ip link add eth0 type veth peer name other0
  ip link set eth0 up
  ip address add 192.0.2.11/24 dev eth0
`;
const POD = 'ip link add cali1 type veth peer name pod0; ip link set cali1 up; ip link set pod0 up';

it.skipIf(why !== undefined)(
  `a host without the address of its Node is told to have moved once for what it has${why === undefined ? '' : ` (skipped: ${why})`}`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'moved-'));
    using netns = makeNetns('host');
    netns.sh(HOST);
    using _here = moveTo(netns);
    const log = createLog({
      level: 'error',
      pid: 1,
      nowNs: realClock.nowNs,
      write: () => undefined,
      context: {},
    });
    const mtuFile = join(folder, 'mtu');
    const rounds: TimedRound[] = [];
    const witness: AgentWitness = {
      onRound: (round) => void rounds.push({ ...round, endedMs: performance.now() }),
      onCluster: () => undefined,
      onEvent: () => undefined,
      onHeard: () => undefined,
    };
    using host = keepHost({ clock: realClock, random: systemRandom, log, mtuFile, witness });
    let moves = 0;
    host.whenMoved?.(() => {
      moves += 1;
    });
    const records = [
      READY,
      nodeRecord('node1', '192.0.2.11/24', { ipv4VXLANTunnelAddr: '10.77.0.0' }),
      poolRecord('v4', '10.77.0.0/16', { vxlanMode: 'Always' }),
    ];
    const cluster = applyChanges(unknownCluster('node1'), records);
    host.onCluster(cluster, { changes: [], revision: '1', cause: 'picture' });
    await host.ready;
    const movesAfter = async (change: string) => {
      await untilQuiet(rounds);
      const before = rounds.length;
      netns.sh(change);
      await until('a round that sees it', () => rounds.length > before);
      await untilQuiet(rounds);
      return moves;
    };

    expect(await movesAfter(POD)).toBe(0);
    expect(await movesAfter('ip address del 192.0.2.11/24 dev eth0')).toBe(1);
    expect(await movesAfter('ip link del cali1')).toBe(1);
    expect(await movesAfter(POD)).toBe(1);
    expect(await movesAfter('ip address add 192.0.2.12/32 dev eth0')).toBe(2);
    expect(
      await movesAfter('ip address add 192.0.2.11/24 dev eth0; ip address del 192.0.2.12/32 dev eth0'),
    ).toBe(2);
    expect(await movesAfter('ip address del 192.0.2.11/24 dev eth0')).toBe(3);
    rmSync(folder, { recursive: true });
  },
);
