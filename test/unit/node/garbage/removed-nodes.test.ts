import { describe, expect, it } from 'vitest';
import { formatCidr } from '../../../../src/base/cidr.ts';
import { ipamHostKey, nodeClaimKey, nodeKey } from '../../../../src/datastore/keys.ts';
import { applyChanges } from '../../../../src/node/apply-changes.ts';
import { unknownCluster } from '../../../../src/node/cluster.ts';
import { type NodeLists, removedNodes } from '../../../../src/node/garbage/removed-nodes.ts';
import { blockRecord, nodeRecord } from '../records.ts';

const STATE = applyChanges(unknownCluster('node1'), [
  nodeRecord('node1', '10.50.0.11/24'),
  nodeRecord('node2', '10.50.0.12/24'),
  blockRecord('10.9.0.0/30', 'host:node1', { 0: 'node1', 1: 'node8' }),
  blockRecord('10.9.0.4/30', 'host:node9', { 0: 'node2' }),
  blockRecord('10.9.0.8/30', null, { 0: 'node9' }),
  blockRecord('10.9.0.12/30', 'virtual:load-balancer', { 0: null }),
]);
const NONE: NodeLists = { affinities: [], nodes: [], claims: [] };

const found = (lists: Partial<NodeLists> = {}, state = STATE) =>
  Object.fromEntries(
    removedNodes(state, { ...NONE, ...lists }).map(({ name, blocks, hasHostEntry }) => [
      name,
      [...blocks.map(formatCidr), ...(hasHostEntry ? ['entry'] : [])],
    ]),
  );

describe('removedNodes()', () => {
  it('finds nodes without a Node by the blocks that they own or have addresses in', () => {
    expect(found()).toEqual({ node8: ['10.9.0.0/30'], node9: ['10.9.0.4/30', '10.9.0.8/30'] });
  });

  it('finds them by what they claim, and by the entries of old versions', () => {
    const affinities = [
      '/calico/ipam/v2/host/node7/ipv4/block/10.9.1.0-30',
      '/calico/ipam/v2/host/node9/ipv4/block/10.9.0.4-30',
      '/calico/ipam/v2/host/node1/ipv4/block/10.9.0.0-30',
      '/calico/ipam/v2/host/node9/ipv4/block/nonsense',
      ipamHostKey('node6'),
      ipamHostKey('node1'),
    ];
    expect(found({ affinities })).toEqual({
      ...{ node6: ['entry'], node7: ['10.9.1.0/30'], node8: ['10.9.0.0/30'] },
      node9: ['10.9.0.4/30', '10.9.0.8/30'],
    });
  });

  it('takes no node for removed that has a Node in the datastore, or an agent', () => {
    expect(found({ nodes: [nodeKey('node9')], claims: [nodeClaimKey('node8')] })).toEqual({});
  });

  it('takes no node for removed whose Node cannot be read', () => {
    const state = applyChanges(STATE, [{ key: nodeKey('node9'), text: '{' }]);
    expect(Object.keys(found({}, state))).toEqual(['node8']);
  });

  it('never takes its own for removed', () => {
    const state = applyChanges(STATE, [{ key: nodeKey('node1'), text: undefined }]);
    expect(Object.keys(found({}, state))).not.toContain('node1');
  });
});
