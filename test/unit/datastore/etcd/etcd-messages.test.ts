import fc from 'fast-check';
import type protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { etcdProtocol } from '../../../../build/generate-etcd-messages.ts';
import {
  type Compare,
  type RequestOp,
  readAuthenticateResponse,
  readTxnResponse,
  readWatchResponse,
  type TxnRequest,
  type WatchRequest,
  writeAuthenticateRequest,
  writeTxnRequest,
  writeWatchRequest,
} from '../../../../src/datastore/etcd/etcd-messages.ts';
import { finishMessage, newMessage, type Writer } from '../../../../src/grpc/protobuf/writer.ts';

/** protobufjs is the reference: it is what etcd3 uses. */
const protocol = etcdProtocol();
const reference = (name: string): protobuf.Type => protocol.lookupType(`etcdserverpb.${name}`);
const AS_ETCD3 = { longs: String, enums: String, defaults: true, arrays: true } as const;

function written<T>(write: (writer: Writer, message: T) => void, message: T): Buffer {
  const writer = newMessage();
  write(writer, message);
  return finishMessage(writer);
}

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const revision = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String);
/** Half of all 64-bit numbers have 63 bits: small ones are what etcd sends. */
const anyRevision = fc.oneof(
  revision,
  fc.nat().map(String),
  fc.constantFrom('0', '127', '128', '9007199254740993'),
);
const optional: { requiredKeys: [] } = { requiredKeys: [] };

const requestOp: fc.Arbitrary<RequestOp> = fc.oneof(
  fc
    .record({ key: bytes, range_end: bytes, limit: anyRevision, keys_only: fc.boolean() }, optional)
    .map((request_range) => ({ request_range })),
  fc.record({ key: bytes, value: bytes }, optional).map((request_put) => ({ request_put })),
  fc.record({ key: bytes }, optional).map((request_delete_range) => ({ request_delete_range })),
);
const compare: fc.Arbitrary<Compare> = fc.record(
  {
    result: fc.constantFrom('Equal', 'Greater', 'Less', 'NotEqual'),
    target: fc.constantFrom('Version', 'Create', 'Mod', 'Value', 'Lease'),
    key: bytes,
    mod_revision: anyRevision,
  },
  optional,
);
const txnRequest: fc.Arbitrary<TxnRequest> = fc.record(
  { compare: fc.array(compare), success: fc.array(requestOp), failure: fc.array(requestOp) },
  optional,
);

describe('writeTxnRequest()', () => {
  it('writes what protobufjs writes', () => {
    const type = reference('TxnRequest');
    fc.assert(
      fc.property(txnRequest, (request) => {
        const expected = type.encode(type.fromObject(request)).finish();
        expect(written(writeTxnRequest, request).toString('hex')).toBe(Buffer.from(expected).toString('hex'));
      }),
    );
  });

  it('says of a key that does not exist yet that its revision is 0', () => {
    const request = { compare: [{ key: Buffer.from('/a'), mod_revision: '0' }] };
    const { compare: compares } = reference('TxnRequest').toObject(
      reference('TxnRequest').decode(written(writeTxnRequest, request)),
      { longs: String, oneofs: true },
    );
    expect(compares[0]).toMatchObject({ target_union: 'mod_revision', mod_revision: '0' });
  });
});

const header = fc.record(
  { cluster_id: revision, member_id: revision, revision: anyRevision, raft_term: revision },
  optional,
);
const keyValue = fc.record(
  {
    key: bytes,
    create_revision: anyRevision,
    mod_revision: anyRevision,
    version: anyRevision,
    value: bytes,
    lease: anyRevision,
  },
  optional,
);
const responseOp = fc.oneof(
  fc
    .record({ header, kvs: fc.array(keyValue), more: fc.boolean(), count: anyRevision }, optional)
    .map((response_range) => ({ response_range })),
  fc.record({ header, prev_kv: keyValue }, optional).map((response_put) => ({ response_put })),
  fc
    .record({ header, deleted: anyRevision, prev_kvs: fc.array(keyValue) }, optional)
    .map((response_delete_range) => ({ response_delete_range })),
);
const txnResponse = fc.record({ header, succeeded: fc.boolean(), responses: fc.array(responseOp) }, optional);

/** As a number of 64 bits with a sign, which is how we read all of them. */
function signed(unsigned: string): string {
  return BigInt.asIntN(64, BigInt(unsigned)).toString();
}

