/** A pod from its ADD to its DEL, on a real kernel and a real etcd. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeCluster, writePool } from '../support/cluster.ts';
import { whyNoNetns } from '../support/netns.ts';
import {
  dumpCalico,
  leftovers,
  NETWORK,
  type SimulatedNode,
  startNode,
  succeeded,
} from '../support/simulated-node.ts';

const why = whyNoNetns();

describe.skipIf(why !== undefined)(
  `the life of a pod${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    let node: SimulatedNode;

    beforeAll(async () => {
      node = await startNode();
    });
    afterAll(async () => {
      await node.stop();
    });
    beforeEach(async () => {
      await node.etcd.wipe();
      await writeCluster(node.etcd);
    });
    afterEach(async () => {
      expect(await leftovers(node)).toEqual([]);
    });

    const add = async (containerId: string, netns: string, more: object = {}) =>
      succeeded(await node.cni('ADD', { containerId, netns, ...more }));
    const del = async (containerId: string, netns: string, more: object = {}) =>
      succeeded(await node.cni('DEL', { containerId, netns, ...more }));
    const keys = async () => [...(await dumpCalico(node)).keys()];

    it('answers an ADD with the interfaces, the address and the route that Calico answers with', async () => {
      const pod = node.makePod();
      const { json } = await add('0a1b2c3d4e5f6a7b', pod.path);
      expect(json).toEqual({
        cniVersion: '1.0.0',
        interfaces: [
          { name: 'cali0a1b2c3d4e5' },
          {
            mac: expect.stringMatching(/^[0-9a-f][26ae](:[0-9a-f]{2}){5}$/),
            mtu: 1440,
            name: 'eth0',
            sandbox: pod.path,
          },
        ],
        ips: [{ address: '192.168.166.128/32', interface: 1 }],
        routes: [{ dst: '192.168.166.128/26' }],
      });
      await del('0a1b2c3d4e5f6a7b', pod.path);
    });

    it('connects pods with each other and with the host, on a host that has no default route', async () => {
      const [a, b] = [node.makePod(), node.makePod()];
      await add('aaaa', a.path);
      await add('bbbb', b.path);
      node.host.sh('ip address replace 192.0.2.1/32 dev lo');
      expect(node.host.sh('ip route show default')).toBe('');
      expect(a.sh('ping -c 1 -W 2 192.168.166.129')).toContain('1 received');
      expect(a.sh('ping -c 1 -W 2 192.0.2.1')).toContain('1 received');
      expect(node.host.sh('ping -c 1 -W 2 192.168.166.128')).toContain('1 received');
      await del('aaaa', a.path);
      await del('bbbb', b.path);
    });

    it('leaves the interface, routes and neighbour that spec and Felix expect', async () => {
      const pod = node.makePod();
      const { json } = await add('cccc', pod.path);
      expect(pod.sh('ip -br link show eth0')).toMatch(
        new RegExp(`^eth0@if\\d+ +UP +${json.interfaces[1].mac} `),
      );
      expect(pod.sh('ip -br -4 address show eth0')).toMatch(/192\.168\.166\.128\/32$/);
      expect(
        pod
          .sh('ip route')
          .split('\n')
          .map((line) => line.trim()),
      ).toEqual(['default via 169.254.1.1 dev eth0', '169.254.1.1 dev eth0 scope link']);
      expect(pod.sh('ip neigh')).toBe('169.254.1.1 dev eth0 lladdr ee:ee:ee:ee:ee:ee PERMANENT');
      expect(pod.sh('cat /proc/sys/net/ipv4/ip_forward')).toBe('0');
      expect(node.host.sh('ip -br link show calicccc')).toContain('ee:ee:ee:ee:ee:ee');
      expect(node.host.sh('ip -d link show calicccc')).toContain('mtu 1440');
      expect(node.host.sh('ip route show 192.168.166.128').trim()).toBe(
        '192.168.166.128 dev calicccc scope link',
      );
      await del('cccc', pod.path);
    });

    it('leaves nothing after a DEL but the block and its affinity', async () => {
      const before = await keys();
      const [linksBefore, routesBefore] = [node.host.sh('ip -o link | wc -l'), node.host.sh('ip route')];
      const pod = node.makePod();
      await add('dddd', pod.path);
      expect(await keys()).toEqual(
        [
          ...before,
          '/calico/ipam/v2/assignment/ipv4/block/192.168.166.128-26',
          `/calico/ipam/v2/handle/${NETWORK}.dddd`,
          '/calico/ipam/v2/host/node1/ipv4/block/192.168.166.128-26',
          `/calico/resources/v3/projectcalico.org/profiles/${NETWORK}`,
          '/calico/resources/v3/projectcalico.org/workloadendpoints/default/node1-cni-dddd-eth0',
        ].sort(),
      );
      await del('dddd', pod.path);
      expect(await keys()).toEqual(
        [
          ...before,
          '/calico/ipam/v2/assignment/ipv4/block/192.168.166.128-26',
          '/calico/ipam/v2/host/node1/ipv4/block/192.168.166.128-26',
          `/calico/resources/v3/projectcalico.org/profiles/${NETWORK}`,
        ].sort(),
      );
      expect(node.host.sh('ip -o link | wc -l')).toBe(linksBefore);
      expect(node.host.sh('ip route')).toBe(routesBefore);
      expect(pod.sh('ip -o link')).not.toContain('eth0');
    });

    it('needs three requests for an ADD or a DEL, two for a DEL of the unknown, also when it claims a block', async () => {
      const pod = node.makePod();
      const transactions = async () => (await node.etcd.requestCounts()).get('Txn') ?? 0;
      const cost = async (call: () => Promise<unknown>) => {
        const before = await transactions();
        await call();
        return (await transactions()) - before;
      };
      expect(await cost(async () => undefined)).toBe(0);
      expect(await cost(() => add('eeee', pod.path))).toBe(3);
      expect(await cost(() => del('eeee', pod.path))).toBe(3);
      expect(await cost(() => add('eeee', pod.path))).toBe(3);
      expect(await cost(() => del('eeee', pod.path))).toBe(3);
      expect(await cost(() => del('eeee', pod.path))).toBe(2);
    });

    it('returns the same on a repeated ADD, without touching the running pod', async () => {
      const pod = node.makePod();
      const first = await add('ffff', pod.path);
      const link = pod.sh('ip -o link show eth0');
      const before = await dumpCalico(node);
      const second = await add('ffff', pod.path);
      expect(second.json).toEqual(first.json);
      expect(pod.sh('ip -o link show eth0')).toBe(link);
      expect(await dumpCalico(node)).toEqual(before);
      await del('ffff', pod.path);
    });

    it('completes on a repeated ADD what an interrupted one left undone', async () => {
      const pod = node.makePod();
      const first = await add('1111', pod.path);
      pod.sh('ip link del eth0');
      const second = await add('1111', pod.path);
      expect(second.json).toEqual(first.json);
      pod.sh('ip route del default');
      expect((await add('1111', pod.path)).json).toEqual(first.json);
      expect(pod.sh('ip route show default').trim()).toBe('default via 169.254.1.1 dev eth0');
      await del('1111', pod.path);
    });

    it.each([
      ['nobody knows', 'unknown', (path: string) => path],
      ['whose namespace is gone', 'unknown', () => '/run/netns/does-not-exist'],
      ['without a namespace', 'unknown', () => undefined],
    ])('succeeds in silence on a DEL %s', async (_name, containerId, netns) => {
      const answer = succeeded(await node.cni('DEL', { containerId, netns: netns(node.makePod().path) }));
      expect(answer.stdout).toBe('');
    });

    it('removes the host end and the address when the sandbox vanished before the DEL', async () => {
      const pod = node.makePod();
      await add('2222', pod.path);
      pod.delete();
      await del('2222', pod.path);
      expect(node.host.sh('ip -o link')).not.toContain('cali2222');
      expect((await keys()).some((key) => key.includes('2222'))).toBe(false);
    });

    it('removes the host end of a sandbox that lives on without its path', async () => {
      const pod = node.makePod();
      await add('3333', pod.path);
      await del('3333', '/run/netns/lost');
      expect(node.host.sh('ip -o link')).not.toContain('cali3333');
      expect(pod.sh('ip -o link')).not.toContain('eth0');
    });

    it('is dual stack when the configuration asks for it', async () => {
      await writePool(node.etcd, 'v6', 'fd00:9::/112');
      const [a, b] = [node.makePod(), node.makePod()];
      const conf = { ipam: { type: 'calico-ipam', assign_ipv6: 'true' } };
      const { json } = await add('4444', a.path, { conf });
      const other = await add('5555', b.path, { conf });
      expect(json.ips.map((ip: { address: string }) => ip.address)).toEqual([
        '192.168.166.128/32',
        expect.stringMatching(/^fd00:9::\S+\/128$/),
      ]);
      const target = other.json.ips[1].address.replace('/128', '');
      expect(a.sh(`ping -6 -c 1 -W 2 ${target}`)).toContain('1 received');
      expect(a.sh('ip -6 neigh show fe80::ecee:eeff:feee:eeee')).toContain('PERMANENT');
      await del('4444', a.path, { conf });
      await del('5555', b.path, { conf });
      expect((await keys()).filter((key) => key.includes('/handle/'))).toEqual([]);
    });

    it('writes the labels Mesos gives, in the namespace it names, and its DEL finds them', async () => {
      const pod = node.makePod();
      const labels = [
        { key: 'projectcalico.org/namespace', value: 'team-a' },
        { key: 'ro le', value: '$web' },
      ];
      const conf = { args: { 'org.apache.mesos': { network_info: { labels: { labels } } } } };
      await add('6666', pod.path, { conf });
      const key = '/calico/resources/v3/projectcalico.org/workloadendpoints/team-a/node1-cni-6666-eth0';
      const endpoint = JSON.parse((await node.etcd.get(key)) ?? '{}');
      expect(endpoint.metadata.labels).toEqual({
        'projectcalico.org/namespace': 'team-a',
        'projectcalico.org/orchestrator': 'cni',
        'ro-le': 'web',
      });
      await del('6666', pod.path, { conf });
      expect(await node.etcd.get(key)).toBeUndefined();
    });

    it('never takes over the host interface of a container whose ID begins alike', async () => {
      const [a, b] = [node.makePod(), node.makePod()];
      const first = await add('cnitool-12ce16aaaa', a.path);
      const second = await add('cnitool-12ce16bbbb', b.path);
      expect(first.json.interfaces[0].name).toBe('calicnitool-12c');
      expect(second.json.interfaces[0].name).toMatch(/^cali[0-9a-f]{11}$/);
      expect(a.sh('ping -c 1 -W 2 192.168.166.129')).toContain('1 received');
      await del('cnitool-12ce16aaaa', a.path);
      expect(b.sh('ip -o link')).toContain('eth0');
      await del('cnitool-12ce16bbbb', b.path);
      expect(node.host.sh('ip -o link')).not.toContain('cali');
    });

    it('gives the address back and leaves no link when wiring fails', async () => {
      const pod = node.makePod();
      node.host.sh(
        'ip link add dum0 type veth peer name dum1; ip link set dum0 up; ip route add 192.168.166.128/32 dev dum0',
      );
      const before = await dumpCalico(node);
      const answer = await node.cni('ADD', { containerId: '7777', netns: pod.path });
      node.host.sh('ip link del dum0');
      expect(answer.exitCode).toBe(1);
      expect(answer.json).toMatchObject({
        code: 101,
        msg: expect.stringContaining("already exists for an interface other than 'cali7777'"),
      });
      expect(answer.json.msg).toContain('dum0');
      const after = [...(await dumpCalico(node)).keys()].filter((key) => !before.has(key));
      expect(after.filter((key) => /handle|workloadendpoints/.test(key))).toEqual([]);
      expect(pod.sh('ip -o link')).not.toContain('eth0');
      expect(node.host.sh('ip -o link')).not.toContain('cali7777');
      const block = JSON.parse(
        (await node.etcd.get('/calico/ipam/v2/assignment/ipv4/block/192.168.166.128-26')) ?? '{}',
      );
      expect(block.unallocated).toHaveLength(64);
      succeeded(await node.cni('ADD', { containerId: '7777', netns: pod.path }));
      await del('7777', pod.path);
    });
  },
);
