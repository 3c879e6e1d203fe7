/** Values that Calico itself wrote survive decode and encode byte for byte. */

import { describe, expect, it } from 'vitest';
import { decodeAffinity, encodeAffinity } from '../../../../src/datastore/codecs/affinity.ts';
import { decodeBlock, encodeBlock } from '../../../../src/datastore/codecs/block.ts';
import { decodeDatastoreReady } from '../../../../src/datastore/codecs/cluster-information.ts';
import { decodeHandle, encodeHandle } from '../../../../src/datastore/codecs/handle.ts';
import { decodeIpPool } from '../../../../src/datastore/codecs/ip-pool.ts';
import { decodeIpamNode } from '../../../../src/datastore/codecs/node.ts';
import { encodeProfile } from '../../../../src/datastore/codecs/profile.ts';
import {
  decodeWorkloadEndpoint,
  encodeWorkloadEndpoint,
} from '../../../../src/datastore/codecs/workload-endpoint.ts';
import { calicoValues } from '../../../support/calico-states.ts';

const roundTrips = [
  [
    'blocks',
    /\/assignment\/ipv[46]\/block\//,
    (text: string, key: string) => encodeBlock(decodeBlock(text, key)),
  ],
  [
    'affinities',
    /\/ipam\/v2\/host\//,
    (text: string, key: string) => encodeAffinity(decodeAffinity(text, key)),
  ],
  ['handles', /\/ipam\/v2\/handle\//, (text: string, key: string) => encodeHandle(decodeHandle(text, key))],
  [
    'workload endpoints',
    /\/workloadendpoints\//,
    (text: string, key: string) => encodeWorkloadEndpoint(decodeWorkloadEndpoint(text, key)),
  ],
] as const;

describe.each(roundTrips)('%s written by Calico', (_name, pattern, roundTrip) => {
  const values = calicoValues(pattern);

  it('are among the fixtures', () => {
    expect(values.length).toBeGreaterThan(0);
  });

  it.each(values)('come out of decode and encode as they went in: $step $key', ({ key, value }) => {
    expect(roundTrip(value, key)).toBe(value);
  });
});

describe('objects that are only read', () => {
  it.each(calicoValues(/\/ippools\//))('decodes pool $key of step $step', ({ key, value }) => {
    expect(decodeIpPool(value, key)).toMatchObject({ enabled: true, automatic: true, nodeSelector: 'all()' });
  });

  it.each(calicoValues(/\/nodes\/node1$/))('decodes node $key of step $step', ({ key, value }) => {
    expect(decodeIpamNode(value, key)).toEqual({ name: 'node1', labels: { rack: 'a' } });
  });

  it.each(calicoValues(/\/clusterinformations\//))('decodes $key of step $step', ({ key, value }) => {
    expect(decodeDatastoreReady(value, key)).toBe(true);
  });
});

describe('encodeProfile()', () => {
  it.each(calicoValues(/\/profiles\//))('writes what Calico writes: $step', ({ value }) => {
    const { metadata } = JSON.parse(value);
    expect(encodeProfile({ ...metadata, ingressFromSameNetworkOnly: true })).toBe(value);
  });

  it('lets everything in under Kubernetes', () => {
    const text = encodeProfile({
      name: 'net1',
      uid: 'u',
      creationTimestamp: 't',
      ingressFromSameNetworkOnly: false,
    });
    expect(JSON.parse(text).spec.ingress).toEqual([{ action: 'Allow' }]);
  });
});
