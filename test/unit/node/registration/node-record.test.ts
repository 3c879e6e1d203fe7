import { describe, expect, it } from 'vitest';
import { newNodeRecord, nodeField, withNodeFields } from '../../../../src/node/registration/node-record.ts';

const KEY = '/calico/resources/v3/projectcalico.org/nodes/node1';
const NODE = {
  kind: 'Node',
  apiVersion: 'projectcalico.org/v3',
  metadata: { name: 'node1', labels: { rack: 'r1' }, uid: '67a0' },
  spec: {
    bgp: { ipv4Address: '10.50.0.11/24', routeReflectorClusterID: '244.0.0.1', future: { a: [1] } },
    ipv4VXLANTunnelAddr: '10.77.180.112',
    wireguard: { interfaceIPv4Address: '10.77.1.1' },
    unknown: 12345678901234567890n,
  },
  status: { wireguardPublicKey: 'x' },
};
const text = (node: object) =>
  JSON.stringify(node, (_name, value) => (typeof value === 'bigint' ? `#${value}#` : value)).replace(
    /"#(\d+)#"/g,
    '$1',
  );

describe('withNodeFields()', () => {
  it('changes what it is told, and keeps everything else as it was', () => {
    const changed = withNodeFields(text(NODE), KEY, {
      bgp: { ipv4Address: '10.50.0.12/24', asNumber: 64_512 },
      spec: { ipv4VXLANTunnelAddr: undefined },
    });
    const { ipv4VXLANTunnelAddr: _gone, ...spec } = NODE.spec;
    const bgp = { asNumber: 64_512, ...NODE.spec.bgp, ipv4Address: '10.50.0.12/24' };
    expect(changed).toBe(text({ ...NODE, spec: { ...spec, bgp } }));
  });

  it('gives nothing when nothing changes', () => {
    expect(withNodeFields(text(NODE), KEY, { bgp: { ipv4Address: '10.50.0.11/24' } })).toBeUndefined();
    expect(withNodeFields(text(NODE), KEY, { spec: { ipv6VXLANTunnelAddr: undefined } })).toBeUndefined();
    expect(withNodeFields('{}', KEY, {})).toBeUndefined();
  });

  it('leaves out a bgp without fields', () => {
    const node = { ...NODE, spec: { bgp: { ipv4Address: '10.50.0.11/24' }, orchRefs: [] } };
    expect(withNodeFields(text(node), KEY, { bgp: { ipv4Address: undefined } })).toBe(
      text({ ...NODE, spec: { orchRefs: [] } }),
    );
  });

  it('begins a spec where there is none, or null', () => {
    const wanted = '{"metadata":{},"spec":{"bgp":{"ipv4Address":"10.0.0.1/8"}}}';
    expect(withNodeFields('{"metadata":{}}', KEY, { bgp: { ipv4Address: '10.0.0.1/8' } })).toBe(wanted);
    expect(withNodeFields('{"metadata":{},"spec":null}', KEY, { bgp: { ipv4Address: '10.0.0.1/8' } })).toBe(
      wanted,
    );
  });

  it.each(['', '[]', '{"spec":3}', '{"spec":{"bgp":[]}}'])(
    'does not touch what it does not understand: %s',
    (damaged) => {
      expect(() => withNodeFields(damaged, KEY, { bgp: { ipv4Address: '10.0.0.1/8' } })).toThrow(
        expect.objectContaining({ kind: 'corrupt', message: expect.stringContaining(KEY) }),
      );
    },
  );
});

describe('newNodeRecord()', () => {
  it('writes what Calico writes', () => {
    const identity = { name: 'node1', uid: '67a0', creationTimestamp: '2026-11-21T11:49:18Z' };
    const spec = { ipv4VXLANTunnelAddr: '10.77.180.112' };
    expect(newNodeRecord(identity, { bgp: { ipv4Address: '10.50.0.11/24' }, spec })).toBe(
      '{"kind":"Node","apiVersion":"projectcalico.org/v3","metadata":{"name":"node1","uid":"67a0","creationTimestamp":"2026-11-21T11:49:18Z"},' +
        '"spec":{"bgp":{"ipv4Address":"10.50.0.11/24"},"ipv4VXLANTunnelAddr":"10.77.180.112"}}',
    );
  });
});

it('nodeField() reads texts of any depth, and nothing else', () => {
  expect(nodeField(text(NODE), KEY, 'bgp', 'ipv4Address')).toBe('10.50.0.11/24');
  expect(nodeField(text(NODE), KEY, 'ipv4VXLANTunnelAddr')).toBe('10.77.180.112');
  for (const path of [['bgp'], ['bgp', 'future'], ['nothing', 'at', 'all'], ['unknown']]) {
    expect(nodeField(text(NODE), KEY, ...path)).toBeUndefined();
  }
});
