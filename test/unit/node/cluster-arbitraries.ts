/** Clusters, and what happens to them, by chance: few names and addresses, so that they meet. */

import fc from 'fast-check';
import type { RecordChange } from '../../../src/node/apply-changes.ts';
import type { ClusterState } from '../../../src/node/cluster.ts';
import {
  blockRecord,
  clusterOf,
  deleted,
  endpointRecord,
  felixRecord,
  nodeRecord,
  poolRecord,
} from './records.ts';

const NODE_NAMES = ['node1', 'node2', 'node3', 'node4'];
const nodeName = fc.constantFrom(...NODE_NAMES);
const hostIp = fc.constantFrom(
  '10.50.0.11/24',
  '10.50.0.12/24',
  '10.50.0.13/16',
  '10.60.0.13/24',
  '10.77.9.9/32',
);
const tunnelIp = fc.option(fc.constantFrom('10.77.0.1', '10.77.1.1', '10.77.2.1', '10.88.0.1'), {
  nil: undefined,
});
const mac = fc.option(fc.constantFrom('66:00:00:00:00:01', '66:00:00:00:00:02'), { nil: undefined, freq: 4 });
const mode = fc.constantFrom('Always', 'CrossSubnet', 'Never');
const poolCidrs = ['10.77.0.0/16', '10.77.1.0/24', '10.88.0.0/24'];

const node = fc
  .tuple(nodeName, hostIp, tunnelIp, mac, tunnelIp)
  .map(([name, ip, ipv4VXLANTunnelAddr, vxlanTunnelMACAddr, ipv4IPIPTunnelAddr]) =>
    nodeRecord(name, ip, { ipv4VXLANTunnelAddr, vxlanTunnelMACAddr }, { ipv4IPIPTunnelAddr }),
  );
const pool = fc
  .tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom(...poolCidrs), mode, mode, fc.boolean())
  .map(([name, cidr, vxlanMode, ipipMode, natOutgoing]) =>
    poolRecord(name, cidr, { vxlanMode, ipipMode, natOutgoing }),
  );
const block = fc
  .tuple(
    fc.constantFrom(
      '10.77.0.0/28',
      '10.77.1.0/28',
      '10.77.1.1/32',
      '10.77.1.8/29',
      '10.77.9.0/28',
      '10.88.0.0/28',
      '10.99.0.0/28',
    ),
    fc.option(nodeName, { freq: 5 }),
    fc.dictionary(fc.constantFrom('0', '1', '3', '9'), fc.option(nodeName, { freq: 5 }), {
      maxKeys: 3,
      noNullPrototype: true,
    }),
  )
  .map(([cidr, owner, holders]) => {
    const size = 2 ** (32 - Number(cidr.split('/')[1]));
    const inside = Object.fromEntries(Object.entries(holders).filter(([ordinal]) => Number(ordinal) < size));
    return blockRecord(cidr, owner === null ? null : `host:${owner}`, inside);
  });
const endpoint = fc
  .tuple(
    fc.constantFrom('x', 'y'),
    fc.constantFrom('cali1', 'cali2'),
    fc.constantFrom('10.77.0.3', '10.77.1.1'),
  )
  .map(([name, device, address]) => endpointRecord('node1', name, device, [address]));
const setting = fc
  .record({ vxlanMTU: fc.constantFrom(0, 1300), vxlanPort: fc.constantFrom(4789, 8472) })
  .map((spec) => felixRecord('default', spec));

const anyRecord = fc.oneof(
  { weight: 3, arbitrary: node },
  { weight: 2, arbitrary: pool },
  { weight: 4, arbitrary: block },
  { weight: 1, arbitrary: endpoint },
  { weight: 1, arbitrary: setting },
);

/** What a broken record says. */
export const BROKEN = '{"spec":';

/** Records written, deleted, and now and then broken. */
export function clusterHistory(): fc.Arbitrary<readonly RecordChange[]> {
  const change = fc
    .tuple(anyRecord, fc.nat(9))
    .map(([record, chance]) =>
      chance === 0 ? deleted(record) : chance === 1 ? { ...record, text: BROKEN } : record,
    );
  return fc.array(change, { maxLength: 30 });
}

/** The cluster after such a history, as node1 sees it; it has a Node. */
export function anyCluster(): fc.Arbitrary<ClusterState> {
  const own = nodeRecord('node1', '10.50.0.11/24', { ipv4VXLANTunnelAddr: '10.77.0.1' });
  return clusterHistory().map((changes) => clusterOf('node1', ...changes, own));
}
