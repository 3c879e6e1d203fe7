import { describe, expect, it } from 'vitest';
import { formatCidr } from '../../../../src/base/cidr.ts';
import { parseIpAddress } from '../../../../src/base/ip-address.ts';
import { desiredHost } from '../../../../src/node/desired/desire.ts';
import { isMasqueraded } from '../../../../src/node/desired/nat.ts';
import { clusterOf, felixRecord, poolRecord } from '../records.ts';
import { factsOf, NODES, vxlanPool } from '../three-hosts.ts';

const ADDRESSES = {
  'a pod': '10.77.101.81',
  'a pod of another pool': '10.88.0.9',
  'a tunnel address': '10.77.101.80',
  'another node': '10.50.0.12',
  'this node': '10.50.0.11',
  'the internet': '198.51.100.7',
} as const;

function natOf(natOutgoing: boolean, spec: object) {
  const other = poolRecord('other', '10.88.0.0/24', { disabled: true });
  const pools = [vxlanPool('Always', { natOutgoing }), other];
  return desiredHost(clusterOf('node1', ...NODES, ...pools, felixRecord('default', spec)), factsOf('node1'))
    .nat[4];
}

describe('isMasqueraded()', () => {
  it.each<[boolean, string, readonly (keyof typeof ADDRESSES)[]]>([
    [true, 'IPPoolsOnly', ['another node', 'this node', 'the internet']],
    [true, 'IPPoolsAndHostIPs', ['the internet']],
    [false, 'IPPoolsOnly', []],
    [false, 'IPPoolsAndHostIPs', []],
  ])(
    'natOutgoing %s, natOutgoingExclusions %s: on the way to %j',
    (natOutgoing, natOutgoingExclusions, expected) => {
      const nat = natOf(natOutgoing, { natOutgoingExclusions });
      const source = parseIpAddress('10.77.180.113');
      const masqueraded = Object.entries(ADDRESSES).filter(([, address]) =>
        isMasqueraded(nat, source, parseIpAddress(address)),
      );
      expect(masqueraded.map(([name]) => name)).toEqual(expected);
    },
  );

  it('never for what is not a pod', () => {
    const nat = natOf(true, {});
    expect(isMasqueraded(nat, parseIpAddress('10.50.0.11'), parseIpAddress('198.51.100.7'))).toBe(false);
    expect(isMasqueraded(nat, parseIpAddress('10.88.0.9'), parseIpAddress('198.51.100.7'))).toBe(false);
  });
});

describe('desiredNat()', () => {
  it('has sets without overlap, and leaves out pools for load balancers', () => {
    const cluster = clusterOf(
      'node1',
      ...NODES,
      vxlanPool('Always'),
      poolRecord('inner', '10.77.3.0/24', { natOutgoing: true }),
      poolRecord('services', '10.99.0.0/24', { natOutgoing: true, allowedUses: ['LoadBalancer'] }),
      poolRecord('same', '10.77.0.0/16', {}),
      poolRecord('six', 'fd77::/48', { natOutgoing: true }),
    );
    const { nat } = desiredHost(cluster, factsOf('node1'));
    expect(nat[4].masqueraded.map(formatCidr)).toEqual(['10.77.0.0/16']);
    expect(nat[4].excluded.map(formatCidr)).toEqual(['10.77.0.0/16']);
    expect(nat[6].masqueraded.map(formatCidr)).toEqual(['fd77::/48']);
  });

  it('keeps the source ports of the host out of the way of VXLAN', () => {
    const tunnel = (vxlanPort: number) => natOf(true, { vxlanPort }).tunnels;
    expect(tunnel(4789)).toEqual([{ device: 'vxlan.calico', udpPorts: { first: 4790, last: 65535 } }]);
    expect(tunnel(65535)).toMatchObject([{ udpPorts: { first: 1024, last: 65534 } }]);
  });

  it('takes ports, address and interfaces from the FelixConfiguration', () => {
    const spec = {
      natPortRange: '32768:60999',
      natOutgoingAddress: '203.0.113.5',
      iptablesNATOutgoingInterfaceFilter: 'eth*',
    };
    expect(natOf(true, spec)).toMatchObject({
      ports: { first: 32768, last: 60999 },
      address: parseIpAddress('203.0.113.5'),
      outInterfaces: ['eth*'],
    });
  });
});
