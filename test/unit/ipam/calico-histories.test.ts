/** What Calico's own plugins stored, step by step: the same steps here must store the same bytes. */

import { describe, expect, it } from 'vitest';
import { formatIpNetwork, parseCidr } from '../../../src/base/cidr.ts';
import { parseIpAddress } from '../../../src/base/ip-address.ts';
import { createBlock } from '../../../src/ipam/block/create.ts';
import { calicoCluster, storedTexts } from './support/calico-cluster.ts';
import {
  add,
  affinityRecord,
  assignmentRequest,
  blockRecord,
  type Cluster,
  del,
  put,
} from './support/cluster.ts';

function containerHandle(digits: string): string {
  return `k8s-pod-network.${digits.repeat(32)}`;
}

/** The pools and nodes of a step, without its addresses. */
function emptied(step: string): Cluster {
  return { ...calicoCluster(step), blocks: new Map(), affinities: new Map(), handles: new Map() };
}

/** The block as Calico created it, before the first address was in it. */
function claimed(nodeName: string, cidr: string, sequenceNumber: bigint, before: Cluster): Cluster {
  const block = createBlock(parseCidr(cidr), `host:${nodeName}`, sequenceNumber);
  return put(before, blockRecord(block), affinityRecord(nodeName, cidr));
}

/** The ADD that Calico made for a container, with the owner it stored. */
function addAsIn(
  step: string,
  before: Cluster,
  digits: string,
  changes: Parameters<typeof assignmentRequest>[2],
) {
  const handleId = containerHandle(digits);
  const attributes = [...calicoCluster(step).blocks.values()].flatMap(({ value }) => value.attributes);
  const owner = attributes.find((attribute) => attribute.handleId === handleId)?.activeOwner ?? {};
  const { after, plan } = add(before, assignmentRequest(owner.node ?? '', handleId, { owner, ...changes }));
  return { after, addresses: plan.addresses.map(formatIpNetwork) };
}

function deleteAll(before: Cluster, nodeName: string, containers: readonly string[]): Cluster {
  return containers.reduce((now, digits) => del(now, nodeName, [containerHandle(digits)]).after, before);
}

describe('the states that Calico left behind', () => {
  it('02: three pods on node1 get the first three addresses of a new block', () => {
    let now = calicoCluster('01');
    const given: string[] = [];
    for (const digits of ['01', '02', '03']) {
      const { after, addresses } = addAsIn('02', now, digits, { nowNs: 1_795_258_452_652_939_446n });
      now = after;
      given.push(...addresses);
    }
    expect(given).toEqual(['192.168.166.128/26', '192.168.166.129/26', '192.168.166.130/26']);
    expect(storedTexts(now)).toEqual(storedTexts(calicoCluster('02')));
  });

  it('03: the second pod is deleted and its ordinal goes to the tail', () => {
    const { after } = del(calicoCluster('02'), 'node1', [containerHandle('02')]);
    expect(storedTexts(after)).toEqual(storedTexts(calicoCluster('03')));
  });

  it('04: a pod on node2 makes it claim a block of its own', () => {
    const { after } = addAsIn('04', calicoCluster('03'), '04', { nowNs: 1_795_258_453_056_794_119n });
    expect(storedTexts(after)).toEqual(storedTexts(calicoCluster('04')));
  });

  it('05: when all pods are gone, blocks and affinities stay and no handle is left', () => {
    const after = deleteAll(deleteAll(calicoCluster('04'), 'node1', ['01', '03']), 'node2', ['04']);
    expect(storedTexts(after)).toEqual(storedTexts(calicoCluster('05')));
  });

  it('06: six dual-stack pods fill one IPv4 block and go on in a second', () => {
    let now = emptied('06');
    now = claimed('node1', '10.9.0.8/30', 1_795_258_453_606_453_415n, now);
    now = claimed('node1', 'fd00:9::70/124', 1_795_258_453_609_885_366n, now);
    for (const digits of ['01', '02', '03', '04']) {
      now = addAsIn('06', now, digits, { families: [4, 6] }).after;
    }
    now = claimed('node1', '10.9.0.12/30', 1_795_258_454_059_733_329n, now);
    for (const digits of ['05', '06']) now = addAsIn('06', now, digits, { families: [4, 6] }).after;
    expect(storedTexts(now)).toEqual(storedTexts(calicoCluster('06')));
  });

  it('06: the blocks are chosen as Calico chose them', () => {
    const after = ['01', '02', '03', '04', '05'].reduce(
      (now, digits) => addAsIn('06', now, digits, { families: [4, 6] }).after,
      emptied('06'),
    );
    expect([...after.blocks.keys()].sort()).toEqual([...calicoCluster('06').blocks.keys()].sort());
  });

  it('07: six deletions empty all three blocks', () => {
    const after = deleteAll(calicoCluster('06'), 'node1', ['01', '02', '03', '04', '05', '06']);
    expect(storedTexts(after)).toEqual(storedTexts(calicoCluster('07')));
  });

  it('08: two nodes have a block each and a third borrows, marked as its own', () => {
    let now = emptied('08');
    now = addAsIn('08', now, '01', { nowNs: 1_795_258_455_398_374_186n }).after;
    now = addAsIn('08', now, '02', { nowNs: 1_795_258_455_508_571_746n }).after;
    const borrowed = addAsIn('08', now, '03', { nowNs: 1_795_258_455_629_534_772n });
    expect(borrowed.addresses).toEqual(['10.9.0.1/30']);
    expect(storedTexts(borrowed.after)).toEqual(storedTexts(calicoCluster('08')));
  });

  it('09: an address is requested by name', () => {
    const requestedAddresses = [parseIpAddress('10.9.0.3')];
    const { after, addresses } = addAsIn('09', calicoCluster('08'), '09', { requestedAddresses });
    expect(addresses).toEqual(['10.9.0.3/32']);
    expect(storedTexts(after)).toEqual(storedTexts(calicoCluster('09')));
  });
});
