import { describe, expect, it } from 'vitest';
import { hostCidr } from '../../../../src/base/cidr.ts';
import { parseIpAddress } from '../../../../src/base/ip-address.ts';
import { compareHost } from '../../../../src/cli/ipam/kernel-findings.ts';
import { decodeWorkloadEndpoint } from '../../../../src/datastore/codecs/workload-endpoint.ts';
import type { Route } from '../../../../src/network/netlink/route.ts';

const KEY = '/calico/…/node1-cni-c1-eth0';
const spec = { node: 'node1', interfaceName: 'calic1', ipNetworks: ['10.0.0.1/32'] };
const seen = { key: KEY, endpoint: decodeWorkloadEndpoint(JSON.stringify({ spec }), KEY) };

function route(address: string, ifIndex: number): Route {
  const destination = hostCidr(parseIpAddress(address));
  return {
    destination,
    gateway: undefined,
    ifIndex,
    table: 254,
    protocol: 3,
    scope: 253,
    type: 1,
    metric: undefined,
  };
}

const damages = (...args: Parameters<typeof compareHost>) =>
  compareHost(...args).map(({ damage, key }) => `${damage} ${key}`);

describe('compareHost()', () => {
  it('finds nothing where every endpoint has its interface and its route', () => {
    const host = {
      interfaces: new Map([
        ['lo', 1],
        ['calic1', 5],
      ]),
      routes: [route('10.0.0.1', 5)],
    };
    expect(damages([seen], host, 'cali')).toEqual([]);
  });

  it('finds an endpoint without an interface', () => {
    expect(damages([seen], { interfaces: new Map(), routes: [] }, 'cali')).toEqual([
      `endpoint-without-link ${KEY}`,
    ]);
  });

  it.each([
    ['none', []],
    ['one to another interface', [route('10.0.0.1', 6)]],
    ['one to another address', [route('10.0.0.2', 5)]],
  ])('finds an endpoint without a route: %s', (_what, routes) => {
    const host = { interfaces: new Map([['calic1', 5]]), routes };
    expect(damages([seen], host, 'cali')).toEqual([`endpoint-without-route ${KEY}`]);
  });

  it('finds an interface of no endpoint, of those that are named as pods’ are', () => {
    const host = {
      interfaces: new Map([
        ['eth0', 2],
        ['cali9', 7],
        ['tunl0', 3],
      ]),
      routes: [],
    };
    expect(damages([], host, 'cali')).toEqual(['link-without-endpoint cali9']);
  });
});
