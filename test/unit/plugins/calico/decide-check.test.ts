import { describe, expect, it } from 'vitest';
import { formatMismatch } from '../../../../src/base/mismatch.ts';
import { cniErrorOf } from '../../../../src/cni/error.ts';
import { readAll } from '../../../../src/datastore/read-all.ts';
import { type CheckInputs, checkRanges, decideCheck } from '../../../../src/plugins/calico/decide-check.ts';
import { madeAttachment } from '../../../../src/plugins/calico/made-attachment.ts';
import { chainResult } from '../../../support/chain-result.ts';
import { deadline } from '../../../support/clock.ts';
import { createMemoryStore } from '../../../support/memory-store.ts';
import { smallCluster } from '../../../support/small-cluster.ts';

const RESOURCES = '/calico/resources/v3/projectcalico.org';
const ENDPOINT = `${RESOURCES}/workloadendpoints/default/node1-cni-0a1b-eth0`;
const PROFILE = `${RESOURCES}/profiles/net1`;
const OBJECT = 'workload endpoint default/node1-cni-0a1b-eth0';

const made = madeAttachment(chainResult, 'eth0', { usual: 'cali1', alternative: 'cali2' });
const INPUTS: CheckInputs = {
  ids: {
    ...{ orchestrator: 'cni', nodeName: 'node1', namespace: 'default' },
    ...{ containerId: '0a1b', ifName: 'eth0', podName: undefined },
  },
  made,
  tuning: { formerMac: undefined, formerMtu: undefined },
  profile: 'net1',
  allocation: undefined,
  mayBeWithoutIpam: false,
};

const SPEC = {
  ...{ orchestrator: 'cni', node: 'node1', containerID: '0a1b', endpoint: 'eth0', profiles: ['net1'] },
  ...{ ipNetworks: ['10.9.0.1/32', 'fd00:9::1/128'], interfaceName: 'cali1', mac: '02:00:00:00:00:01' },
};

function values(spec: object = {}, others: Readonly<Record<string, string>> = { [PROFILE]: '{}' }) {
  const metadata = { name: 'node1-cni-0a1b-eth0', namespace: 'default' };
  const endpoint = JSON.stringify({ metadata, spec: { ...SPEC, ...spec } });
  return new Map([...smallCluster({}), [ENDPOINT, endpoint], ...Object.entries(others)]);
}

async function decide(stored: ReadonlyMap<string, string>, changes: Partial<CheckInputs> = {}) {
  const inputs = { ...INPUTS, ...changes };
  const view = await readAll(createMemoryStore(stored), checkRanges(inputs), deadline());
  return decideCheck(inputs, view, () => undefined).map(formatMismatch);
}

describe('decideCheck()', () => {
  it.each<[string, ReadonlyMap<string, string>, Partial<CheckInputs>?]>([
    ['the records of an ADD', values()],
    ['an endpoint with more addresses', values({ ipNetworks: [...SPEC.ipNetworks, '10.8.0.1/32'] })],
    ['an endpoint without container ID or MAC', values({ containerID: undefined, mac: undefined })],
    ['a MAC in other letters', values({ mac: '02:00:00:00:00:01'.toUpperCase() })],
    [
      'the MAC that the interface had before it was tuned',
      values({ mac: '02:00:00:00:00:99' }),
      { tuning: { formerMac: '02:00:00:00:00:99', formerMtu: undefined } },
    ],
    ['any MAC where the result tells none', values(), { made: { ...made, mac: undefined } }],
    ['no profile where Kubernetes has them', values({}, {}), { profile: undefined }],
    ['no profile where the endpoint does not name it', values({ profiles: ['other'] }, {})],
  ])('accepts %s', async (_what, stored, changes) => {
    expect(await decide(stored, changes)).toEqual([]);
  });

  it.each<[string, ReadonlyMap<string, string>, readonly string[]]>([
    ['no endpoint', smallCluster({}), [`${OBJECT}: expected present, found missing`]],
    [
      'another interface',
      values({ interfaceName: 'cali7' }),
      [`${OBJECT}: expected interface cali1, found interface cali7`],
    ],
    [
      'no interface at all',
      values({ interfaceName: undefined }),
      [`${OBJECT}: expected interface cali1, found interface none`],
    ],
    [
      'another MAC',
      values({ mac: '02:00:00:00:00:99' }),
      [`${OBJECT}: expected mac 02:00:00:00:00:01, found mac 02:00:00:00:00:99`],
    ],
    [
      'other addresses',
      values({ ipNetworks: ['10.8.0.1/32', '10.8.0.2/32'] }),
      [
        `${OBJECT}: expected address 10.9.0.1, found address 10.8.0.1 and 10.8.0.2`,
        `${OBJECT}: expected address fd00:9::1, found address 10.8.0.1 and 10.8.0.2`,
      ],
    ],
    ['no profile', values({}, {}), ['profile net1: expected present, found missing']],
    [
      'all of it at once',
      values({ interfaceName: 'cali7', mac: '02:00:00:00:00:99', ipNetworks: ['10.9.0.1/32'] }, {}),
      [
        `${OBJECT}: expected interface cali1, found interface cali7`,
        `${OBJECT}: expected mac 02:00:00:00:00:01, found mac 02:00:00:00:00:99`,
        `${OBJECT}: expected address fd00:9::1, found address 10.9.0.1`,
        'profile net1: expected present, found missing',
      ],
    ],
  ])('finds %s', async (_what, stored, expected) => {
    expect(await decide(stored)).toEqual(expected);
  });

  it('answers code 3 where the endpoint is another container’s', async () => {
    const error = await decide(values({ containerID: 'newer' })).catch((thrown: unknown) => thrown);
    expect(cniErrorOf(error)).toMatchObject({
      code: 3,
      msg: `${OBJECT}: expected container 0a1b, found container newer`,
    });
  });

  it.each([
    ['is not ready', JSON.stringify({ spec: { datastoreReady: false } }), 'unavailable'],
    ['holds no cluster', undefined, 'not-found'],
  ])('gives no verdict where the datastore %s', async (_what, information, kind) => {
    const stored = values();
    const key = `${RESOURCES}/clusterinformations/default`;
    if (information === undefined) stored.delete(key);
    else stored.set(key, information);
    await expect(decide(stored)).rejects.toMatchObject({ kind });
  });

  describe('with our own allocator', () => {
    const allocation = {
      ...{ addresses: made.addresses, handleIds: ['net1.0a1b', '0a1b'], machinePrefix: 'net1.vmi.' },
    };
    const unallocated = [
      'address 10.9.0.1: expected allocated to handle net1.0a1b, found no block that holds it',
      'address fd00:9::1: expected allocated to handle net1.0a1b, found no block that holds it',
      'handle net1.0a1b: expected present, found missing',
    ];

    it('finds that the addresses are nobody’s', async () => {
      expect(await decide(values(), { allocation })).toEqual(unallocated);
    });

    it('accepts that where the pod may have brought them along', async () => {
      expect(await decide(values(), { allocation, mayBeWithoutIpam: true })).toEqual([]);
    });

    it('but not where a record says that it has not', async () => {
      const handle = { '/calico/ipam/v2/handle/net1.0a1b': '{"block":{"10.9.0.0/29":1},"deleted":false}' };
      const stored = values({}, { [PROFILE]: '{}', ...handle });
      expect(await decide(stored, { allocation, mayBeWithoutIpam: true })).toEqual(unallocated.slice(0, 2));
    });
  });
});
