/** What an agent has made is taken away, and nothing else. */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { removeFromHost } from '../../../src/node/removal/remove-from-host.ts';
import { type TestNetns, whyNoNetns } from '../../support/netns.ts';
import { findTool } from '../../support/tools.ts';
import { poolRecord } from '../../unit/node/records.ts';
import { makeFabric, RECORDS, startAgent } from './fabric.ts';

const why = whyNoNetns();
const POOLS = [
  poolRecord('v4', '10.77.0.0/16', { vxlanMode: 'CrossSubnet', natOutgoing: true }),
  poolRecord('v6', 'fd00:77::/48', { vxlanMode: 'Always', natOutgoing: true }),
];
const FOREIGN = `
  ip route add 172.20.0.0/16 via 10.50.0.1 proto static
  ip route add 10.77.161.192/28 via 10.50.0.1 table 100 proto 202
  ip route add blackhole 10.77.200.0/28 proto 80
  ip link add vxlan.other type vxlan id 9 local 10.50.0.11 dev eth0 dstport 4790
`;

function picture(host: TestNetns): string {
  const tables = findTool('nft') === undefined ? '' : 'nft list ruleset';
  return host.sh(`ip -o link; ip -o address; ip route show table all; ip -6 route show table all; ${tables}`);
}

describe.skipIf(why !== undefined)(`removeFromHost()${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  it('leaves the host as it was before the agent came, and what is others’ and the pods’ as it is', async () => {
    using fabric = makeFabric();
    const host = fabric.hosts.node1;
    host.sh(FOREIGN);
    const before = picture(host);
    const folder = mkdtempSync(join(tmpdir(), 'removal-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const [file, kept] = [join(folder, 'nodename'), join(folder, 'embedded.db')];
    for (const path of [file, kept]) writeFileSync(path, 'node1');
    const agent = startAgent(host, 'node1', RECORDS);
    expect(await agent.tell(POOLS)).toMatchObject({ failures: [] });
    await agent.quiet();
    agent[Symbol.dispose]();
    const after = picture(host);
    expect(after).not.toBe(before);
    const request = { takesFelixRoutes: false, files: [file, join(folder, 'mtu')] };

    const planned = removeFromHost({ ...request, isDryRun: true });
    expect(picture(host)).toBe(after);
    const { done, failures } = removeFromHost({ ...request, isDryRun: false });

    expect(failures).toEqual([]);
    expect(done).toEqual(planned.done);
    expect(done).toEqual(
      expect.arrayContaining(['ip link del vxlan.calico', 'ip link del vxlan-v6.calico', `rm ${file}`]),
    );
    expect(picture(host)).toBe(before);
    expect([file, kept].map((path) => existsSync(path))).toEqual([false, true]);
    expect(removeFromHost({ ...request, isDryRun: false })).toEqual({ done: [], failures: [] });
  });

  it('takes what Felix has left only when it is asked to', () => {
    using fabric = makeFabric();
    fabric.hosts.node1.sh('ip route add blackhole 10.77.200.0/28 proto 80');
    const request = { isDryRun: false, files: [] };
    expect(removeFromHost({ ...request, takesFelixRoutes: false }).done).toEqual([]);
    expect(removeFromHost({ ...request, takesFelixRoutes: true }).done).toEqual([
      'ip route del blackhole 10.77.200.0/28 proto 80',
    ]);
    expect(fabric.hosts.node1.sh('ip route')).not.toContain('blackhole');
  });
});
