/** CHECK of pods that are well: whatever configuration made them, and whatever others do to them, it finds nothing. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CheckedPod, makeCheckedPod } from '../support/checked-pod.ts';
import { writeCluster, writePool } from '../support/cluster.ts';
import { cnitool } from '../support/cnitool.ts';
import { executable } from '../support/executable.ts';
import { whyNoNetns } from '../support/netns.ts';
import type { ChainedPlugin } from '../support/plugin-chain.ts';
import { type Answer, type CniTestCall, type SimulatedNode, startNode } from '../support/simulated-node.ts';

const why = whyNoNetns();
const PODS = 200;
const AT_ONCE = 4;

const DUAL = { ipam: { type: 'calico-ipam', assign_ipv6: 'true' } };
const BANDWIDTH = {
  ...{ type: 'bandwidth', ingressRate: 8_000_000, ingressBurst: 8_000_000 },
  ...{ egressRate: 8_000_000, egressBurst: 8_000_000 },
};
const PORTMAP = {
  ...{ type: 'portmap', capabilities: { portMappings: true } },
  runtimeConfig: { portMappings: [{ hostPort: 0, containerPort: 80, protocol: 'tcp' }] },
};
const TUNING = {
  ...{ type: 'tuning', mtu: 1300, promisc: true },
  sysctl: { 'net.ipv4.ip_forward': '1', 'net.ipv4.conf.IFNAME.arp_filter': '1' },
};
const TUNING_MAC = { type: 'tuning', mac: '02:11:22:33:44:55', mtu: 1300 };

interface Kind {
  readonly conf?: object;
  readonly args?: string;
  readonly others?: readonly ChainedPlugin[];
  /** What others do to the pod after its ADD. */
  readonly touch?: (pod: CheckedPod) => unknown;
}

const portmapTo = (hostPort: number): ChainedPlugin => ({
  ...PORTMAP,
  runtimeConfig: { portMappings: [{ hostPort, containerPort: 80, protocol: 'tcp' }] },
});

/** What Felix does to a pod's interface and routes once it knows the endpoint. */
const felix = ({ node, hostIf, ipv4 }: CheckedPod) =>
  node.host.sh(`
    echo 1 > /proc/sys/net/ipv4/conf/${hostIf}/rp_filter
    echo 0 > /proc/sys/net/ipv6/conf/${hostIf}/accept_ra
    ip route replace ${ipv4}/32 dev ${hostIf} scope link proto 80
  `);

/** A pod as Calico's own plugin makes it: no neighbour entry, and switches of its own. */
const calico = ({ node, netns, hostIf }: CheckedPod) => {
  netns.sh('ip neighbour flush dev eth0 nud permanent; ip -6 neighbour flush dev eth0 nud permanent');
  node.host.sh(`echo 1 > /proc/sys/net/ipv4/neigh/${hostIf}/proxy_delay`);
};

/** What a privileged workload, or a plugin that gives it a second network, does in the sandbox. */
const workload = ({ netns }: CheckedPod) =>
  netns.sh(`
    echo 1 > /proc/sys/net/ipv4/ip_forward
    ip address add 10.123.0.1/32 dev eth0
    ip route add 10.124.0.0/16 via 169.254.1.1 dev eth0 onlink
    ip link add net1 type veth peer name net2
    ip link set net1 up
    ip link set net2 up
    ip route del default
    ip route add default dev net1
  `);

const KINDS: readonly Kind[] = [
  ...['0.4.0', '1.0.0', '1.1.0'].flatMap((cniVersion): readonly Kind[] => [
    { conf: { cniVersion } },
    { conf: { cniVersion, ...DUAL } },
    { conf: { cniVersion, ...DUAL }, touch: felix },
    { conf: { cniVersion, ...DUAL }, touch: calico },
    { conf: { cniVersion, mtu: undefined }, touch: workload },
  ]),
  ...['0.4.0', '1.0.0'].flatMap((cniVersion): readonly Kind[] => [
    { conf: { cniVersion, ...DUAL }, others: [BANDWIDTH, PORTMAP, TUNING] },
    { conf: { cniVersion }, others: [TUNING_MAC, BANDWIDTH] },
    { conf: { cniVersion, ipam: hostLocal('10.44.0.0/16') }, others: [PORTMAP] },
  ]),
  { conf: { ipam: { ...hostLocal('10.45.0.0/16'), routes: [{ dst: '10.0.0.0/8' }] } }, args: 'pod' },
  { conf: { container_settings: { allow_ip_forwarding: true } } },
  { conf: { device_type: 'netkit' } },
  { args: 'pod' },
  { conf: { cniVersion: '1.1.0', ...DUAL }, args: 'pod', touch: felix },
];

function hostLocal(subnet: string): object {
  return { type: 'host-local', ranges: [[{ subnet }]] };
}

