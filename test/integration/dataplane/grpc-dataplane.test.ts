/** The gRPC dataplane's client against a server of `@grpc/grpc-js`. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hostNetwork, parseCidr } from '../../../src/base/cidr.ts';
import { parseIpAddress } from '../../../src/base/ip-address.ts';
import type { DataplanePod } from '../../../src/dataplane/add-request.ts';
import { addToDataplane, delFromDataplane } from '../../../src/dataplane/grpc-dataplane.ts';
import { deadline } from '../../support/clock.ts';
import { type Handler, serveDataplane } from '../../support/dataplane-server.ts';
import { listen } from '../../support/peer.ts';
import { podNetwork } from '../../support/pod-network.ts';

const pod: DataplanePod = {
  network: podNetwork([], { routes: ['0.0.0.0/0', 'fd00::/8'].map(parseCidr), allowIpForwarding: true }),
  ips: [
    { address: hostNetwork(parseIpAddress('10.77.0.117')), gateway: parseIpAddress('10.77.0.1') },
    { address: hostNetwork(parseIpAddress('fd77::117')) },
  ],
  endpoint: {
    name: 'node1-k8s-web-eth0',
    namespace: 'shop',
    labels: { app: 'web', 'projectcalico.org/namespace': 'shop' },
    endpoint: 'eth0',
    nodeName: 'node1',
    orchestrator: 'k8s',
    podName: 'web',
    ports: [{ name: 'http', protocol: 'TCP', port: 8080, hostPort: 80, hostIp: '192.0.2.1' }],
  },
  annotations: { 'example.com/größe': 'L' },
};

const told = {
  interface_name: 'eth0',
  netns: '/var/run/netns/pod',
  desired_host_interface_name: 'cali1',
  settings: { allow_ip_forwarding: true, mtu: 1440 },
  container_ips: [
    { address: '10.77.0.117/32', gateway: '10.77.0.1' },
    { address: 'fd77::117/128', gateway: '' },
  ],
  container_routes: ['0.0.0.0/0', 'fd00::/8'],
  workload: {
    name: 'node1-k8s-web-eth0',
    namespace: 'shop',
    labels: { app: 'web', 'projectcalico.org/namespace': 'shop' },
    annotations: { 'example.com/größe': 'L' },
    endpoint: 'eth0',
    node: 'node1',
    orchestrator: 'k8s',
    pod: 'web',
    ports: [{ name: 'http', protocol: 'TCP', port: 8080, host_port: 80, host_ip: '192.0.2.1' }],
  },
};
const made = { successful: true, host_interface_name: 'tun7', container_mac: '02:00:00:00:00:07' };

/** A path that no other test uses, in a folder that goes with the test. */
function socketPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'dataplane-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'dataplane.sock');
}

function at(socket: string) {
  return { socket, options: { type: 'grpc', socket, colour: 'blue' } };
}

/** Serves on a socket of this machine; gives the dataplane's configuration. */
async function served(methods: Parameters<typeof serveDataplane>[1]) {
  const socket = `unix://${socketPath()}`;
  await serveDataplane(socket, methods);
  return at(socket);
}

const answering =
  (reply: object): Handler =>
  (_call, answer) =>
    answer(null, reply);

