/** What must be true of every pod that was networked: kernel, endpoint and result tell the same. */

import { expect } from 'vitest';
import type { KubeObject } from './kube-apiserver.ts';
import type { TestNetns } from './netns.ts';
import { endpointOf, NODE_ADDRESSES, type NodeWithApi, type Sandbox } from './node-with-api.ts';
import {
  type Answer,
  type CniTestCall,
  type SimulatedNode,
  succeeded,
  wholeState,
} from './simulated-node.ts';

export interface NetworkedPod extends Sandbox {
  readonly answer: Answer;
  /** As etcd has it. */
  readonly endpoint: KubeObject;
}

/** Networks a pod of the API in the sandbox, and checks that it is; `conf` is added to the network configuration. */
export async function networkPod(
  node: NodeWithApi,
  pod: KubeObject,
  conf: object = {},
  { netns, call: named }: Sandbox = node.makeSandbox(pod),
): Promise<NetworkedPod> {
  const call = { ...named, conf };
  const answer = succeeded(await node.cni('ADD', call));
  const networked = { netns, call, answer, endpoint: await endpointOf(node, pod) };
  expectConnected(node, networked);
  return networked;
}

/** Calico's data and interfaces are gone, whatever a test before has left. */
export async function forgetPods(node: SimulatedNode): Promise<void> {
  await node.etcd.remove('/calico/');
  node.host.sh(`ip -o link | sed -n 's/^[0-9]*: \\(cali[^@:]*\\).*/\\1/p' | xargs -r -n 1 ip link del`);
}

/** Addresses, MAC, a route on the host to each address and to nothing else, and the node answers. */
export function expectConnected(
  node: SimulatedNode,
  { netns, answer: { json }, endpoint: { spec } }: Omit<NetworkedPod, 'call'>,
): void {
  const [hostEnd, containerEnd] = json.interfaces;
  expect(hostEnd).toEqual({ name: spec.interfaceName });
  expect(containerEnd).toMatchObject({ mac: spec.mac, sandbox: netns.path });
  expect(json.ips).toEqual(spec.ipNetworks.map((address: string) => ({ address, interface: 1 })));

  const link = JSON.parse(netns.sh(`ip -j address show ${containerEnd.name}`))[0];
  expect(link).toMatchObject({ address: spec.mac, operstate: 'UP' });
  const global = link.addr_info.filter(({ scope }: { readonly scope: string }) => scope === 'global');
  const ipNetworks = spec.ipNetworks.toSorted();
  expect(global.map(({ local, prefixlen }: KubeObject) => `${local}/${prefixlen}`)).toEqual(ipNetworks);
  expect(hostRoutes(node, spec.interfaceName)).toEqual(ipNetworks.map(withoutLength));
  for (const address of nodeAddressesFor(spec.ipNetworks)) expectPing(netns, address);
}

/** The sandbox still reaches the node. */
export function expectPing(netns: TestNetns, address: string): void {
  expect(netns.sh(`ping -c 1 -W 2 ${address}`)).toContain('1 received');
}

/** Destinations of the routes through the interface, IPv4 first. */
export function hostRoutes(node: SimulatedNode, interfaceName: string): readonly string[] {
  const routes = ['-4', '-6'].flatMap((family) =>
    JSON.parse(node.host.sh(`ip ${family} -j route show dev ${interfaceName}`) || '[]'),
  );
  const destinations: readonly string[] = routes.map(({ dst }) => dst);
  return destinations.filter((dst) => !dst.startsWith('fe80::'));
}

function nodeAddressesFor(ipNetworks: readonly string[]): readonly string[] {
  const [ipv4, ipv6] = NODE_ADDRESSES;
  return ipNetworks.map((network) => (network.includes(':') ? ipv6 : ipv4));
}

function withoutLength(network: string): string {
  return network.replace(/\/.*/, '');
}

/** The call must fail and change nothing, and the pod that is running must go on; gives the answer. */
export async function expectRefusal(
  node: SimulatedNode,
  running: NetworkedPod,
  call: CniTestCall,
): Promise<Answer> {
  const before = await wholeState(node);
  const answer = await node.cni('ADD', call);
  expect(await wholeState(node)).toEqual(before);
  expectConnected(node, running);
  expect(answer.exitCode).toBe(1);
  expect(answer.json.cniVersion).toBe('1.0.0');
  expect(answer.stderr).not.toMatch(/\n\s+at /);
  return answer;
}
