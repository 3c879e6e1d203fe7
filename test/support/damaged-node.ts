/**
 * A node with one running container, and one record of the datastore damaged: what an ADD of another container and the DEL
 * of the first one say to that, and that nothing is left of either once the record is repaired.
 */

import { expect } from 'vitest';
import { writeCluster } from './cluster.ts';
import type { TestNetns } from './netns.ts';
import { expectRefusal, expectWords } from './refusals.ts';
import { type Answer, leftovers, type SimulatedNode, succeeded, wholeState } from './simulated-node.ts';

const RESOURCES = '/calico/resources/v3/projectcalico.org';
const RUNNING = 'aaaa';
const COMING = 'bbbb';

/** Where the records are that a node reads. */
export const RECORDS = {
  'cluster information': `${RESOURCES}/clusterinformations/default`,
  node: `${RESOURCES}/nodes/node1`,
  pool: `${RESOURCES}/ippools/default-ipv4-ippool`,
  'IPAM configuration': '/calico/ipam/v2/config',
  reservation: `${RESOURCES}/ipreservations/r`,
  profile: `${RESOURCES}/profiles/k8s-pod-network`,
  block: '/calico/ipam/v2/assignment/ipv4/block/',
  affinity: '/calico/ipam/v2/host/node1/ipv4/block/',
  handle: `/calico/ipam/v2/handle/k8s-pod-network.${RUNNING}`,
  'handle to be': `/calico/ipam/v2/handle/k8s-pod-network.${COMING}`,
  endpoint: `${RESOURCES}/workloadendpoints/default/node1-cni-${RUNNING}-eth0`,
  'endpoint to be': `${RESOURCES}/workloadendpoints/default/node1-cni-${COMING}-eth0`,
  'affinity to what is no block': '/calico/ipam/v2/host/node1/ipv4/block/10.0.0.0-8',
  'block that is none': '/calico/ipam/v2/assignment/ipv4/block/0.0.0.0-0',
} as const;

export type RecordName = keyof typeof RECORDS;

/** `undefined`: the call succeeds in spite of it. Else the CNI code; the message names the key if that is 105. */
export type Expected = number | undefined;

export interface Damage {
  readonly record: RecordName;
  /** What is written instead of the value. */
  readonly damage: (value: string) => string | Uint8Array;
  readonly add: Expected;
  readonly del: Expected;
}

export interface DamagedNode {
  /** Damages the record, calls, repairs it and looks for what is left. */
  suffer(damage: Damage): Promise<void>;
}

export function damagedNode(node: SimulatedNode): DamagedNode {
  const [running, coming] = [node.makePod(), node.makePod()];

  async function put(key: string, value: string | Uint8Array): Promise<void> {
    const base64 = (bytes: string | Uint8Array) => Buffer.from(bytes).toString('base64');
    await node.etcd.admin('kv/put', { key: base64(key), value: base64(value) });
  }

  /** What a call has removed stays so. */
  async function repair(key: string, value: string): Promise<void> {
    if (value === '') await node.etcd.remove(key);
    else if ((await node.etcd.get(key)) !== undefined) await put(key, value);
  }

  async function addComing(expected: Expected, key: string): Promise<void> {
    const before = await wholeState(node);
    const answer = await node.cni('ADD', { containerId: COMING, netns: coming.path });
    expectAnswer(answer, expected, key);
    if (expected === undefined) succeeded(await node.cni('DEL', { containerId: COMING, netns: coming.path }));
    else expect(await wholeState(node)).toEqual(before);
  }

  async function delRunning(expected: Expected, key: string): Promise<void> {
    const answer = await node.cni('DEL', { containerId: RUNNING, netns: running.path });
    expectAnswer(answer, expected, key);
    expect(running.sh('ip -o link')).not.toContain('eth0');
  }

  return {
    suffer: async ({ record, damage, add, del }) => {
      await prepare(node);
      succeeded(await node.cni('ADD', { containerId: RUNNING, netns: running.path }));
      const [key = RECORDS[record], value = ''] = [...(await node.etcd.list(RECORDS[record]))][0] ?? [];
      await put(key, damage(value));
      await addComing(add, key);
      await delRunning(del, key);
      await repair(key, value);
      if (del !== undefined) succeeded(await node.cni('DEL', { containerId: RUNNING, netns: running.path }));
      // What cannot be read cannot be given back, and is not in the way of a DEL: a GC finds it.
      if (record === 'block' && del === undefined) succeeded(await collectGarbage(node));
      expect(await leftovers(node)).toEqual([]);
      expectNoLinks(node.host);
    },
  };
}

async function prepare({ etcd }: SimulatedNode): Promise<void> {
  await etcd.wipe();
  await writeCluster(etcd);
  await etcd.put(
    RECORDS['IPAM configuration'],
    '{"strict_affinity":false,"auto_allocate_blocks":true,"maxBlocksPerHost":20,"ipCooldownSeconds":0}',
  );
  await etcd.put(
    RECORDS.reservation,
    '{"kind":"IPReservation","metadata":{"name":"r"},"spec":{"reservedCIDRs":["192.168.1.1/32"]}}',
  );
}

function expectAnswer(answer: Answer, expected: Expected, key: string): void {
  expect(answer.elapsedMs).toBeLessThan(10_000);
  if (expected === undefined) {
    succeeded(answer);
    return;
  }
  expectRefusal(answer);
  expectWords(answer, expected, /./);
  if (expected === 105) expect(answer.json.msg).toContain(key);
  // Where the message is about something else, the log says which record it is.
  if (expected === 102)
    expect(answer.stderr + answer.json.details).toContain(key.slice(key.lastIndexOf('/') + 1));
}

function collectGarbage(node: SimulatedNode): Promise<Answer> {
  return node.cni('GC', { containerId: '', conf: { cniVersion: '1.1.0', 'cni.dev/valid-attachments': [] } });
}

function expectNoLinks(host: TestNetns): void {
  expect(host.sh('ip -o link')).not.toMatch(/: cali/);
}
