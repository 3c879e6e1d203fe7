/** Pods whose addresses come from another IPAM plugin: host-local on the node's pod CIDRs, static, and any other. */

import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeCluster } from '../support/cluster.ts';
import { EXECUTABLE_FOLDER } from '../support/executable.ts';
import type { KubeObject } from '../support/kube-apiserver.ts';
import { whyNoKubernetes } from '../support/kubernetes-parts.ts';
import { expectConnected, expectRefusal, forgetPods, networkPod } from '../support/networked-pod.ts';
import { endpointOf, type NodeWithApi, type Sandbox, startNodeWithApi } from '../support/node-with-api.ts';
import { dumpCalico, leftovers, NETWORK, succeeded } from '../support/simulated-node.ts';

const why = whyNoKubernetes();
const skipped = why === undefined ? '' : ` (skipped: ${why})`;

const IPV4 = { subnet: 'usePodCidr' };
const IPV6 = { subnet: 'usePodCidrIPv6' };

describe.skipIf(why !== undefined)(`pods with addresses of another IPAM plugin${skipped}`, () => {
  let node: NodeWithApi;
  let pod: KubeObject;
  let dataDir: string;
  let count = 0;

  beforeAll(async () => {
    node = await startNodeWithApi();
    await node.api.createNode('node1', { podCIDRs: ['10.244.3.0/24', 'fd00:244:3::/64'] });
    await node.api.createNode('only-ipv4', { podCIDRs: ['10.244.4.0/24'] });
    await node.api.createNode('new', {});
  });
  afterAll(async () => {
    await node.stop();
  });
  beforeEach(async () => {
    await forgetPods(node);
    await writeCluster(node.etcd);
    dataDir = mkdtempSync(join(node.api.directory, 'host-local-'));
    count += 1;
    pod = await node.api.createPod({ name: `web-${count}` });
  });
  afterEach(async () => {
    expect(await leftovers(node)).toEqual([]);
    expect(held()).toEqual([]);
    expect(node.host.sh('ip -o link; ip route; ip -6 route')).not.toContain('cali');
  });

  /** The addresses that host-local holds. */
  const held = () => {
    const folder = join(dataDir, NETWORK);
    return existsSync(folder) ? readdirSync(folder).filter((name) => !/^lock|^last_/.test(name)) : [];
  };
  const hostLocal = (ipam: object, more: object = {}) => ({
    ipam: { type: 'host-local', dataDir, ...ipam },
    ...more,
  });
  const onNode = (name: string) => ({ kubeconfig: node.api.kubeconfig(), node_name: name });
  const del = async ({ call }: Pick<Sandbox, 'call'>) => void succeeded(await node.cni('DEL', call));
  /** Destinations in the pod by way of its gateway. */
  const podRoutes = ({ netns }: Sandbox) =>
    netns
      .sh('ip -4 route show via 169.254.1.1; ip -6 route show via fe80::ecee:eeff:feee:eeee')
      .split('\n')
      .map((line) => line.split(' ')[0] ?? '');

  describe('host-local', () => {
    it.each([
      ['subnet', IPV4, ['10.244.3.2/32']],
      ['subnet, in other case', { subnet: 'usepodcidr' }, ['10.244.3.2/32']],
      ['subnet for IPv6', IPV6, ['fd00:244:3::2/128']],
      ['ranges', { ranges: [[IPV4], [IPV6]] }, ['10.244.3.2/32', 'fd00:244:3::2/128']],
      [
        'ranges beside a fixed one',
        { ranges: [[{ subnet: '10.5.0.0/24' }], [IPV6]] },
        ['10.5.0.2/32', 'fd00:244:3::2/128'],
      ],
    ])("assigns from the node's pod CIDR: %s", async (_name, ipam, expected) => {
      const networked = await networkPod(node, pod, hostLocal(ipam));
      expect(networked.endpoint.spec.ipNetworks).toEqual(expected);
      expect(networked.endpoint.spec.profiles).toEqual(['kns.default']);
      expect(held()).toEqual(expected.map((address) => address.replace(/\/.*/, '')));
      expect([...(await dumpCalico(node)).keys()].filter((key) => key.includes('/ipam/'))).toEqual([]);
      await del(networked);
    });

    it('assigns from the pod CIDR of the node that kubernetes.node_name names, also without policy.type', async () => {
      const conf = { policy: undefined, kubernetes: onNode('only-ipv4') };
      const networked = await networkPod(node, pod, hostLocal(IPV4, conf));
      expect(networked.endpoint.spec.ipNetworks).toEqual(['10.244.4.2/32']);
      expect(networked.endpoint.spec.profiles).toEqual([NETWORK]);
      await del(networked);
    });

    it('gives a repeated ADD the same addresses, and asks for no more', async () => {
      const conf = hostLocal({ ranges: [[IPV4], [IPV6]] });
      const first = await networkPod(node, pod, conf);
      const second = await networkPod(node, pod, conf, first);
      expect(second.answer.json.ips).toEqual(first.answer.json.ips);
      expect(held()).toHaveLength(2);
      await del(first);
    });

    it('gives a new sandbox new addresses, and its DEL of the old one leaves them', async () => {
      const conf = hostLocal(IPV4);
      const [first, second] = [await networkPod(node, pod, conf), await networkPod(node, pod, conf)];
      await del(first);
      expect(held()).toEqual(['10.244.3.3']);
      expectConnected(node, second);
      await del(second);
    });

    it('releases without the API server, and without the Node', async () => {
      const networked = await networkPod(node, pod, hostLocal({ ranges: [[IPV4], [IPV6]] }));
      node.api.pause();
      await del(networked).finally(() => node.api.resume());
      expect(held()).toEqual([]);
      await del(networked);
    });

    describe('routes', () => {
      const OWN = { routes: [{ dst: '192.0.2.0/24', gw: '10.9.9.9' }, { dst: '2001:db8::/32' }] };

      it.each([
        ['by default lead everywhere', {}, {}, ['default', 'default']],
        ['of its own are the only ones', OWN, {}, ['192.0.2.0/24', '2001:db8::/32']],
        [
          'of its own come beside the default ones with include_default_routes',
          OWN,
          { include_default_routes: true },
          ['default', '192.0.2.0/24', '2001:db8::/32', 'default'],
        ],
      ])('%s', async (_name, ipam, more, expected) => {
        const networked = await networkPod(node, pod, hostLocal({ ranges: [[IPV4], [IPV6]], ...ipam }, more));
        expect(podRoutes(networked)).toEqual(expected);
        await del(networked);
      });
    });
  });

  describe('fail with', () => {
    it.each([
      ['a Node without pod CIDRs', IPV4, 'new', 11, 'no podCidr for node new'],
      ['a Node that is not there', IPV4, 'none', 103, 'nodes "none" not found'],
      [
        'no IPv6 CIDR',
        { ranges: [[IPV4], [IPV6]] },
        'only-ipv4',
        7,
        'usePodCidrIPv6 found but there is no IPv6 CIDR configured',
      ],
      [
        'ranges that are none',
        { ranges: IPV4 },
        'node1',
        7,
        'failed to parse host-local IPAM ranges section',
      ],
      [
        'a range set that is none',
        { ranges: [IPV4] },
        'node1',
        7,
        'failed to parse host-local IPAM range set',
      ],
      [
        'routes that are none',
        { ...IPV4, routes: [{ dst: 'x' }] },
        'node1',
        7,
        'ipam.routes[0].dst must be a CIDR',
      ],
      [
        'a subnet that host-local does not understand',
        { subnet: 'x' },
        'node1',
        999,
        'invalid CIDR address: x',
      ],
    ])('%s, and the running sandbox goes on', async (_name, ipam, nodeName, code, message) => {
      const running = await networkPod(node, pod, hostLocal(IPV4));
      const conf = hostLocal(ipam, { kubernetes: onNode(nodeName) });
      const { json } = await expectRefusal(node, running, { ...node.makeSandbox(pod).call, conf });
      expect(json).toMatchObject({ code, msg: expect.stringContaining(message) });
      expect(held()).toEqual(['10.244.3.2']);
      await del(running);
    });

    it('no address left, as host-local says', async () => {
      const running = await networkPod(node, pod, hostLocal({ subnet: '10.5.0.0/30' }));
      const conf = hostLocal({ subnet: '10.5.0.0/30' });
      const { json } = await expectRefusal(node, running, { ...node.makeSandbox(pod).call, conf });
      expect(json.msg).toContain('no IP addresses available in range set: 10.5.0.1-10.5.0.2');
      expect(held()).toEqual(['10.5.0.2']);
      await del(running);
    });

    it('a sandbox that cannot be wired: the address goes back', async () => {
      const running = await networkPod(node, pod, hostLocal(IPV4));
      const sandbox = node.makeSandbox(pod);
      sandbox.netns.sh(
        'ip link add net0 type veth peer name other; ip link set net0 up; ip route add default dev net0',
      );
      const { json } = await expectRefusal(node, running, { ...sandbox.call, conf: hostLocal(IPV4) });
      expect(json).toMatchObject({ code: 101, msg: expect.stringContaining('0.0.0.0/0') });
      expect(held()).toEqual(['10.244.3.2']);
      await del(running);
    });
  });

  describe('may be given by', () => {
    it('static, for good', async () => {
      const conf = {
        ipam: { type: 'static', addresses: [{ address: '10.6.0.7/24' }, { address: 'fd00:6::7/64' }] },
      };
      const networked = await networkPod(node, pod, conf);
      expect(networked.endpoint.spec.ipNetworks).toEqual(['10.6.0.7/32', 'fd00:6::7/128']);
      await del(networked);
      expect(await endpointOf(node, pod)).toBeUndefined();
    });

    /** An IPAM plugin that writes down each command and its stdin, and answers an ADD with `result`. */
    function writePlugin(result: object) {
      const folder = mkdtempSync(join(node.api.directory, 'plugins-'));
      const answer = JSON.stringify({ cniVersion: '1.0.0', ...result });
      const log = `echo "$CNI_COMMAND $(cat)" >>${folder}/calls`;
      writeFileSync(
        join(folder, 'own-ipam'),
        `#!/bin/sh\n${log}\n[ $CNI_COMMAND = DEL ] || echo '${answer}'\n`,
      );
      chmodSync(join(folder, 'own-ipam'), 0o755);
      const sandbox = node.makeSandbox(pod);
      const env = { CNI_PATH: `${folder}:${EXECUTABLE_FOLDER}` };
      return {
        sandbox: { ...sandbox, call: { ...sandbox.call, env } },
        calls: () => readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n'),
      };
    }

    it('any plugin, which gets the whole configuration and whose routes are passed on', async () => {
      const routes = [{ dst: '10.7.0.0/16', gw: '10.7.0.1' }];
      const plugin = writePlugin({ ips: [{ address: '10.7.1.1/16', gateway: '10.7.0.1' }], routes });
      const conf = { ipam: { type: 'own-ipam', knob: 9007199254740993n.toString() } };
      const networked = await networkPod(node, pod, conf, plugin.sandbox);
      expect(networked.endpoint.spec.ipNetworks).toEqual(['10.7.1.1/32']);
      expect(networked.answer.json.routes).toEqual(routes);
      await del(networked);
      const [add = '', del_ = '', ...others] = plugin.calls();
      expect(others).toEqual([]);
      expect(add).toMatch(/^ADD /);
      expect(del_).toMatch(/^DEL /);
      expect(JSON.parse(add.slice(add.indexOf('{')))).toMatchObject(conf);
    });

    it('a plugin that gives none: it is asked to take that back', async () => {
      const running = await networkPod(node, pod);
      const plugin = writePlugin({ ips: [] });
      const call = { ...plugin.sandbox.call, conf: { ipam: { type: 'own-ipam' } } };
      const { json } = await expectRefusal(node, running, call);
      expect(json).toMatchObject({ code: 106, msg: 'IPAM plugin returned no IP addresses in result' });
      expect(plugin.calls().map((line) => line.slice(0, 3))).toEqual(['ADD', 'DEL']);
      await del(running);
    });
  });
});
