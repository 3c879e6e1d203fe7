/** Answers of the kernel, cut short or of a shape that a later one may have. */

import fc from 'fast-check';
import { describe, it } from 'vitest';
import { parseCidr } from '../../src/base/cidr.ts';
import { parseIpAddress } from '../../src/base/ip-address.ts';
import { parseMacAddress } from '../../src/base/mac-address.ts';
import { isKernelError } from '../../src/network/kernel-error.ts';
import { decodeAddress, encodeAddress } from '../../src/network/netlink/address.ts';
import { decodeAttributes, readS32, readText, readU32 } from '../../src/network/netlink/attribute.ts';
import {
  collectAnswer,
  collectDump,
  collectOutcomes,
  type Receive,
} from '../../src/network/netlink/exchange.ts';
import {
  decodeMessages,
  encodeMessage,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLM_F_DUMP_INTR,
  NLMSG_DONE,
  NLMSG_ERROR,
} from '../../src/network/netlink/header.ts';
import { decodeLink, encodeLink } from '../../src/network/netlink/link.ts';
import { decodeNeighbour, encodeNeighbour } from '../../src/network/netlink/neighbour.ts';
import { decodeNetnsId, getNetnsId } from '../../src/network/netlink/netns-id.ts';
import { replyError } from '../../src/network/netlink/reply.ts';
import { decodeRoute, encodeRoute } from '../../src/network/netlink/route.ts';
import { survives } from '../support/fuzz.ts';
import { mangledBytes } from '../support/mangled.ts';

const ifIndex = 7;
const address = parseIpAddress('10.9.0.1');
const mac = parseMacAddress('aa:bb:cc:dd:ee:ff');
const flags = { table: 300, protocol: 3, scope: 253, type: 1, metric: 7 };
const LINK = encodeLink({
  ifIndex,
  name: 'cali1',
  kind: 'veth',
  mac,
  mtu: 1440,
  isUp: true,
  peerIfIndex: 3,
  peerNetnsId: 0,
});
const ADDRESS = encodeAddress({ ifIndex, network: { address, prefixLength: 32 }, scope: 0, flags: 0x80 });
const ROUTES = ['10.9.0.0/26', 'fd00::/122', '0.0.0.0/0'].map((cidr) =>
  encodeRoute({ destination: parseCidr(cidr), gateway: address, ifIndex, ...flags }),
);
const NEIGHBOUR = encodeNeighbour({ ifIndex, address, mac, state: 0x80 });
const EXPLAINED = Buffer.concat([
  Buffer.from('ebffffff', 'hex'),
  Buffer.alloc(16),
  Buffer.from('08000100 6e6f2100'.replace(' ', ''), 'hex'),
]);

describe('a payload', () => {
  it.each<[string, readonly Buffer[], (payload: Buffer) => unknown]>([
    ['decodeLink()', [LINK], decodeLink],
    ['decodeAddress()', [ADDRESS], decodeAddress],
    ['decodeRoute()', ROUTES, decodeRoute],
    ['decodeNeighbour()', [NEIGHBOUR], decodeNeighbour],
    ['decodeNetnsId()', [Buffer.from(getNetnsId(3).payload)], decodeNetnsId],
  ])('is taken or refused by %s', (_name, samples, decode) => {
    survives(mangledBytes(samples), decode);
  });

  it('has attributes, or none', () => {
    survives(mangledBytes([LINK.subarray(16), ROUTES[0]?.subarray(12) ?? LINK]), (payload) => {
      for (const value of decodeAttributes(payload).values())
        [readU32(value), readS32(value), readText(value)];
    });
  });
});

const request = { name: 'RTM_GETLINK', type: 18, flags: 0, payload: Buffer.alloc(0) };
const payloads = mangledBytes([LINK, EXPLAINED, Buffer.alloc(20), Buffer.alloc(4)]);
const datagrams = fc
  .array(
    fc
      .record({
        type: fc.constantFrom(16, NLMSG_ERROR, NLMSG_DONE),
        flags: fc.constantFrom(0, 2, NLM_F_ACK_TLVS, NLM_F_CAPPED | NLM_F_ACK_TLVS, NLM_F_DUMP_INTR),
        sequence: fc.nat(3),
        payload: payloads,
      })
      .map(encodeMessage),
    { maxLength: 4 },
  )
  .map((messages) => Buffer.concat(messages));

describe('a datagram', () => {
  it('has messages that say what went wrong, or nothing', () => {
    survives(datagrams, (bytes) =>
      decodeMessages(bytes).map((message) => replyError(message, 'RTM_GETLINK')),
    );
  });

  it('has messages, or a broken rest', () => {
    survives(
      mangledBytes([encodeMessage({ type: 16, flags: 2, sequence: 1, payload: LINK })]),
      decodeMessages,
    );
  });

  it.each<[string, (receive: Receive) => unknown]>([
    ['collectAnswer()', (receive) => collectAnswer(request, 1, receive)],
    ['collectDump()', (receive) => collectDump(request, 1, receive)],
    ['collectOutcomes()', (receive) => collectOutcomes([request, request], 1, receive)],
  ])('ends what %s waits for, or does not', (_name, collect) => {
    survives(
      fc.array(datagrams, { maxLength: 5 }),
      ([...rest]) =>
        collect(() => {
          const bytes = rest.shift();
          if (bytes === undefined) throw SILENCE;
          return decodeMessages(bytes);
        }),
      (error) => error === SILENCE || isKernelError(error),
    );
  });
});

/** Nothing more comes. */
const SILENCE = new Error('silence');
