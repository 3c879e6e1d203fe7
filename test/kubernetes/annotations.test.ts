/** What pods and namespaces ask for: each in the API, then in the endpoint, the kernel and the result of an ADD. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeCluster, writePool } from '../support/cluster.ts';
import { serveDataplane } from '../support/dataplane-server.ts';
import type { PodMetadata } from '../support/kube-apiserver.ts';
import { whyNoKubernetes } from '../support/kubernetes-parts.ts';
import { forgetPods, type NetworkedPod, networkPod } from '../support/networked-pod.ts';
import { type NodeWithApi, startNodeWithApi } from '../support/node-with-api.ts';
import { dumpCalico, leftovers, succeeded } from '../support/simulated-node.ts';

const why = whyNoKubernetes();
const skipped = why === undefined ? '' : ` (skipped: ${why})`;

const DUAL_STACK = { ipam: { type: 'calico-ipam', assign_ipv6: 'true' } };
const FROM_DEFAULT_POOLS = [expect.stringMatching(/^192\.168\./), expect.stringMatching(/^fd00:9::/)];
const IDLE = { nodeName: 'node1', containers: [{ name: 'main', image: 'localhost/busybox:test' }] };

type Annotations = Readonly<Record<string, string>>;

interface Asked {
  readonly metadata?: Partial<PodMetadata>;
  /** Of the pod; a name without a prefix is one of Calico's. */
  readonly annotations?: Annotations;
  readonly spec?: object;
  /** Added to the network configuration, which is dual stack. */
  readonly conf?: object;
}

