/** A pod that CHECK is asked about, and ways to damage it past our own code. */

import { randomBytes } from 'node:crypto';
import type { TestNetns } from './netns.ts';
import { addChain, type ChainedPlugin, checkWith } from './plugin-chain.ts';
import type { Answer, CniTestCall, SimulatedNode } from './simulated-node.ts';

export interface CheckedPod {
  readonly node: SimulatedNode;
  readonly netns: TestNetns;
  readonly id: string;
  readonly hostIf: string;
  /** Without their prefix lengths; the first and the second of the result. */
  readonly ipv4: string;
  readonly ipv6: string;
  /** What its ADD was called with. */
  readonly call: CniTestCall;
  /** Of the last plugin of the chain. */
  readonly result: object;
  readonly endpointKey: string;
  readonly handleKey: string;
  /** Rewrites the text of one key. */
  edit(key: string, change: (text: string) => string): Promise<void>;
  /** The block that the IPv4 address is in, of 64 addresses, and which of them it is. */
  readonly block: { readonly key: string; readonly ordinal: number };
  check(more?: Partial<CniTestCall>): Promise<Answer>;
}

let count = 0;

/** Networks a new container. */
export async function makeCheckedPod(
  node: SimulatedNode,
  changes: Partial<CniTestCall> = {},
  others: readonly ChainedPlugin[] = [],
): Promise<CheckedPod> {
  count += 1;
  const netns = node.makePod();
  // Others keep notes under it, which must not be found by the next run.
  const id = `${randomBytes(3).toString('hex')}x${count}`;
  const call: CniTestCall = { containerId: id, netns: netns.path, ...changes };
  const result = await addChain(node, call, others);
  const [ipv4 = '', ipv6 = ''] = result.ips.map(({ address }) => address.replace(/\/.*/, ''));
  const last = Number(ipv4.split('.')[3]);
  const base = ipv4.replace(/\d+$/, String(last - (last % 64)));
  return {
    ...{ node, netns, id, ipv4, ipv6, call, result, hostIf: result.interfaces[0]?.name ?? '' },
    endpointKey: `/calico/resources/v3/projectcalico.org/workloadendpoints/default/node1-cni-${id}-eth0`,
    handleKey: `/calico/ipam/v2/handle/k8s-pod-network.${id}`,
    edit: async (key, change) => node.etcd.put(key, change((await node.etcd.get(key)) ?? '')),
    block: { key: `/calico/ipam/v2/assignment/ipv4/block/${base}-26`, ordinal: last % 64 },
    check: (more = {}) => checkWith(node, { ...call, ...more }, result),
  };
}

export type Damage = (pod: CheckedPod) => unknown;

export function inPod(lines: (pod: CheckedPod) => string): Damage {
  return (pod) => pod.netns.sh(lines(pod));
}

export function onHost(lines: (pod: CheckedPod) => string): Damage {
  return (pod) => pod.node.host.sh(lines(pod));
}

/** Changes fields of the endpoint. */
export function inEndpoint(fields: object): Damage {
  return (pod) =>
    pod.edit(pod.endpointKey, (text) => {
      const endpoint = JSON.parse(text);
      return JSON.stringify({ ...endpoint, spec: { ...endpoint.spec, ...fields } });
    });
}

/** Gives the address another attribute, or none. */
export function inBlock(attribute: object | null): Damage {
  return ({ edit, block: { key, ordinal } }) =>
    edit(key, (text) => {
      const block = JSON.parse(text);
      if (attribute === null) block.unallocated.push(ordinal);
      block.allocations[ordinal] = attribute === null ? null : block.attributes.push(attribute) - 1;
      return JSON.stringify(block);
    });
}
