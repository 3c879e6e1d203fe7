/** What an agent does about connections of pods that have gone. */

import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { whyNoNetns } from '../../support/netns.ts';
import { endpointRecord, poolRecord } from '../../unit/node/records.ts';
import { HOSTS, makeFabric, RECORDS, startAgent, until } from './fabric.ts';

const why =
  whyNoNetns() ??
  (existsSync('/proc/net/nf_conntrack') ? undefined : 'the kernel does not list its connections');
const POD = HOSTS.node1.pod;

describe.skipIf(why !== undefined)(`an agent${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  it('makes the kernel forget the connections of a pod whose interface goes, and no others', async () => {
    using fabric = makeFabric();
    const host = fabric.hosts.node1;
    const connections = () => host.sh('cat /proc/net/nf_conntrack');
    using agent = startAgent(host, 'node1', [...RECORDS, endpointRecord('node1', 'a', 'cali1', [POD])]);
    await agent.tell([poolRecord('v4', '10.77.0.0/16', { vxlanMode: 'Always', natOutgoing: true })]);
    await agent.quiet();
    fabric.pods.node1.sh('ping -c 1 -W 5 10.50.0.1');
    host.sh('ping -c 1 -W 5 10.50.0.12');
    expect(connections()).toContain(`src=${POD} dst=10.50.0.1`);

    host.sh('ip -6 route flush cache; ip route replace 172.20.0.0/16 via 10.50.0.1');
    await agent.quiet();
    expect(connections()).toContain(`src=${POD} dst=10.50.0.1`);

    host.sh('ip link del cali1');
    await until('the connection is forgotten', () => !connections().includes(POD));
    expect(connections()).toContain('src=10.50.0.11 dst=10.50.0.12');
  });

  it('forgets none when it is started again', async () => {
    using fabric = makeFabric();
    const host = fabric.hosts.node1;
    const records = [...RECORDS, endpointRecord('node1', 'a', 'cali1', [POD])];
    const pool = poolRecord('v4', '10.77.0.0/16', { vxlanMode: 'Always', natOutgoing: true });
    const first = startAgent(host, 'node1', records);
    await first.tell([pool]);
    await first.quiet();
    fabric.pods.node1.sh('ping -c 1 -W 5 10.50.0.1');
    first[Symbol.dispose]();
    using second = startAgent(host, 'node1', records);
    await second.tell([pool]);
    await second.quiet();
    expect(host.sh('cat /proc/net/nf_conntrack')).toContain(`src=${POD} dst=10.50.0.1`);
  });
});
