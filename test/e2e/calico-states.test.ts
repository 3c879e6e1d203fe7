/**
 * From each state that Calico's own plugins left in etcd, our ADD and DEL lead to the state that Calico's lead to,
 * but for times, IDs, MACs and sequence seeds.
 */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alike } from '../support/alike.ts';
import { calicoState } from '../support/calico-states.ts';
import { whyNoNetns } from '../support/netns.ts';
import { dumpCalico, type SimulatedNode, startNode, succeeded } from '../support/simulated-node.ts';

const why = whyNoNetns();

describe.skipIf(why !== undefined)(`Calico's states${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let node: SimulatedNode;

  beforeAll(async () => {
    node = await startNode();
  });
  afterAll(async () => {
    await node.stop();
  });

  const load = async (values: ReadonlyMap<string, string>) => {
    await node.etcd.wipe();
    for (const [key, value] of values) await node.etcd.put(key, value);
    // Pods of the test before, whose records are gone now, would keep the names of their interfaces.
    node.host.sh(`ip -o link | sed -n 's/^[0-9]*: \\(cali[^@:]*\\).*/\\1/p' | xargs -r -n 1 ip link del`);
  };
  const id = (digits: string) => digits.repeat(32);
  const dualStack = { type: 'calico-ipam', assign_ipv4: 'true', assign_ipv6: 'true' };
  const conf = (nodename: string, more: object = {}) => ({ nodename, mtu: 1500, ...more });

  const add = async (digits: string, nodename = 'node1', more: object = {}, args?: string) =>
    succeeded(
      await node.cni('ADD', {
        containerId: id(digits),
        netns: node.makePod().path,
        conf: conf(nodename, more),
        ...(args ? { args } : {}),
      }),
    );
  const del = async (digits: string, nodename = 'node1', more: object = {}) =>
    succeeded(await node.cni('DEL', { containerId: id(digits), conf: conf(nodename, more) }));

  const steps = [
    [
      '01',
      '02',
      'three ADDs on node1',
      async () => {
        for (const digits of ['01', '02', '03']) await add(digits);
      },
    ],
    ['02', '03', 'a DEL on node1', () => del('02')],
    ['03', '04', 'an ADD on node2', () => add('04', 'node2')],
    [
      '04',
      '05',
      'all DELs',
      async () => {
        await del('01');
        await del('03');
        await del('04', 'node2');
      },
    ],
    [
      '06',
      '07',
      'six dual-stack DELs',
      async () => {
        for (const digits of ['01', '02', '03', '04', '05', '06'])
          await del(digits, 'node1', { ipam: dualStack });
      },
    ],
    ['08', '09', 'an ADD of a requested address', () => add('09', 'node1', {}, 'IP=10.9.0.3')],
  ] as const;

  it.each(steps)('from %s to %s: %s', async (from, to, _what, act) => {
    await load(calicoState(from).values);
    await act();
    expect(alike(await dumpCalico(node))).toEqual(alike(calicoState(to).values));
  });

  it('from 01 to 05 in one go, every state on the way the one Calico left', async () => {
    await load(calicoState('01').values);
    for (const [, to, , act] of steps.slice(0, 4)) {
      await act();
      expect(alike(await dumpCalico(node))).toEqual(alike(calicoState(to).values));
    }
  });

  it('to 06 from an empty cluster: six dual-stack ADDs fill one IPv4 block and claim a second', async () => {
    const { values } = calicoState('06');
    await load(new Map([...values].filter(([key]) => /ippools|nodes|clusterinformations|tiers/.test(key))));
    for (const digits of ['01', '02', '03', '04', '05', '06'])
      await add(digits, 'node1', { ipam: dualStack });
    expect(alike(await dumpCalico(node))).toEqual(alike(values));
  });

  it('to 08 from an empty cluster: the third node has to borrow', async () => {
    const { values } = calicoState('08');
    await load(new Map([...values].filter(([key]) => /ippools|nodes|clusterinformations|tiers/.test(key))));
    await add('01', 'node1');
    await add('02', 'node2');
    await add('03', 'node3');
    expect(alike(await dumpCalico(node))).toEqual(alike(values));
  });

  it('and a DEL of every pod Calico made leaves no handle and no endpoint, from any state', async () => {
    for (const step of ['02', '03', '04', '06', '08', '09']) {
      const { values } = calicoState(step);
      await load(values);
      for (const key of values.keys()) {
        const [, nodename, digits] = /workloadendpoints\/default\/(node\d)-cni-(\d\d)/.exec(key) ?? [];
        if (digits !== undefined) await del(digits, nodename);
      }
      const left = [...(await dumpCalico(node)).keys()].filter((key) => /handle|workloadendpoints/.test(key));
      expect(left, `from ${step}`).toEqual([]);
    }
  });
});
