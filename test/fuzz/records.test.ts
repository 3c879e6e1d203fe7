/** Values of the datastore that are damaged, or that another version or program has written. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeAffinity, encodeAffinity } from '../../src/datastore/codecs/affinity.ts';
import { decodeBlock, encodeBlock } from '../../src/datastore/codecs/block.ts';
import { decodeDatastoreReady } from '../../src/datastore/codecs/cluster-information.ts';
import { decodeHandle, encodeHandle } from '../../src/datastore/codecs/handle.ts';
import { decodeIpPool } from '../../src/datastore/codecs/ip-pool.ts';
import { decodeIpReservation } from '../../src/datastore/codecs/ip-reservation.ts';
import { decodeIpamConfig } from '../../src/datastore/codecs/ipam-config.ts';
import { decodeIpamNode } from '../../src/datastore/codecs/node.ts';
import {
  decodeWorkloadEndpoint,
  encodeWorkloadEndpoint,
} from '../../src/datastore/codecs/workload-endpoint.ts';
import { cidrOfKey, handleIdOfKey } from '../../src/datastore/keys.ts';
import { isReportOn } from '../../src/readiness/policy-status.ts';
import { calicoValues } from '../support/calico-states.ts';
import { survives } from '../support/fuzz.ts';
import { mangledJson, mangledText } from '../support/mangled.ts';

const KEY = '/calico/some/key';

function samples(key: RegExp): readonly unknown[] {
  return calicoValues(key).map(({ value }) => JSON.parse(value));
}

const reservation = {
  kind: 'IPReservation',
  spec: { reservedCIDRs: ['10.9.0.1', '10.9.0.8/30', 'fd00::1'] },
};
const fullEndpoint = {
  metadata: { name: 'web', namespace: 'default', labels: { a: 'b' } },
  spec: {
    orchestrator: 'k8s',
    ipNetworks: ['10.9.0.1/32'],
    ports: [{ name: 'http', protocol: 'TCP', port: 80, hostPort: 0, hostIP: '' }],
    ipNATs: [{ internalIP: '10.9.0.1', externalIP: '172.16.0.1' }],
    allowSpoofedSourcePrefixes: ['10.0.0.0/8'],
    qosControls: { ingressBandwidth: 1000, dscp: 'EF' },
  },
};

describe('each of these readers', () => {
  it.each<[string, RegExp | readonly unknown[], (text: string, key: string) => unknown]>([
    ['decodeDatastoreReady()', /clusterinformations/, decodeDatastoreReady],
    ['decodeIpamNode()', /\/nodes\//, decodeIpamNode],
    ['decodeIpPool()', /ippools/, decodeIpPool],
    ['decodeIpamConfig()', [{ strict_affinity: false, maxBlocksPerHost: 2 }], decodeIpamConfig],
    ['decodeIpReservation()', [reservation], decodeIpReservation],
  ])('%s takes or refuses whatever the datastore holds', (_name, valid, decode) => {
    const values = valid instanceof RegExp ? samples(valid) : valid;
    expect(values).not.toEqual([]);
    survives(mangledJson(values), (text) => decode(text, KEY));
  });

  // Members that nobody here understands, too; what Go leaves out when it is empty is left out.
  it.each<[string, readonly unknown[], (text: string, key: string) => never, (value: never) => string]>([
    ['decodeBlock()', samples(/\/block\/.*-\d+$/).slice(0, 20), decodeBlock as never, encodeBlock],
    ['decodeAffinity()', [{ state: 'confirmed', deleted: false }], decodeAffinity as never, encodeAffinity],
    ['decodeHandle()', samples(/\/handle\//).slice(0, 9), decodeHandle as never, encodeHandle],
    [
      'decodeWorkloadEndpoint()',
      [fullEndpoint, ...samples(/workloadendpoints/).slice(0, 9)],
      decodeWorkloadEndpoint as never,
      encodeWorkloadEndpoint,
    ],
  ])('%s takes or refuses it, and writes back what it took', (_name, valid, decode, encode) => {
    expect(valid).not.toEqual([]);
    survives(mangledJson(valid), (text) => {
      const written = encode(decode(text, KEY));
      expect(encode(decode(written, KEY))).toBe(written);
    });
  });

  it('cidrOfKey() and handleIdOfKey() take any key', () => {
    const keys = mangledText([
      '/calico/ipam/v2/assignment/ipv4/block/10.9.0.0-30',
      '/calico/ipam/v2/assignment/ipv6/block/fd00::-122',
      '/calico/ipam/v2/handle/net.abc',
    ]);
    survives(keys, (key) => [cidrOfKey(key), handleIdOfKey(key)]);
  });

  it('isReportOn() takes whatever Felix has written', () => {
    const endpoint = {
      orchestrator: 'k8s',
      namespace: 'default',
      podName: 'web',
      endpoint: 'eth0',
      mac: 'aa:bb:cc:dd:ee:ff',
      ipNetworks: [],
    };
    const report = { ifaceName: 'cali1', mac: endpoint.mac, ipv4Nets: ['10.9.0.1/32'], ipv6Nets: [] };
    survives(fc.oneof(mangledJson([report]), fc.constant('')), (text) => isReportOn(text, endpoint));
  });
});