describe('addToDataplane()', () => {
  it.each([
    ['a socket of this machine', async (Add: Handler) => (await served({ Add })).socket],
    ['a bare path', async (Add: Handler) => (await served({ Add })).socket.replace('unix://', '')],
    ['TCP', async (Add: Handler) => `127.0.0.1:${await serveDataplane('127.0.0.1:0', { Add })}`],
    [
      'TCP, in the words of gRPC',
      async (Add: Handler) => `passthrough:///localhost:${await serveDataplane('127.0.0.1:0', { Add })}`,
    ],
  ])('tells all about the pod and gives what was made, over %s', async (_, serve) => {
    const requests: unknown[] = [];
    const socket = await serve((call, answer) => {
      requests.push(call.request);
      answer(null, made);
    });

    expect(await addToDataplane(pod, at(socket), deadline())).toEqual({
      hostIfName: 'tun7',
      containerMac: '02:00:00:00:00:07',
    });

    expect(requests).toEqual([{ ...told, dataplane_options: at(socket).options }]);
  });

  it('says nothing of what is not there', async () => {
    const requests: object[] = [];
    const dataplane = await served({
      Add: (call, answer) => {
        requests.push(Object(call.request));
        answer(null, made);
      },
    });
    const bare = {
      ...pod,
      network: podNetwork([], { mtu: undefined }),
      endpoint: { ...pod.endpoint, podName: undefined, ports: undefined },
    };

    await addToDataplane(bare, dataplane, deadline());

    expect(requests[0]).toMatchObject({
      settings: { allow_ip_forwarding: false, mtu: 0 },
      workload: { pod: '', ports: [] },
    });
  });

  it('copes with many labels', async () => {
    const dataplane = await served({
      Add: (call, answer) =>
        answer(null, { ...made, host_interface_name: `n${labelsOf(call.request).length}` }),
    });
    const labels = Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`label-${n}`, 'x'.repeat(60)]));

    const { hostIfName } = await addToDataplane(
      { ...pod, endpoint: { ...pod.endpoint, labels } },
      dataplane,
      deadline(),
    );

    expect(hostIfName).toBe('n3000');
  });

  it.each([
    ['a refusal', { successful: false, error_message: 'kein Platz: größer' }, 'kein Platz: größer'],
    ['a refusal without a reason', {}, 'it gave no reason'],
    ['an answer without an interface', { successful: true }, 'its answer has host_interface_name ""'],
    ['an answer without a MAC', { ...made, container_mac: '' }, 'its answer has container_mac ""'],
  ])('passes on %s', async (_, reply, message) => {
    const dataplane = await served({ Add: answering(reply) });

    await expect(addToDataplane(pod, dataplane, deadline())).rejects.toMatchObject({
      kind: 'network',
      message: `grpc dataplane error: ${message}`,
    });
  });

  it('passes on a status of gRPC', async () => {
    const dataplane = await served({
      Add: (_call, answer) => answer({ code: status.UNAVAILABLE, details: 'being upgraded' }),
    });

    await expect(addToDataplane(pod, dataplane, deadline())).rejects.toMatchObject({
      kind: 'network',
      message: 'grpc dataplane error: being upgraded',
      details: expect.stringContaining(dataplane.socket),
    });
  });

  it('says that nobody listens', async () => {
    const path = socketPath();

    await expect(addToDataplane(pod, at(`unix://${path}`), deadline())).rejects.toMatchObject({
      kind: 'network',
      message: `grpc dataplane error: connect ENOENT ${path}`,
    });
    await expect(addToDataplane(pod, at('127.0.0.1:1'), deadline())).rejects.toMatchObject({
      message: 'grpc dataplane error: connect ECONNREFUSED 127.0.0.1:1',
    });
  });

  it('says that another kind of server listens', async () => {
    const port = await listen((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));

    await expect(addToDataplane(pod, at(`127.0.0.1:${port}`), deadline())).rejects.toMatchObject({
      kind: 'network',
      message: expect.stringMatching(/^grpc dataplane error: /),
    });
  });

  it('waits as long as its deadline lets it', async () => {
    const dataplane = await served({});

    await expect(addToDataplane(pod, dataplane, deadline(300))).rejects.toMatchObject({
      kind: 'network',
      message: expect.stringMatching(/^grpc dataplane error: no answer within \d{1,3} ms$/),
    });
  });

  it('tells the server that it waits for 5 s at most', async () => {
    const leftMs: number[] = [];
    const dataplane = await served({
      Add: (call, answer) => {
        leftMs.push(Number(call.getDeadline()) - Date.now());
        answer(null, made);
      },
    });

    await addToDataplane(pod, dataplane, deadline(60_000));

    expect(leftMs[0]).toBeGreaterThan(1_000);
    expect(leftMs[0]).toBeLessThanOrEqual(5_000);
  });

  it('refuses an address that is none before anything else', async () => {
    await expect(addToDataplane(pod, at('xds:///x'), deadline())).rejects.toMatchObject({ kind: 'config' });
  });
});

describe('delFromDataplane()', () => {
  const names = { containerIfName: 'eth0', netnsPath: '' };

  it('names the interface and the sandbox', async () => {
    const requests: unknown[] = [];
    const dataplane = await served({
      Del: (call, answer) => {
        requests.push(call.request);
        answer(null, { successful: true });
      },
    });

    await delFromDataplane(names, dataplane, deadline());

    expect(requests).toEqual([{ interface_name: 'eth0', netns: '', dataplane_options: dataplane.options }]);
  });

  it('passes on a refusal', async () => {
    const dataplane = await served({ Del: answering({ successful: false, error_message: 'busy' }) });

    await expect(delFromDataplane(names, dataplane, deadline())).rejects.toMatchObject({
      kind: 'network',
      message: 'grpc dataplane error: busy',
      details: `${dataplane.socket} refused /cni.CniDataplane/Del`,
    });
  });
});

function labelsOf(request: unknown): readonly string[] {
  return Object.keys(Object(request).workload.labels);
}
