/** What servers answer: bytes on a connection, header blocks, messages. */

import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { readAddReply, readDelReply } from '../../src/dataplane/dataplane-messages.ts';
import { madeInterface } from '../../src/dataplane/made-interface.ts';
import { readAuthenticateResponse, readTxnResponse } from '../../src/datastore/etcd/etcd-messages.ts';
import { checkResponse, commitOf, snapshotOf } from '../../src/datastore/etcd/txn.ts';
import { CallError } from '../../src/grpc/call-error.ts';
import { Http2Connection } from '../../src/grpc/http2/connection.ts';
import { encodeFrame, FLAG, FRAME } from '../../src/grpc/http2/frame.ts';
import { decodeHeaders, encodeHeaders } from '../../src/grpc/http2/hpack.ts';
import { decodeHuffman } from '../../src/grpc/http2/huffman.ts';
import { frameMessage, unframeMessage } from '../../src/grpc/message-frame.ts';
import { callMethod } from '../../src/grpc/method.ts';
import { isRangeRefusal, isRefusal, type Refusal, survives, survivesLater } from '../support/fuzz.ts';
import { mangledBytes } from '../support/mangled.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const isCallError: Refusal = (error) => error instanceof CallError || isRefusal(error);

/** {header: {revision: 7}, succeeded: true, responses: [{response_range: {kvs: [{key, mod_revision, value}]}}]} */
const TXN = hex('0a02 1807 1001 1a0f 0a0d 120b 0a03 6b6579 1805 2a02 7b7d');
const REPLY = hex('0801 1203 6f6f70 1a05 63616c6931 2211 61613a62623a63633a64643a65653a6666');

describe('a message', () => {
  it.each<[string, readonly Buffer[], (bytes: Buffer) => unknown]>([
    ['readTxnResponse()', [TXN], readTxnResponse],
    ['readAuthenticateResponse()', [hex('0a00 1203 616263')], readAuthenticateResponse],
    ['readAddReply()', [REPLY], readAddReply],
    ['readDelReply()', [REPLY], readDelReply],
    ['unframeMessage()', [frameMessage(TXN)], unframeMessage],
  ])('%s takes it, or says what is wrong with it', (_name, samples, read) => {
    survives(mangledBytes(samples), read, isRangeRefusal);
  });

  it('answers a read or a commit, or does not', () => {
    survives(
      mangledBytes([TXN]),
      (bytes) => {
        const response = readTxnResponse(bytes);
        checkResponse({ success: [{}], failure: [] }, response);
        return [
          snapshotOf(response),
          commitOf({ expect: [{ key: 'key', revision: '5' }], write: [] }, response),
        ];
      },
      (error) => isRangeRefusal(error) || isCallError(error),
    );
  });

  it('names an interface, or is refused', () => {
    survives(
      mangledBytes([REPLY]),
      (bytes) => madeInterface(readAddReply(bytes)),
      (error) => isRangeRefusal(error) || isRefusal(error),
    );
  });
});

describe('header fields', () => {
  it('are read or refused', () => {
    const blocks = [
      encodeHeaders([
        [':status', '200'],
        ['content-type', 'application/grpc'],
        ['grpc-status', '0'],
      ]),
      hex('4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff'),
      hex('3f00 88 7f8000 1fff'),
    ];
    survives(mangledBytes(blocks), decodeHeaders, isRangeRefusal);
    survives(mangledBytes([hex('f1e3c2e5f23a6ba0ab90f4ff')]), decodeHuffman, isRangeRefusal);
  });
});

describe('a connection', () => {
  const settings = encodeFrame(FRAME.settings, 0, 0, hex('0003 00000064 0004 000fffff'));
  const headers = encodeHeaders([
    [':status', '200'],
    ['content-type', 'application/grpc'],
  ]);
  const trailers = (status: string) =>
    encodeHeaders([
      ['grpc-status', status],
      ['grpc-message', 'no%20'],
    ]);
  const answer = (status: string) => [
    settings,
    encodeFrame(FRAME.headers, FLAG.endHeaders, 1, headers),
    encodeFrame(FRAME.data, 0, 1, frameMessage(TXN).subarray(0, 4)),
    encodeFrame(FRAME.ping, 0, 0, Buffer.alloc(8)),
    encodeFrame(FRAME.windowUpdate, 0, 0, hex('7fffffff')),
    encodeFrame(
      FRAME.data,
      FLAG.padded,
      1,
      Buffer.concat([hex('01'), frameMessage(TXN).subarray(4), hex('00')]),
    ),
    encodeFrame(FRAME.headers, FLAG.endStream, 1, trailers(status).subarray(0, 9)),
    encodeFrame(FRAME.continuation, FLAG.endHeaders, 1, trailers(status).subarray(9)),
  ];
  const others = [
    encodeFrame(FRAME.resetStream, 0, 1, hex('00000007')),
    encodeFrame(FRAME.goAway, 0, 0, hex('00000001 00000000')),
    encodeFrame(FRAME.settings, FLAG.acknowledged, 0, Buffer.alloc(0)),
    encodeFrame(FRAME.pushPromise, 0, 1, Buffer.alloc(4)),
    encodeFrame(FRAME.data, FLAG.endStream, 1, Buffer.alloc(0)),
    encodeFrame(FRAME.headers, FLAG.endHeaders | FLAG.endStream | FLAG.priority, 1, Buffer.alloc(6, 0x88)),
  ];

  /** Frames in another order, left out, mangled; and cut into pieces anywhere. */
  const frames = [...answer('0'), ...others];
  const streams = fc.oneof(
    mangledBytes([Buffer.concat(answer('0')), Buffer.concat(answer('7'))]),
    fc
      .array(fc.oneof(fc.constantFrom(...frames), mangledBytes(frames)), { maxLength: 12 })
      .map((some) => Buffer.concat([settings, ...some])),
  );

  it('gives an answer or a reason, whatever the server sends', async () => {
    const inputs = fc.tuple(
      streams,
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 }),
    );
    await survivesLater(inputs, ([bytes, lengths]) => askServer(bytes, lengths), isCallError);
  });
});

/** Calls a server that answers with these bytes, in pieces of these lengths, and closes. */
function askServer(bytes: Buffer, lengths: readonly number[]): Promise<unknown> {
  const socket = Object.assign(new EventEmitter(), {
    destroyed: false,
    write: () => true,
    destroy: () => {
      socket.destroyed = true;
    },
  });
  const connection = new Http2Connection(socket as unknown as Socket, 'connect');
  const method = { path: '/etcdserverpb.KV/Txn', write: () => undefined, read: readTxnResponse };
  const call = {
    scheme: 'http',
    authority: 'etcd',
    metadata: [],
    timeoutMs: 5_000,
    maxResponseBytes: 1 << 20,
  };
  const answered = callMethod(connection, method, undefined, call);
  socket.emit('connect');
  let at = 0;
  for (let i = 0; at < bytes.length && !socket.destroyed; i++) {
    const length = lengths[i % lengths.length] ?? 1;
    socket.emit('data', bytes.subarray(at, at + length));
    at += length;
  }
  socket.emit('close');
  return answered;
}
