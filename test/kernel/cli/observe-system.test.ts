/** What the check of a host sees of a real kernel, in a namespace that plays the host. */

import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { observeSystem } from '../../../src/cli/node/system/observe-system.ts';
import { tryKernel } from '../../../src/cli/node/system/try-kernel.ts';
import { setNetworkNamespace } from '../../../src/network/native.ts';
import { isSameNetns, openNetns, ownNetns } from '../../../src/network/netns.ts';
import { unknownCluster } from '../../../src/node/cluster.ts';
import { felixSettings } from '../../../src/node/felix-settings.ts';
import { makeNetns, type TestNetns, whyNoNetns } from '../../support/netns.ts';

const why = whyNoNetns();
const { settings } = felixSettings(unknownCluster('node1'));

describe.skipIf(why !== undefined)(`checksystem${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let host: TestNetns;
  const home = why === undefined ? ownNetns() : undefined;
  beforeAll(() => {
    host = makeNetns('host');
    host.sh(
      'ip link set lo up; ip link add eth0 mtu 1400 type veth peer name far; ip link set eth0 up; ip link set far up',
    );
    using netns = openNetns(host.path);
    setNetworkNamespace(netns.fd);
  });
  afterAll(() => {
    if (home !== undefined) setNetworkNamespace(home.fd);
    home?.close();
    host.delete();
  });

  it('tries in a namespace of its own, and comes back', () => {
    using before = ownNetns();
    const links = host.sh('ip -o link; nft list tables 2>/dev/null || true');
    const trials = tryKernel();
    expect(trials).toMatchObject({ veth: undefined, vxlan: undefined, nat: undefined, natIpv6: undefined });
    using after = ownNetns();
    expect(isSameNetns(before, after)).toBe(true);
    expect(host.sh('ip -o link; nft list tables 2>/dev/null || true')).toBe(links);
  });

  it('sees interfaces, switches and capabilities', async () => {
    host.sh('sysctl -qw net.ipv4.conf.eth0.rp_filter=1');
    const facts = await observeSystem(settings);
    expect(facts.parents).toEqual([{ name: 'eth0', mtu: 1400, isUp: true, rpFilter: 1 }]);
    expect(facts.capabilities).toEqual({ netAdmin: true, sysAdmin: true });
    expect(facts.switches.get('net/ipv4/ip_forward')?.isWritable).toBe(true);
    expect(facts.vxlanPort).toEqual({ number: 4789, usedBy: { is: 'nobody' } });
  });

  it('tells a VXLAN device from a program that has the port', async () => {
    host.sh('ip link add other.1 type vxlan id 7 dstport 4789 local 127.0.0.1; ip link set other.1 up');
    expect((await observeSystem(settings)).vxlanPort.usedBy).toEqual({ is: 'device', name: 'other.1' });
    host.sh('ip link del other.1');
    const script = `require('node:dgram').createSocket('udp4').bind(4789, () => console.log('bound'))`;
    const program = spawn('ip', ['netns', 'exec', host.name, process.execPath, '-e', script]);
    await new Promise((resolve) => program.stdout.once('data', resolve));
    expect((await observeSystem(settings)).vxlanPort.usedBy).toEqual({ is: 'program' });
    program.kill();
  });
});