describe.skipIf(why !== undefined)(`what pods and namespaces ask for${skipped}`, () => {
  let node: NodeWithApi;
  const networked: NetworkedPod[] = [];

  beforeAll(async () => {
    node = await startNodeWithApi();
    await node.api.createNamespace('plain');
  });
  afterAll(async () => {
    await node.stop();
  });
  beforeEach(async () => {
    await forgetPods(node);
    await writeCluster(node.etcd);
    await writePool(node.etcd, 'default-ipv6-ippool', 'fd00:9::/112');
  });
  afterEach(async () => {
    for (const { call } of networked.splice(0)) succeeded(await node.cni('DEL', call));
    expect(await leftovers(node)).toEqual([]);
    expect(node.host.sh('ip -o link; ip route; ip -6 route')).not.toContain('cali');
  });

  let count = 0;

  /** Creates the pod, and networks it in a sandbox. */
  async function network({ metadata, annotations = {}, spec = IDLE, conf }: Asked) {
    count += 1;
    const named = { name: `web-${count}`, namespace: 'plain', ...metadata };
    const pod = await node.api.createPod({ ...named, annotations: prefixed(annotations) }, spec);
    const made = await networkPod(node, pod, { ...DUAL_STACK, ...conf });
    networked.push(made);
    return { ...made, pod };
  }

  /** A new namespace with these annotations; gives its name. */
  async function makeNamespace(annotations: Annotations, labels = {}): Promise<string> {
    count += 1;
    const name = `team-${count}`;
    await node.api.createNamespace(name, { annotations: prefixed(annotations), labels });
    return name;
  }

  const addresses = async (asked: Asked) => (await network(asked)).endpoint.spec.ipNetworks;

  describe('without annotations', () => {
    it('a pod has its labels, ports, generateName and service account in its endpoint, and nothing else', async () => {
      const spec = {
        nodeName: 'node1',
        serviceAccountName: 'websa',
        containers: [
          {
            name: 'main',
            image: 'localhost/busybox:test',
            ports: [
              { name: 'http', containerPort: 8080 },
              { containerPort: 9000, hostPort: 9001, hostIP: '192.0.2.7', protocol: 'UDP' },
              { containerPort: 7000 },
            ],
          },
        ],
        initContainers: [
          {
            name: 'init',
            image: 'localhost/busybox:test',
            ports: [{ name: 'sig', containerPort: 55, protocol: 'SCTP' }],
          },
        ],
      };
      const { pod, call, endpoint, answer } = await network({
        metadata: { name: 'shop-x7k2p', generateName: 'shop-', labels: { app: 'shop' } },
        spec,
      });
      expect(endpoint).toEqual({
        kind: 'WorkloadEndpoint',
        apiVersion: 'projectcalico.org/v3',
        metadata: {
          name: 'node1-k8s-shop--x7k2p-eth0',
          generateName: 'shop-',
          namespace: 'plain',
          uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
          creationTimestamp: expect.stringMatching(/^2\d{3}-.*Z$/),
          labels: {
            app: 'shop',
            'projectcalico.org/namespace': 'plain',
            'projectcalico.org/orchestrator': 'k8s',
            'projectcalico.org/serviceaccount': 'websa',
          },
        },
        spec: {
          orchestrator: 'k8s',
          node: 'node1',
          containerID: call.containerId,
          pod: 'shop-x7k2p',
          endpoint: 'eth0',
          serviceAccountName: 'websa',
          ipNetworks: FROM_DEFAULT_POOLS,
          profiles: ['kns.plain', 'ksa.plain.websa'],
          interfaceName: 'cali9c4668aacd2',
          mac: answer.json.interfaces[1].mac,
          ports: [
            { name: 'http', protocol: 'TCP', port: 8080, hostPort: 0, hostIP: '' },
            { name: '', protocol: 'UDP', port: 9000, hostPort: 9001, hostIP: '192.0.2.7' },
            { name: 'sig', protocol: 'SCTP', port: 55, hostPort: 0, hostIP: '' },
          ],
        },
      });
      expect(endpoint.metadata.uid).not.toBe(pod.metadata.uid);
    });

    it('a service account whose name is no label has a profile all the same', async () => {
      const serviceAccountName = 'a'.repeat(63);
      const { endpoint } = await network({ spec: { ...IDLE, serviceAccountName } });
      expect(endpoint.metadata.labels).not.toHaveProperty(['projectcalico.org/serviceaccount']);
      expect(endpoint.spec).toMatchObject({
        serviceAccountName,
        profiles: ['kns.plain', `ksa.plain.${serviceAccountName}`],
      });
    });

    it("no profile is made: the namespace's is its controllers' to keep", async () => {
      await network({});
      expect([...(await dumpCalico(node)).keys()].filter((key) => key.includes('/profiles/'))).toEqual([]);
    });

    it("the address's record says whose it is", async () => {
      const { pod } = await network({});
      const block = await node.etcd.get('/calico/ipam/v2/assignment/ipv4/block/192.168.166.128-26');
      expect(JSON.parse(block ?? '').attributes).toEqual([
        expect.objectContaining({
          secondary: expect.objectContaining({ pod: pod.metadata.name, namespace: 'plain', node: 'node1' }),
        }),
      ]);
    });
  });

  describe('ipv4pools and ipv6pools', () => {
    beforeEach(async () => {
      await writePool(node.etcd, 'red', '10.1.0.0/24');
      await writePool(node.etcd, 'blue', '10.2.0.0/24');
      await writePool(node.etcd, 'red6', 'fd00:1::/112');
      await writePool(node.etcd, 'blue6', 'fd00:2::/112');
    });

    it("of the pod, by name and by CIDR, instead of the configuration's", async () => {
      const ipam = { ...DUAL_STACK.ipam, ipv4_pools: ['red'], ipv6_pools: ['red6'] };
      const annotations = { ipv4pools: '["10.2.0.0/24"]', ipv6pools: '["blue6"]' };
      expect(await addresses({ annotations, conf: { ipam } })).toEqual([
        expect.stringMatching(/^10\.2\.0\./),
        expect.stringMatching(/^fd00:2::/),
      ]);
      expect(await addresses({ conf: { ipam } })).toEqual([
        expect.stringMatching(/^10\.1\.0\./),
        expect.stringMatching(/^fd00:1::/),
      ]);
    });

    it('of the namespace', async () => {
      const namespace = await makeNamespace({ ipv4pools: '["red"]', ipv6pools: '["fd00:1::/112"]' });
      expect(await addresses({ metadata: { namespace } })).toEqual([
        expect.stringMatching(/^10\.1\.0\./),
        expect.stringMatching(/^fd00:1::/),
      ]);
    });

    it('of the pod win over those of the namespace, each by itself', async () => {
      const namespace = await makeNamespace({ ipv4pools: '["red"]', ipv6pools: '["red6"]' });
      const annotations = { ipv4pools: '["blue"]', ipv6pools: '' };
      expect(await addresses({ metadata: { namespace }, annotations })).toEqual([
        expect.stringMatching(/^10\.2\.0\./),
        expect.stringMatching(/^fd00:1::/),
      ]);
    });
  });

  describe('ipFamilies', () => {
    it.each([
      ['["IPv4"]', [FROM_DEFAULT_POOLS[0]]],
      ['["IPv6"]', [FROM_DEFAULT_POOLS[1]]],
      ['["IPv6","IPv4"]', FROM_DEFAULT_POOLS],
    ])('%s of the pod', async (ipFamilies, expected) => {
      expect(await addresses({ annotations: { ipFamilies } })).toEqual(expected);
    });

    it('both, where the configuration has one', async () => {
      const conf = { ipam: { type: 'calico-ipam' } };
      const annotations = { ipFamilies: '["IPv4","IPv6"]' };
      expect(await addresses({ annotations, conf })).toEqual(FROM_DEFAULT_POOLS);
    });

    it('of the namespace, and the pod wins', async () => {
      const namespace = await makeNamespace({ ipFamilies: '["IPv6"]' });
      const metadata = { namespace };
      expect(await addresses({ metadata })).toEqual([FROM_DEFAULT_POOLS[1]]);
      expect(await addresses({ metadata, annotations: { ipFamilies: '["IPv4"]' } })).toEqual([
        FROM_DEFAULT_POOLS[0],
      ]);
    });
  });

  describe('addresses by name', () => {
    it('ipAddrs gives exactly these, and host routes to them', async () => {
      const annotations = { ipAddrs: '["fd00:9::77","192.168.7.7"]' };
      const { endpoint, answer } = await network({ annotations });
      expect(endpoint.spec.ipNetworks).toEqual(['fd00:9::77/128', '192.168.7.7/32']);
      expect(answer.json.routes).toEqual([{ dst: 'fd00:9::77/128' }, { dst: '192.168.7.7/32' }]);
    });

    it('ipAddrs with one address gives that family alone', async () => {
      expect(await addresses({ annotations: { ipAddrs: '["192.168.7.7"]' } })).toEqual(['192.168.7.7/32']);
    });

    it('ipAddrsNoIpam gives addresses of no pool, and IPAM knows nothing of them', async () => {
      const before = await dumpCalico(node);
      const annotations = { ipAddrsNoIpam: '["172.31.5.5","fd31::5"]' };
      const conf = { feature_control: { ip_addrs_no_ipam: true } };
      const { endpoint } = await network({ annotations, conf });
      expect(endpoint.spec.ipNetworks).toEqual(['172.31.5.5/32', 'fd31::5/128']);
      const added = [...(await dumpCalico(node)).keys()].filter((key) => !before.has(key));
      expect(added).toEqual([expect.stringContaining('/workloadendpoints/plain/')]);
    });
  });

  it("floatingIPs lead to the pod's address of their family", async () => {
    const { endpoint } = await network({
      annotations: { floatingIPs: '["198.51.100.7","2001:db8:f::7","198.51.100.8"]' },
      conf: { feature_control: { floating_ips: true } },
    });
    const [ipv4, ipv6] = endpoint.spec.ipNetworks.map((address: string) => address.replace(/\/.*/, ''));
    expect(endpoint.spec.ipNATs).toEqual([
      { internalIP: ipv4, externalIP: '198.51.100.7' },
      { internalIP: ipv6, externalIP: '2001:db8:f::7' },
      { internalIP: ipv4, externalIP: '198.51.100.8' },
    ]);
  });

  it("hwAddr is the MAC address of the pod's interface, and its link-local address is made of it", async () => {
    const { endpoint, netns } = await network({ annotations: { hwAddr: '1C-0C-0A-C0-FF-EE' } });
    expect(endpoint.spec.mac).toBe('1c:0c:0a:c0:ff:ee');
    expect(netns.sh('ip -6 address show dev eth0 scope link')).toContain('fe80::1e0c:aff:fec0:ffee/64');
  });

  it('allowedSourcePrefixes are stored with their host bits cleared', async () => {
    const annotations = { allowedSourcePrefixes: '["8.8.8.8/32","10.11.12.13/8","2001:db8::1/64"]' };
    const { endpoint } = await network({ annotations });
    expect(endpoint.spec.allowSpoofedSourcePrefixes).toEqual(['8.8.8.8/32', '10.0.0.0/8', '2001:db8::/64']);
  });

  it('all of them are told to a gRPC dataplane, with labels and ports', async () => {
    const socket = `unix://${node.api.directory}/dataplane.sock`;
    const told: unknown[] = [];
    await serveDataplane(socket, {
      Add: ({ request }, answer) => {
        told.push(request);
        answer(null, { successful: true, host_interface_name: 'tap1', container_mac: '02:00:00:00:00:07' });
      },
      Del: (_call, answer) => answer(null, { successful: true }),
    });
    const annotations = { 'example.com/colour': 'blue', 'cni.projectcalico.org/ipFamilies': '["IPv4"]' };
    const labels = { app: 'web' };
    const pod = await node.api.createPod({ name: 'tapped', namespace: 'plain', labels, annotations });
    const call = { ...node.makeSandbox(pod).call, conf: { dataplane_options: { type: 'grpc', socket } } };
    succeeded(await node.cni('ADD', call));
    expect(told).toMatchObject([{ workload: { pod: 'tapped', namespace: 'plain', labels, annotations } }]);
    succeeded(await node.cni('DEL', call));
  });

  describe('limits of traffic', () => {
    const BURST = 4_294_967_296;
    it.each([
      [
        'of Kubernetes',
        { 'kubernetes.io/ingress-bandwidth': '10M', 'kubernetes.io/egress-bandwidth': '1Gi' },
        {
          ingressBandwidth: 10_000_000,
          ingressBurst: BURST,
          egressBandwidth: 1_073_741_824,
          egressBurst: BURST,
        },
      ],
      [
        'bandwidth of Calico wins over that of Kubernetes',
        { 'kubernetes.io/ingress-bandwidth': '10M', 'qos.projectcalico.org/ingressBandwidth': '20M' },
        { ingressBandwidth: 20_000_000, ingressBurst: BURST },
      ],
      [
        'all of one direction',
        {
          'qos.projectcalico.org/egressBandwidth': '1M',
          'qos.projectcalico.org/egressBurst': '2M',
          'qos.projectcalico.org/egressPeakrate': '3M',
          'qos.projectcalico.org/egressMinburst': '4k',
          'qos.projectcalico.org/egressPacketRate': '500',
          'qos.projectcalico.org/egressPacketBurst': '60',
          'qos.projectcalico.org/egressMaxConnections': '7',
        },
        {
          egressBandwidth: 1_000_000,
          egressBurst: 2_000_000,
          egressPeakrate: 3_000_000,
          egressMinburst: 4_000,
          egressPacketRate: 500,
          egressPacketBurst: 60,
          egressMaxConnections: 7,
        },
      ],
      [
        'packets, with the burst that is the default',
        { 'qos.projectcalico.org/ingressPacketRate': '2k' },
        { ingressPacketRate: 2_000, ingressPacketBurst: 5 },
      ],
      ['connections', { 'qos.projectcalico.org/ingressMaxConnections': '9' }, { ingressMaxConnections: 9 }],
    ])('%s', async (_name, annotations, expected) => {
      const { endpoint } = await network({ annotations });
      expect(endpoint.spec.qosControls).toEqual(expected);
    });

    it('the class of packets that leave', async () => {
      const { endpoint } = await network({ annotations: { 'qos.projectcalico.org/dscp': '46' } });
      expect(endpoint.spec.qosControls).toEqual({ dscp: 46 });
    });

    it('one that cannot be understood is left out with a warning, one out of bounds becomes the bound', async () => {
      const { endpoint, answer } = await network({
        annotations: { 'kubernetes.io/ingress-bandwidth': 'fast', 'kubernetes.io/egress-bandwidth': '1' },
      });
      expect(endpoint.spec.qosControls).toEqual({ egressBandwidth: 1_000, egressBurst: BURST });
      expect(answer.stderr).toMatch(/\[WARN.*kubernetes\.io\/ingress-bandwidth is 'fast'/);
      expect(answer.stderr).toMatch(/\[WARN.*kubernetes\.io\/egress-bandwidth is '1'/);
    });
  });

  describe('the namespaceSelector of a pool', () => {
    it('gives a pod an address of a pool that is for its namespace', async () => {
      await node.etcd.remove('/calico/resources/v3/projectcalico.org/ippools/');
      await writePool(node.etcd, 'blue', '10.2.0.0/24', { namespaceSelector: "colour == 'blue'" });
      await writePool(node.etcd, 'others', '10.3.0.0/24', { namespaceSelector: "colour != 'blue'" });
      const conf = { ipam: { type: 'calico-ipam' } };
      const namespace = await makeNamespace({}, { colour: 'blue' });
      expect(await addresses({ metadata: { namespace }, conf })).toEqual([
        expect.stringMatching(/^10\.2\.0\./),
      ]);
      expect(await addresses({ conf })).toEqual([expect.stringMatching(/^10\.3\.0\./)]);
    });

    it('counts also for a pod that another main plugin asks an address for', async () => {
      await writePool(node.etcd, 'blue', '10.2.0.0/24', { namespaceSelector: "colour == 'blue'" });
      await node.etcd.remove('/calico/resources/v3/projectcalico.org/ippools/default');
      const namespace = await makeNamespace({}, { colour: 'blue' });
      const pod = await node.api.createPod({ name: 'of-another-plugin', namespace });
      const conf = { type: 'ptp', ipam: { type: 'calico-ipam' } };
      const call = { ...node.makeSandbox(pod).call, program: 'calico-ipam', conf } as const;
      const { json } = succeeded(await node.cni('ADD', call));
      expect(json.ips).toEqual([expect.objectContaining({ address: expect.stringMatching(/^10\.2\.0\./) })]);
      succeeded(await node.cni('DEL', call));
    });
  });
});

function prefixed(annotations: Annotations): Annotations {
  const entries = Object.entries(annotations);
  return Object.fromEntries(
    entries.map(([name, value]) => [name.includes('/') ? name : `cni.projectcalico.org/${name}`, value]),
  );
}
