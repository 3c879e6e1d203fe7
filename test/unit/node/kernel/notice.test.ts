import { describe, expect, it } from 'vitest';
import { parseCidr } from '../../../../src/base/cidr.ts';
import { parseIpAddress } from '../../../../src/base/ip-address.ts';
import { parseMacAddress } from '../../../../src/base/mac-address.ts';
import { attributeText } from '../../../../src/network/netlink/attribute.ts';
import { encodeForwarding } from '../../../../src/network/netlink/fdb.ts';
import { encodeLink } from '../../../../src/network/netlink/link.ts';
import { encodeNeighbour } from '../../../../src/network/netlink/neighbour.ts';
import { filterRequest } from '../../../../src/network/netlink/nftables/message.ts';
import { encodeRoute, type Route } from '../../../../src/network/netlink/route.ts';
import { changedTable, outdatedBy, podRouteLost } from '../../../../src/node/kernel/notice.ts';

/** Routes of interest are those in 10.9.0.0/16, and go with interface 7. */
const OURS = {
  names: ['vxlan.calico'],
  indexes: new Set([7]),
  isOfInterest: ({ destination }: Route) => destination.base >> 16n === 0x0a09n,
  isToPod: ({ destination }: Route) => destination.base >> 16n === 0x0a08n,
  carriesAny: (ifIndex: number) => ifIndex === 7,
};
const OWN_PORT = 4242;
const mac = parseMacAddress('66:a4:6f:e0:c4:da');
const address = parseIpAddress('10.77.161.192');

function link(name: string, ifIndex = 7): Buffer {
  const rest = {
    kind: undefined,
    mac,
    mtu: 1500,
    isUp: true,
    peerIfIndex: undefined,
    peerNetnsId: undefined,
  };
  return encodeLink({ ifIndex, name, ...rest });
}

function route(table: number, destination = '10.9.0.0/26'): Buffer {
  const kind = { table, protocol: 3, scope: 0, type: 1, metric: undefined };
  return encodeRoute({ destination: parseCidr(destination), gateway: address, ifIndex: 7, ...kind });
}

const neighbour = (ifIndex: number, state: number) => encodeNeighbour({ ifIndex, address, mac, state });

describe('outdatedBy()', () => {
  it.each<[string, number, Buffer, readonly string[]]>([
    ['a link of others that carries routes', 16, link('eth0'), ['links', 'routes']],
    ['a link of others that carries none', 16, link('cali1', 8), ['links']],
    ['a link of ours', 17, link('vxlan.calico'), ['links', 'neighbours', 'fdb', 'routes']],
    ['an address beside routes', 21, Buffer.from([2, 32, 0, 0, 7, 0, 0, 0]), ['links', 'routes']],
    ['an address elsewhere', 21, Buffer.from([2, 32, 0, 0, 8, 0, 0, 0]), ['links']],
    ['a route of the main table', 24, route(254), ['routes']],
    ['a route that goes, perhaps with its link', 25, route(254), ['links', 'routes']],
    ['a route that does not matter', 24, route(254, '10.8.0.1/32'), []],
    ['a route of another table', 25, route(255), []],
    ['a permanent neighbour of ours', 28, neighbour(7, 0x80), ['neighbours']],
    ['a neighbour of ours that is not permanent', 28, neighbour(7, 0x02), []],
    ['a neighbour of ours that goes, perhaps with its link', 29, neighbour(7, 0x02), ['links', 'neighbours']],
    ['a neighbour on another link', 29, neighbour(2, 0x80), []],
    [
      'a forwarding entry of ours',
      28,
      encodeForwarding({ ifIndex: 7, mac, remote: address, state: 0x80 }),
      ['fdb'],
    ],
    [
      'a forwarding entry of ours that goes, perhaps with its link',
      29,
      encodeForwarding({ ifIndex: 7, mac, remote: address, state: 0x80 }),
      ['links', 'fdb'],
    ],
    [
      'a forwarding entry elsewhere',
      29,
      encodeForwarding({ ifIndex: 9, mac, remote: address, state: 0x80 }),
      [],
    ],
    ['a switch', 80, Buffer.alloc(4), ['switches']],
    ['anything else', 99, Buffer.alloc(4), []],
  ])('knows what %s means', (_what, type, payload, parts) => {
    expect(outdatedBy({ type, flags: 0, sequence: 0, payload }, OURS, OWN_PORT)).toEqual(parts);
  });

  it.each([21, 25, 28])('is not told what we have done ourselves, in message %i', (type) => {
    const payload = type === 28 ? neighbour(7, 0x80) : route(254);

    expect(outdatedBy({ type, flags: 0, sequence: 0, portId: OWN_PORT, payload }, OURS, OWN_PORT)).toEqual(
      [],
    );
  });
});

describe('changedTable()', () => {
  const notice = (table: string, family: 4 | 6, portId: number | undefined) => {
    const { type, payload } = filterRequest('NEWRULE', family, 0, [attributeText(1, table)]);
    return { type, flags: 0, sequence: 0, portId, payload: Buffer.from(payload) };
  };

  it('is the family of our table, when somebody else has changed it', () => {
    expect(changedTable(notice('calico-node', 4, 77), 'calico-node', OWN_PORT)).toBe(4);
    expect(changedTable(notice('calico-node', 6, undefined), 'calico-node', undefined)).toBe(6);
    expect(changedTable(notice('calico-node', 4, OWN_PORT), 'calico-node', OWN_PORT)).toBeUndefined();
    expect(changedTable(notice('filter', 4, 77), 'calico-node', OWN_PORT)).toBeUndefined();
    const aRoute = { type: 24, flags: 0, sequence: 0, payload: route(254) };
    expect(changedTable(aRoute, 'calico-node', OWN_PORT)).toBeUndefined();
  });
});

describe('podRouteLost()', () => {
  const told = (type: number, payload: Buffer, portId = 1) =>
    podRouteLost({ type, flags: 0, sequence: 0, portId, payload }, OURS, OWN_PORT);

  it('tells the interface of a pod whose route somebody else has taken away', () => {
    expect(told(25, route(254, '10.8.0.1/32'))).toBe(7);
  });

  it.each<[string, number, Buffer, number?]>([
    ['a route that comes', 24, route(254, '10.8.0.1/32')],
    ['what we have done ourselves', 25, route(254, '10.8.0.1/32'), OWN_PORT],
    ['another table', 25, route(255, '10.8.0.1/32')],
    ['a route to no pod', 25, route(254, '10.9.0.0/26')],
  ])('passes over %s', (_, type, payload, portId) => {
    expect(told(type, payload, portId)).toBeUndefined();
  });
});