describe.skipIf(why !== undefined)(
  `CHECK of healthy pods${why === undefined ? '' : ` (skipped: ${why})`}`,
  () => {
    let node: SimulatedNode;

    beforeAll(async () => {
      node = await startNode();
      // With a default route, so that the host answers pods that ask for their gateway.
      node.host.sh('ip link add up0 type veth peer name up1; ip link set up1 up; ip link set up0 up');
      node.host.sh('ip address add 192.0.2.1/24 dev up0; ip route add default via 192.0.2.254');
      await writeCluster(node.etcd);
      await writePool(node.etcd, 'v6', 'fd00:9::/112');
    });
    afterAll(async () => {
      await node.stop();
    });

    function callOf({ conf, args }: Kind, number: number): Partial<CniTestCall> {
      return {
        ...(conf === undefined ? {} : { conf }),
        ...(args === undefined ? {} : { args: `K8S_POD_NAME=pod-${number};K8S_POD_NAMESPACE=test` }),
      };
    }

    async function answerFor(number: number): Promise<string> {
      const kind = KINDS[number % KINDS.length] ?? {};
      const others = (kind.others ?? []).map((plugin) =>
        plugin === PORTMAP ? portmapTo(20_000 + number) : plugin,
      );
      const pod = await makeCheckedPod(node, callOf(kind, number), others);
      await kind.touch?.(pod);
      const { exitCode, stdout, stderr } = await pod.check({});
      return exitCode === 0 && stdout === '' ? 'well' : `${JSON.stringify(kind)}: ${stdout}${stderr}`;
    }

    const isWell = (answer: Answer) => expect(answer).toMatchObject({ exitCode: 0, stdout: '' });

    it('waits for Felix, which is about to put a route back', async () => {
      const pod = await makeCheckedPod(node);
      node.host.sh(`ip route del ${pod.ipv4}`);
      const [answer] = await Promise.all([
        pod.check(),
        sleep(200).then(() => node.host.sh(`ip route add ${pod.ipv4} dev ${pod.hostIf} scope link proto 80`)),
      ]);
      isWell(answer);
    });

    it('accepts addresses that a pod has brought along, where pods may', async () => {
      const args = 'K8S_POD_NAME=own;K8S_POD_NAMESPACE=test';
      const pod = await makeCheckedPod(node, { args });
      await node.etcd.remove(pod.handleKey);
      const prevResult = { ...pod.result, routes: [] };
      const check = (changes: object) =>
        node.cni('CHECK', { ...pod.call, conf: { feature_control: { ip_addrs_no_ipam: true }, ...changes } });
      isWell(await check({ prevResult }));
      expect((await check({ prevResult: pod.result })).json.code).toBe(108);
      expect((await check({ prevResult, feature_control: {} })).json.code).toBe(108);
    });

    it('leaves the network to the dataplane that has made it', async () => {
      const pod = await makeCheckedPod(node);
      pod.netns.sh('ip link del eth0');
      const dataplane_options = { type: 'grpc', socket: 'unix:///run/none' };
      const conf = { dataplane_options, prevResult: pod.result };
      isWell(await node.cni('CHECK', { ...pod.call, conf }));
    });

    it('asks a calico-ipam of its own, and takes one that has no CHECK for content', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'ipam-'));
      const program = (lines: string) => {
        writeFileSync(join(folder, 'calico-ipam'), `#!/bin/sh\n${lines}\n`, { mode: 0o755 });
      };
      const env = { CNI_PATH: folder };
      program(`exec ${executable('calico-ipam')}`);
      const pod = await makeCheckedPod(node, { env });
      isWell(await pod.check());
      await node.etcd.remove(pod.handleKey);
      expect((await pod.check()).json.msg).toBe(
        `handle k8s-pod-network.${pod.id}: expected present, found missing`,
      );
      program(`echo '{"code": 4, "msg": "unknown CNI_COMMAND: CHECK"}'; exit 1`);
      isWell(await pod.check());
      rmSync(folder, { recursive: true });
    });

    it.each([
      ['a chain', '1.0.0', 'calico', [BANDWIDTH, { ...TUNING_MAC, sysctl: { 'net.ipv4.ip_forward': '1' } }]],
      ['a chain of an old version', '0.4.0', 'calico', [BANDWIDTH]],
      ['another main plugin', '1.0.0', 'bridge', []],
    ] as const)('has nothing to say to cnitool about %s', async (_name, cniVersion, type, others) => {
      const confFolder = mkdtempSync(join(tmpdir(), 'conf-'));
      const network = `checked-${type}-${cniVersion}`;
      const first = node.conf({ cniVersion: undefined, name: undefined, type, bridge: 'br0' });
      const conflist = { name: network, cniVersion, plugins: [first, ...others] };
      writeFileSync(join(confFolder, 'net.conflist'), JSON.stringify(conflist));
      const call = { confFolder, network, netnsPath: node.makePod().path, host: node.host.name };
      for (const command of ['add', 'check', 'del'] as const) {
        const { exitCode, stdout, stderr } = await cnitool(command, call);
        expect(exitCode, `${command}: ${stdout}${stderr}`).toBe(0);
      }
      rmSync(confFolder, { recursive: true });
    });

    it(`finds nothing wrong with any of ${PODS} of them`, async () => {
      const answers: string[] = [];
      let next = 0;
      const worker = async () => {
        while (next < PODS) answers.push(await answerFor(next++));
      };
      await Promise.all(Array.from({ length: AT_ONCE }, worker));
      expect(answers.filter((answer) => answer !== 'well')).toEqual([]);
      expect(answers).toHaveLength(PODS);
    }, 120_000);
  },
);