/** What protobufjs reads, as far as we ask for it. */
function referenceTxnResponse(encoded: Uint8Array): unknown {
  const type = reference('TxnResponse');
  const { header: read, succeeded, responses } = type.toObject(type.decode(encoded), AS_ETCD3);
  return {
    header: read ? { cluster_id: signed(read.cluster_id), revision: read.revision } : undefined,
    succeeded,
    responses: responses.map(
      ({ response_range: range }: { response_range?: { kvs: Record<string, unknown>[] } }) => ({
        response_range: range
          ? { kvs: range.kvs.map(({ key, mod_revision, value }) => ({ key, mod_revision, value })) }
          : undefined,
      }),
    ),
  };
}

describe('readTxnResponse()', () => {
  it('reads what protobufjs reads, and passes over the rest', () => {
    const type = reference('TxnResponse');
    fc.assert(
      fc.property(txnResponse, (response) => {
        const encoded = Buffer.from(type.encode(type.fromObject(response)).finish());
        expect(readTxnResponse(encoded)).toEqual(referenceTxnResponse(encoded));
      }),
    );
  });

  it('passes over fields of every kind that future etcds may send', () => {
    const unknown = [
      'f8ffffff0f01',
      'f9ffffff0f0102030405060708',
      'faffffff0f03616263',
      'fdffffff0f01020304',
    ];
    const encoded = Buffer.from(`${unknown.join('')}1001${unknown.join('')}`, 'hex');
    expect(readTxnResponse(encoded)).toEqual({ header: undefined, succeeded: true, responses: [] });
  });

  it('says so, at every place, when the message is cut', () => {
    const type = reference('TxnResponse');
    const message = {
      header: { revision: 5 },
      succeeded: true,
      responses: [{ response_range: { kvs: [{ key: Buffer.from('/a'), value: Buffer.alloc(200) }] } }],
    };
    const encoded = Buffer.from(type.encode(type.fromObject(message)).finish());
    const wholeUpTo = new Set([0, 4, 6]);
    for (let length = 0; length < encoded.length; length++) {
      const read = () => readTxnResponse(encoded.subarray(0, length));
      if (wholeUpTo.has(length)) expect(read).not.toThrow();
      else expect(read).toThrow(RangeError);
    }
  });

  it('never hangs or reads past the end, whatever it is given', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (garbage) => {
        try {
          readTxnResponse(Buffer.from(garbage));
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          expect(error).toHaveProperty('message', expect.stringMatching(/^byte \d+: /));
        }
      }),
    );
  });
});

describe('the messages of a login', () => {
  it('are those of protobufjs', () => {
    const [request, response] = [reference('AuthenticateRequest'), reference('AuthenticateResponse')];
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }), (name, password) => {
        const encoded = request.encode(request.fromObject({ name, password })).finish();
        expect(written(writeAuthenticateRequest, { name, password })).toEqual(Buffer.from(encoded));
        const answer = response
          .encode(response.fromObject({ header: { revision: 7 }, token: name }))
          .finish();
        expect(readAuthenticateResponse(Buffer.from(answer))).toEqual({ token: name });
      }),
    );
  });
});

describe('writeWatchRequest()', () => {
  it('writes what protobufjs writes', () => {
    const type = reference('WatchRequest');
    const request: fc.Arbitrary<WatchRequest> = fc
      .record(
        { key: bytes, range_end: bytes, start_revision: anyRevision, progress_notify: fc.boolean() },
        optional,
      )
      .map((create_request) => ({ create_request }));
    fc.assert(
      fc.property(request, (message) => {
        const read = type.toObject(type.decode(written(writeWatchRequest, message)), AS_ETCD3);
        const same = type.toObject(type.decode(type.encode(type.fromObject(message)).finish()), AS_ETCD3);
        expect(read).toEqual(same);
      }),
    );
  });
});

describe('readWatchResponse()', () => {
  it('reads changes and removals, and the numbers of the watches', () => {
    const type = reference('WatchResponse');
    const kv = { key: Buffer.from('/a'), mod_revision: '9007199254740993', value: Buffer.from('x') };
    const message = type.fromObject({
      header: { cluster_id: '18446744073709551615', revision: 12, raft_term: 3 },
      watch_id: -1,
      canceled: true,
      compact_revision: 7,
      cancel_reason: 'why',
      events: [
        { type: 'Put', kv: { ...kv, version: 3 } },
        { type: 'Delete', kv: { key: kv.key } },
      ],
    });
    expect(readWatchResponse(Buffer.from(type.encode(message).finish()))).toEqual({
      header: { cluster_id: '-1', revision: '12' },
      watch_id: '-1',
      created: false,
      canceled: true,
      compact_revision: '7',
      cancel_reason: 'why',
      events: [
        { type: '0', kv },
        { type: '1', kv: { key: kv.key, mod_revision: '0', value: Buffer.alloc(0) } },
      ],
    });
  });
});
