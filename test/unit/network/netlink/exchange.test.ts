import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { attributeText } from '../../../../src/network/netlink/attribute.ts';
import {
  collectAnswer,
  collectDump,
  collectOutcomes,
  collectTransaction,
  type Receive,
} from '../../../../src/network/netlink/exchange.ts';
import {
  type NetlinkMessage,
  type NetlinkRequest,
  NLM_F_ACK_TLVS,
  NLM_F_CAPPED,
  NLM_F_DUMP_INTR,
  NLMSG_DONE,
  NLMSG_ERROR,
} from '../../../../src/network/netlink/header.ts';

const request: NetlinkRequest = { name: 'RTM_NEWROUTE', type: 24, flags: 0, payload: Buffer.alloc(0) };
const { EEXIST, EINVAL } = constants.errno;

function ending(type: number, sequence: number, errno: number, flags = 0): NetlinkMessage {
  const payload = Buffer.alloc(20);
  payload.writeInt32LE(-errno, 0);
  return { type, flags, sequence, payload };
}

const ack = (sequence: number, errno = 0) => ending(NLMSG_ERROR, sequence, errno);
const done = (sequence: number, flags = 0) => ending(NLMSG_DONE, sequence, 0, flags);

function entry(sequence: number, value: number, flags = 0): NetlinkMessage {
  return { type: 24, flags, sequence, payload: Buffer.from([value]) };
}

/** Gives the datagrams one after the other. */
function from(...datagrams: readonly (readonly NetlinkMessage[])[]): Receive {
  const rest = [...datagrams];
  return () => {
    const next = rest.shift();
    if (next === undefined) throw new Error('nothing more comes');
    return next;
  };
}

describe('collectOutcomes()', () => {
  it('gives each request its own outcome, however the replies are packed', () => {
    const outcomes = collectOutcomes(
      [request, request, request],
      7,
      from([ack(7)], [ack(8, EEXIST), ack(9)]),
    );

    expect(outcomes.map((outcome) => outcome?.code)).toEqual([undefined, 'EEXIST', undefined]);
  });

  it('passes over replies to earlier requests', () => {
    expect(collectOutcomes([request], 7, from([ack(6, EEXIST)], [ack(7)]))).toEqual([undefined]);
  });

  it('quotes the kernel', () => {
    const words = attributeText(1, 'Nexthop has invalid gateway');
    const { payload } = ack(7, EINVAL);
    const explained = {
      ...ack(7),
      flags: NLM_F_CAPPED | NLM_F_ACK_TLVS,
      payload: Buffer.concat([payload, words]),
    };

    const [error] = collectOutcomes([request], 7, from([explained]));

    expect(error?.message).toBe(
      'RTM_NEWROUTE: EINVAL: invalid argument; the kernel says: Nexthop has invalid gateway',
    );
  });

  it('finds the words also behind a repeated request', () => {
    const repeated = Buffer.alloc(24);
    repeated.writeInt32LE(-EINVAL, 0);
    repeated.writeUInt32LE(19, 4);
    const payload = Buffer.concat([repeated, attributeText(1, 'words')]);

    const [error] = collectOutcomes([request], 7, from([{ ...ack(7), flags: NLM_F_ACK_TLVS, payload }]));

    expect(error?.message).toMatch(/the kernel says: words$/);
  });
});

describe('collectTransaction()', () => {
  const two = [request, request];

  it('waits for every acknowledgement between the marks', () => {
    expect(() => collectTransaction(two, 7, from([ack(3)], [ack(7)], [ack(8)]))).not.toThrow();
  });

  it('throws what one request was refused with', () => {
    expect(() => collectTransaction(two, 7, from([ack(7), ack(8, EINVAL)]))).toThrow('RTM_NEWROUTE: EINVAL');
  });

  it.each([6, 9])('throws what the whole was refused with, said of mark %i', (sequence) => {
    expect(() => collectTransaction(two, 7, from([ack(sequence, EINVAL)]))).toThrow(
      'the transaction: EINVAL',
    );
  });
});

describe('collectAnswer()', () => {
  it('takes an error that is cut short for one without words', () => {
    const payload = Buffer.alloc(4);
    payload.writeInt32LE(-EINVAL);
    const short = { ...ack(7), flags: NLM_F_ACK_TLVS, payload };
    expect(() => collectAnswer(request, 7, from([short]))).toThrow(/EINVAL: invalid argument$/);
  });

  it('gives the payload, or throws what the kernel refused with', () => {
    expect(collectAnswer(request, 7, from([entry(6, 1)], [entry(7, 2)]))).toEqual(Buffer.from([2]));
    expect(() => collectAnswer(request, 7, from([ack(7, EINVAL)]))).toThrow('RTM_NEWROUTE: EINVAL');
  });
});

describe('collectDump()', () => {
  it('gathers all parts up to the end', () => {
    const parts = from([entry(7, 1), entry(7, 2)], [entry(6, 9)], [entry(7, 3), done(7)]);

    expect(collectDump(request, 7, parts)).toEqual([[1], [2], [3]].map((bytes) => Buffer.from(bytes)));
  });

  it('gives nothing when the table changed meanwhile, but reads to the end', () => {
    expect(collectDump(request, 7, from([entry(7, 1, NLM_F_DUMP_INTR)], [done(7)]))).toBeUndefined();
    expect(collectDump(request, 7, from([entry(7, 1)], [done(7, NLM_F_DUMP_INTR)]))).toBeUndefined();
  });

  it('throws what the kernel refused with, also at the end', () => {
    expect(() => collectDump(request, 7, from([ack(7, EINVAL)]))).toThrow('EINVAL');
    expect(() => collectDump(request, 7, from([ending(NLMSG_DONE, 7, EINVAL)]))).toThrow('EINVAL');
  });
});
