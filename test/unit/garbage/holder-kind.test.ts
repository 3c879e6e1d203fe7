import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../../src/base/cidr.ts';
import { holderKind } from '../../../src/garbage/holder-kind.ts';

const TIME = { timestamp: '2026-11-21 10:38:12.699111032 +0000 UTC' };
const NODE = { node: 'node1', ...TIME };
const POD = { ...NODE, pod: 'web', namespace: 'test' };

const seen = (handleId: string, owner: Readonly<Record<string, string>>) => ({
  ...{ block: parseCidr('10.9.0.0/26'), ordinal: 0, sequenceNumber: 1n },
  ...{ handleId, owner },
});

describe('holderKind()', () => {
  it.each([
    ['net.c1', NODE],
    ['net.c1', POD],
    ['a.b.c1', { ...NODE, network: 'a.b' }],
    ['test.web', POD],
  ])('takes %s %o for a container', (handleId, owner) => {
    expect(holderKind(seen(handleId, owner))).toBe('container');
  });

  it.each([
    ['ipip-tunnel-addr-node1', 'ipipTunnelAddress'],
    ['vxlan-tunnel-addr-node1', 'vxlanTunnelAddress'],
    ['vxlan-v6-tunnel-addr-node1', 'vxlanV6TunnelAddress'],
    ['wireguard-tunnel-addr-node1', 'wireguardTunnelAddress'],
    ['wireguard-v6-tunnel-addr-node1', 'wireguardV6TunnelAddress'],
  ])('takes %s of type %s for a tunnel', (handleId, type) => {
    expect(holderKind(seen(handleId, { node: 'node1', type }))).toBe('tunnel');
  });

  it.each([
    ['no node', 'net.c1', TIME],
    ['no time', 'net.c1', { node: 'node1' }],
    ['a time that is none', 'net.c1', { node: 'node1', timestamp: 'yesterday' }],
    ['a pod without its namespace', 'net.c1', { ...NODE, pod: 'web' }],
    ['a note', 'net.c1', { ...NODE, note: 'mine' }],
    ['something that we do not know', 'net.c1', { ...NODE, 'vm-uid': '1' }],
    ['a handle that is no plugin’s', 'reserved', NODE],
    ['a handle of more parts than names have', `net${'.a'.repeat(32)}`, NODE],
    ['a virtual machine', 'net.vmi.test.vm1', POD],
    ['a load balancer', 'lb-0123456789abcdef', { service: 'x', ...NODE }],
    ['a load balancer without attributes', 'lb-a.b', NODE],
    ['a Windows node', 'windows-reserved-ipam-handle', { note: 'windows host rsvd', node: 'node1' }],
    [
      'the tunnel of another node than it says',
      'vxlan-tunnel-addr-node2',
      { node: 'node1', type: 'vxlanTunnelAddress' },
    ],
    ['a tunnel without its type', 'vxlan-tunnel-addr-node1.x', NODE],
  ])('leaves %s alone', (_what, handleId, owner) => {
    expect(holderKind(seen(handleId, owner))).toBe('other');
  });
});
