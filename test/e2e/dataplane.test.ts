/** Pods that are not wired the usual way: by a gRPC dataplane, or with a kind of device that the kernel may not have. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeCluster, writePool } from '../support/cluster.ts';
import { type Handler, serveDataplane } from '../support/dataplane-server.ts';
import { whyNoNetns } from '../support/netns.ts';
import {
  dumpCalico,
  leftovers,
  type SimulatedNode,
  startNode,
  succeeded,
} from '../support/simulated-node.ts';

const why = whyNoNetns();
const skipped = why === undefined ? '' : ` (skipped: ${why})`;

const ENDPOINT = '/calico/resources/v3/projectcalico.org/workloadendpoints/shop/node1-k8s-web-eth0';
const POD = { args: 'IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web' };
/** Of shop.web. */
const PROPOSED = 'cali551b05c3e54';
const MADE = { successful: true, host_interface_name: 'tap7', container_mac: '02:FE:00:00:00:07' };
const DONE = { successful: true };

describe.skipIf(why !== undefined)(`the way a pod is wired${skipped}`, () => {
  let node: SimulatedNode;
  let folder: string;

  beforeAll(async () => {
    node = await startNode();
    node.host.sh('ip address add 192.0.2.1/32 dev lo');
    folder = mkdtempSync(join(tmpdir(), 'dataplane-'));
  });
  afterAll(async () => {
    await node.stop();
    rmSync(folder, { recursive: true });
  });
  beforeEach(async () => {
    await node.etcd.wipe();
    await writeCluster(node.etcd);
  });
  afterEach(async () => {
    expect(await leftovers(node)).toEqual([]);
    expect(node.host.sh('ip -o link; ip route; ip -6 route')).not.toContain('cali');
  });

  /** Keys, but for those that stay when an address came and went: its block, the affinity to it, and the profile. */
  const kept = async () =>
    [...(await dumpCalico(node)).keys()].filter((key) => !/\/block\/|\/profiles\//.test(key));
  const endpoint = async () => JSON.parse((await node.etcd.get(ENDPOINT)) ?? 'null');

  describe('by a gRPC dataplane', () => {
    let count = 0;

    interface Answers {
      readonly Add?: object;
      readonly Del?: object;
    }

    /** A server that answers so, or never; `calls` are those it got, and `conf` is what leads to it. */
    async function serve(answers: Answers) {
      count += 1;
      const socket = `unix://${folder}/${count}.sock`;
      const calls: (readonly [method: string, request: unknown])[] = [];
      const handler =
        (method: keyof Answers): Handler =>
        ({ request }, answer) => {
          calls.push([method, request]);
          const reply = answers[method];
          if (reply !== undefined) answer(null, reply);
        };
      await serveDataplane(socket, { Add: handler('Add'), Del: handler('Del') });
      return { calls, conf: { dataplane_options: { type: 'grpc', socket, knob: 'x', ignored: 5 } } };
    }
    const methods = (calls: readonly (readonly [string, unknown])[]) => calls.map(([method]) => method);

    it('the server is told of the pod, and its names are in the result and in the endpoint', async () => {
      await writePool(node.etcd, 'v6', 'fd00:9::/112');
      const { calls, conf } = await serve({ Add: MADE, Del: DONE });
      const netns = node.makePod().path;
      const ipam = { type: 'calico-ipam', assign_ipv6: 'true' };
      const container_settings = { allow_ip_forwarding: true };
      const call = { containerId: 'c1', netns, ...POD, conf: { ...conf, ipam, container_settings } };

      const { json } = succeeded(await node.cni('ADD', call));

      const [ipv4, ipv6] = json.ips.map(({ address }: { readonly address: string }) => address);
      expect(json).toMatchObject({
        interfaces: [{ name: 'tap7' }, { name: 'eth0', mac: '02:fe:00:00:00:07', mtu: 1440, sandbox: netns }],
        ips: [{ interface: 1 }, { interface: 1 }],
        routes: [{}, {}],
      });
      expect((await endpoint()).spec).toMatchObject({
        containerID: 'c1',
        interfaceName: 'tap7',
        mac: '02:fe:00:00:00:07',
        ipNetworks: [ipv4, ipv6],
      });
      const dataplane_options = { type: 'grpc', socket: conf.dataplane_options.socket, knob: 'x' };
      expect(calls).toEqual([
        [
          'Add',
          {
            interface_name: 'eth0',
            netns,
            desired_host_interface_name: PROPOSED,
            settings: { allow_ip_forwarding: true, mtu: 1440 },
            container_ips: [
              { address: ipv4, gateway: '' },
              { address: ipv6, gateway: '' },
            ],
            container_routes: ['0.0.0.0/0', '::/0'],
            workload: {
              name: 'node1-k8s-web-eth0',
              namespace: 'shop',
              labels: { 'projectcalico.org/namespace': 'shop', 'projectcalico.org/orchestrator': 'k8s' },
              annotations: {},
              endpoint: 'eth0',
              node: 'node1',
              orchestrator: 'k8s',
              pod: 'web',
              ports: [],
            },
            dataplane_options,
          },
        ],
      ]);
      expect(node.host.sh('ip -o link')).not.toContain('eth0');

      succeeded(await node.cni('DEL', call));
      expect(calls.slice(1)).toEqual([['Del', { interface_name: 'eth0', netns, dataplane_options }]]);
    });

    it('a repeated ADD gets the same addresses, and the names that the server has then', async () => {
      const { conf } = await serve({ Add: MADE, Del: DONE });
      const call = { containerId: 'c2', netns: node.makePod().path, ...POD, conf };
      const first = succeeded(await node.cni('ADD', call));
      const other = await serve({ Add: { ...MADE, host_interface_name: 'tap8' }, Del: DONE });
      const second = succeeded(await node.cni('ADD', { ...call, conf: other.conf }));
      expect(second.json.ips).toEqual(first.json.ips);
      expect((await endpoint()).spec.interfaceName).toBe('tap8');
      succeeded(await node.cni('DEL', { ...call, conf: other.conf }));
    });

    it.each([
      [
        'refuses',
        { successful: false, error_message: 'no more ports' },
        /^grpc dataplane error: no more ports$/,
      ],
      ['gives no reason', { successful: false }, /^grpc dataplane error: it gave no reason$/],
      [
        'names no interface',
        { ...MADE, host_interface_name: '' },
        /^grpc dataplane error: its answer has host_interface_name ""$/,
      ],
      [
        'names no MAC address',
        { ...MADE, container_mac: 'x' },
        /^grpc dataplane error: its answer has container_mac "x"$/,
      ],
      ['is silent', undefined, /^grpc dataplane error: .*(deadline|DEADLINE_EXCEEDED|5000 ms)/i],
    ])(
      'an ADD fails when the server %s: everything is given back, also by the server',
      async (_name, Add, message) => {
        const { calls, conf } = await serve({ ...(Add === undefined ? {} : { Add }), Del: DONE });
        const before = await kept();
        const answer = await node.cni('ADD', { containerId: 'c3', netns: node.makePod().path, ...POD, conf });
        expect(answer.json).toMatchObject({ code: 101, msg: expect.stringMatching(message) });
        expect(methods(calls)).toEqual(['Add', 'Del']);
        expect(await kept()).toEqual(before);
        expect(answer.elapsedMs).toBeLessThan(20_000);
      },
    );

    it('an ADD fails when nobody listens, and a DEL, which keeps the records until the server is back', async () => {
      const netns = node.makePod().path;
      const nobody = { dataplane_options: { type: 'grpc', socket: `unix://${folder}/none.sock` } };
      const call = { containerId: 'c4', netns, ...POD, conf: nobody };
      const failed = await node.cni('ADD', call);
      expect(failed.json).toMatchObject({ code: 101, msg: expect.stringMatching(/^grpc dataplane error: /) });
      expect(failed.json.details).toContain(`${folder}/none.sock`);
      expect(await endpoint()).toBe(null);

      const { conf } = await serve({ Add: MADE, Del: DONE });
      succeeded(await node.cni('ADD', { ...call, conf }));
      expect((await node.cni('DEL', call)).exitCode).toBe(1);
      expect((await endpoint()).spec.interfaceName).toBe('tap7');
      succeeded(await node.cni('DEL', { ...call, conf }));
      expect(await endpoint()).toBe(null);
    });

    it('a new sandbox that the server refuses leaves the endpoint of the running one as it was', async () => {
      const { conf } = await serve({ Add: MADE, Del: DONE });
      const running = { containerId: 'c5', netns: node.makePod().path, ...POD, conf };
      succeeded(await node.cni('ADD', running));
      const before = await endpoint();
      const full = await serve({ Add: { successful: false, error_message: 'full' }, Del: DONE });
      const next = { containerId: 'c6', netns: node.makePod().path, ...POD, conf: full.conf };
      expect((await node.cni('ADD', next)).exitCode).toBe(1);
      expect(await endpoint()).toEqual(before);
      succeeded(await node.cni('DEL', next));
      expect(await endpoint()).toEqual(before);
      succeeded(await node.cni('DEL', running));
    });
  });

  it('with netkit, or where the kernel has none with veth and a warning, a pod reaches the node', async () => {
    const pod = node.makePod();
    const call = { containerId: 'c7', netns: pod.path, ...POD, conf: { device_type: 'netkit' } };
    const { stderr } = succeeded(await node.cni('ADD', call));
    const [{ linkinfo }] = JSON.parse(pod.sh('ip -j -d link show eth0'));
    if (linkinfo.info_kind === 'veth') expect(stderr).toMatch(/\[WARN.*the kernel has no netkit devices/);
    else expect(linkinfo.info_kind).toBe('netkit');
    expect(pod.sh('ping -c 1 -W 2 192.0.2.1')).toContain('1 received');
    succeeded(await node.cni('DEL', call));
  });
});
