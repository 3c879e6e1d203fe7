/** Connections through a host that forwards, as the kernel tracks them. */

import { existsSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';
import { parseIpAddress } from '../../src/base/ip-address.ts';
import { forgetConnections } from '../../src/network/forget-connections.ts';
import { dumpConnections } from '../../src/network/netlink/conntrack.ts';
import { openFilterSocket } from '../../src/network/netlink/socket.ts';
import { makeNetns, moveTo, type TestNetns, untilLinksAreReady, whyNoNetns } from '../support/netns.ts';
import { findTool } from '../support/tools.ts';

const why =
  whyNoNetns() ??
  (findTool('nft') === undefined ? 'needs nft' : undefined) ??
  (existsSync('/proc/net/nf_conntrack') ? undefined : 'the kernel does not list its connections');

describe.skipIf(why !== undefined)(
  `forgetConnections()${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    /** Two pods behind a host that gives their packets its own address towards the world. */
    function lab() {
      const stack = new DisposableStack();
      const host = stack.use(makeNetns('host'));
      const world = stack.use(makeNetns('world'));
      host.sh(
        'ip link set lo up; echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding',
      );
      const connect = (peer: TestNetns, name: string, number: number) => {
        host.sh(`ip link add ${name} type veth peer name eth0 netns ${peer.name}; ip link set ${name} up
        ip address add 10.9.${number}.1/24 dev ${name}; ip -6 address add fd09:${number}::1/64 dev ${name} nodad`);
        peer.sh(`ip link set lo up; ip link set eth0 up; ip address add 10.9.${number}.2/24 dev eth0
        ip -6 address add fd09:${number}::2/64 dev eth0 nodad
        ip route add default via 10.9.${number}.1; ip -6 route add default via fd09:${number}::1
        ${untilLinksAreReady(1)}`);
      };
      connect(world, 'world', 0);
      const pods = [1, 2].map((number) => {
        const pod = stack.use(makeNetns('pod'));
        connect(pod, `pod${number}`, number);
        return pod;
      });
      host.sh(`nft add table ip t; nft 'add chain ip t c { type nat hook postrouting priority 100; }'
      nft 'add rule ip t c oifname world masquerade'
      nft add table ip6 t; nft 'add chain ip6 t c { type filter hook forward priority 0; }'
      nft 'add rule ip6 t c ct state established accept'`);
      host.sh(untilLinksAreReady(3));
      stack.use(moveTo(host));
      const list = () => host.sh('cat /proc/net/nf_conntrack').split('\n').filter(Boolean);
      return { stack, world, pods, list };
    }

    it('forgets what the address began and what it answers, translated or not, and nothing of others', () => {
      const { stack, world, pods, list } = lab();
      using _lab = stack;
      for (const pod of pods) pod.sh('ping -c 1 -W 5 10.9.0.2');
      world.sh('ping -c 1 -W 5 10.9.1.2; ping -c 1 -W 5 10.9.2.2');
      pods[1]?.sh('ping -c 1 -W 5 10.9.1.2');
      const before = list();
      expect(before).toHaveLength(5);
      using socket = openFilterSocket();

      const answered = socket.dump(dumpConnections(parseIpAddress('10.9.1.2'), 'original'));
      // From 5.8 on the kernel looks for them itself.
      expect(answered).toHaveLength(1);

      expect(forgetConnections(socket, [parseIpAddress('10.9.1.2')])).toBe(3);

      const kept = before.filter((line) => !line.includes('10.9.1.2'));
      expect(list()).toHaveLength(kept.length);
      expect(list()).toEqual(expect.arrayContaining(kept.map(expectLine)));
      expect(forgetConnections(socket, [parseIpAddress('10.9.1.2')])).toBe(0);
    });

    it('looks once for all addresses of IPv6', () => {
      const { stack } = lab();
      using _lab = stack;
      using socket = openFilterSocket();
      const dump = vi.fn(socket.dump);
      forgetConnections({ ...socket, dump }, ['fd09:1::2', 'fd09:2::2', 'fd09::2'].map(parseIpAddress));
      expect(dump).toHaveBeenCalledTimes(1);
    });

    it('knows IPv6', () => {
      const { stack, pods, list } = lab();
      using _lab = stack;
      for (const pod of pods) pod.sh('ping -6 -c 1 -W 1 fd09::2 || ping -6 -c 1 -W 2 fd09::2');
      using socket = openFilterSocket();
      const ofFirst = () => list().filter((line) => line.includes('src=fd09:0001:'));
      expect(ofFirst().length).toBeGreaterThan(0);

      expect(forgetConnections(socket, ['fd09:1::1', 'fd09:1::2'].map(parseIpAddress))).toBeGreaterThan(0);

      expect(ofFirst()).toEqual([]);
      expect(list().some((line) => line.includes('src=fd09:0002:'))).toBe(true);
    });
  },
);

/** Times and counters go on. */
function expectLine(line: string): unknown {
  const [, addresses = ''] = /(src=\S+ dst=\S+)/.exec(line) ?? [];
  return expect.stringContaining(addresses);
}
