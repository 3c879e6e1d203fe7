/** Our HTTP/2 client against Node's HTTP/2 server, and against a server that says exactly what the test wants. */

import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { Server, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectPlain } from '../../../src/grpc/http2/connect.ts';
import type { Http2Connection } from '../../../src/grpc/http2/connection.ts';
import { createFrameReader, encodeFrame, FLAG, FRAME, type Frame } from '../../../src/grpc/http2/frame.ts';
import { encodeHeaders } from '../../../src/grpc/http2/hpack.ts';
import { listen, listening } from '../../support/peer.ts';

const MAX_RESPONSE_BYTES = 64 * 1024 * 1024;

function connectTo(port: number): Http2Connection {
  const connection = connectPlain({ host: '127.0.0.1', port });
  onTestFinished(() => connection.close('the test is over'));
  return connection;
}

function ask(connection: Http2Connection, body = Buffer.from('question'), path = '/') {
  const fields = [
    [':method', 'POST'],
    [':scheme', 'http'],
    [':path', path],
    [':authority', 'etcd'],
    ['te', 'trailers'],
  ] as const;
  return connection.request({ fields, body, maxResponseBytes: MAX_RESPONSE_BYTES });
}

describe('a connection to a server of Node.js', () => {
  async function serve(
    answer: (stream: ServerHttp2Stream, body: Buffer) => void,
    options = {},
  ): Promise<number> {
    const server = createServer(options);
    server.on('stream', async (stream: ServerHttp2Stream) => {
      stream.on('error', () => undefined);
      const pieces: Buffer[] = [];
      for await (const piece of stream) pieces.push(piece);
      answer(stream, Buffer.concat(pieces));
    });
    onTestFinished(() => void server.close());
    // Its types do not say that it is a server of connections.
    return listening(server as unknown as Server);
  }

  function echo(stream: ServerHttp2Stream, body: Buffer): void {
    stream.respond({ ':status': 200, 'x-length': String(body.length) }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(body);
  }

  it.each([0, 1, 16_379, 16_384, 65_535, 65_536, 200_000, 3_000_000])(
    'sends and receives %i bytes, through windows and frames of the default size',
    async (length) => {
      const body = Buffer.alloc(length, 'abcdefg');
      const response = await ask(connectTo(await serve(echo)), body).response;
      expect(response.headers.get('x-length')).toBe(String(length));
      expect(response.body.equals(body)).toBe(true);
      expect(response.trailers.get('grpc-status')).toBe('0');
    },
  );

  it('keeps to windows of one byte', async () => {
    const port = await serve(echo, { settings: { initialWindowSize: 1 } });
    const body = Buffer.from('letter by letter');
    expect((await ask(connectTo(port), body).response).body).toEqual(body);
  });

  it('asks many things at once and gives everyone their own answer', async () => {
    const connection = connectTo(await serve(echo));
    const bodies = Array.from({ length: 50 }, (_unused, index) => Buffer.alloc(index * 1_500, String(index)));
    const responses = await Promise.all(bodies.map((body) => ask(connection, body).response));
    expect(responses.map(({ body }) => body.length)).toEqual(bodies.map(({ length }) => length));
    expect(responses.every(({ body }, index) => body.equals(bodies[index] ?? Buffer.alloc(0)))).toBe(true);
  });

  it('receives more on one connection than any window holds at once', async () => {
    const connection = connectTo(await serve(echo));
    const body = Buffer.alloc(1 << 20);
    for (let count = 0; count < 8; count++)
      expect((await ask(connection, body).response).body.length).toBe(1 << 20);
  });

  it('understands whatever headers nghttp2 encodes', async () => {
    const sent: Record<string, string>[] = [];
    const port = await serve((stream) => {
      stream.respond({ ':status': 200, ...sent.at(-1) });
      stream.end();
    });
    const connection = connectTo(port);
    const name = fc.stringMatching(/^x-[a-z0-9-]{0,20}$/);
    const value = fc.stringMatching(/^[\x21-\x7e]([\x20-\x7e]{0,60}[\x21-\x7e])?$/);
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, value), async (headers) => {
        sent.push(headers);
        const { headers: received } = await ask(connection).response;
        expect(Object.fromEntries(received)).toMatchObject(headers);
      }),
    );
  });

  it('takes headers of more than one frame', async () => {
    const value = 'x'.repeat(40_000);
    const port = await serve((stream) => {
      stream.respond({ ':status': 200, 'x-long': value });
      stream.end();
    });
    expect((await ask(connectTo(port)).response).headers.get('x-long')).toBe(value);
  });

  it('sends headers of more than one frame', async () => {
    const path = `/${'x'.repeat(40_000)}`;
    const port = await serve(
      (stream) => {
        stream.respond({ ':status': 200 });
        stream.end();
      },
      {
        maxHeaderListPairs: 100,
        settings: { maxHeaderListSize: 100_000 },
        maxSendHeaderBlockLength: 100_000,
      },
    );
    expect((await ask(connectTo(port), Buffer.from('x'), path).response).headers.get(':status')).toBe('200');
  });

  it('takes an answer of headers alone', async () => {
    const port = await serve((stream) =>
      stream.respond({ ':status': 200, 'grpc-status': '7' }, { endStream: true }),
    );
    const { headers, trailers, body } = await ask(connectTo(port)).response;
    expect(body.length).toBe(0);
    expect(headers).toBe(trailers);
    expect(trailers.get('grpc-status')).toBe('7');
  });

  it('passes over interim answers', async () => {
    const port = await serve((stream) => {
      stream.additionalHeaders({ ':status': 103, 'x-hint': '1' });
      stream.respond({ ':status': 200 });
      stream.end('real');
    });
    const { headers, body } = await ask(connectTo(port)).response;
    expect(headers.get(':status')).toBe('200');
    expect(body.toString()).toBe('real');
  });

  it('gives up an answer that is larger than allowed', async () => {
    const port = await serve(echo);
    const connection = connectTo(port);
    const fields = [
      [':method', 'POST'],
      [':scheme', 'http'],
      [':path', '/'],
      [':authority', 'etcd'],
    ] as const;
    const big = connection.request({ fields, body: Buffer.alloc(100_000), maxResponseBytes: 50_000 });
    await expect(big.response).rejects.toMatchObject({ message: /larger than 50000 bytes/, wasSent: true });
    expect((await ask(connection).response).body.toString()).toBe('question');
  });

  it('gives up a request that is cancelled, and only that', async () => {
    const port = await serve((stream, body) => {
      if (body.length > 0) echo(stream, body);
    });
    const connection = connectTo(port);
    const unanswered = ask(connection, Buffer.alloc(0));
    const answered = ask(connection);
    expect((await answered.response).body.toString()).toBe('question');
    unanswered.cancel('tired of waiting');
    await expect(unanswered.response).rejects.toMatchObject({ message: 'tired of waiting', wasSent: true });
    expect((await ask(connection).response).body.toString()).toBe('question');
  });
});

/** A server that reads frames and writes what it is told. */
interface Script {
  readonly port: number;
  readonly received: Frame[];
  readonly sockets: Socket[];
  /** Returns when a frame of the type has come. */
  frame(type: number): Promise<Frame>;
  /** Returns when so many bytes of bodies have come, and fails when more come. */
  untilSent(byteCount: number): Promise<void>;
  send(...frames: readonly Buffer[]): void;
}

const SETTINGS = encodeFrame(FRAME.settings, 0, 0, Buffer.alloc(0));
const PREFACE_BYTES = 24;
const numbers = (...values: readonly number[]): Buffer =>
  Buffer.concat(
    values.map((value) => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32BE(value);
      return bytes;
    }),
  );
const bodies = (frames: readonly Frame[]): readonly Frame[] =>
  frames.filter(({ type }) => type === FRAME.data);
/** SETTINGS_INITIAL_WINDOW_SIZE. */
const settings = (initialWindow: number): Buffer =>
  encodeFrame(FRAME.settings, 0, 0, Buffer.concat([Buffer.from([0, 4]), numbers(initialWindow)]));
const headersFrame = (streamId: number, flags: number, fields: Readonly<Record<string, string>>): Buffer =>
  encodeFrame(FRAME.headers, flags | FLAG.endHeaders, streamId, encodeHeaders(Object.entries(fields)));
const answer = (streamId: number): readonly Buffer[] => [
  headersFrame(streamId, 0, { ':status': '200' }),
  encodeFrame(FRAME.data, FLAG.endStream, streamId, Buffer.from('answer')),
];

async function script(greeting: readonly Buffer[] = [SETTINGS]): Promise<Script> {
  const received: Frame[] = [];
  const sockets: Socket[] = [];
  const port = await listen((socket) => {
    sockets.push(socket);
    const read = createFrameReader();
    let preface = PREFACE_BYTES;
    socket.on('data', (piece: Buffer) => {
      received.push(...read(piece.subarray(preface)));
      preface = Math.max(0, preface - piece.length);
    });
    socket.write(Buffer.concat(greeting));
  });
  return {
    port,
    received,
    sockets,
    frame: async (type) => {
      for (;;) {
        const found = received.find((frame) => frame.type === type);
        if (found !== undefined) return found;
        await sleep(2);
      }
    },
    untilSent: async (byteCount) => {
      const sent = () => bodies(received).reduce((sum, { payload }) => sum + payload.length, 0);
      while (sent() < byteCount) await sleep(2);
      await sleep(20);
      expect(sent()).toBe(byteCount);
    },
    send: (...frames) => void sockets[0]?.write(Buffer.concat(frames)),
  };
}

describe('a connection to a server that follows a script', () => {
  it('begins with what HTTP/2 wants, request included, in one piece', async () => {
    const server = await script();
    ask(connectTo(server.port)).response.catch(() => undefined);
    await server.frame(FRAME.data);
    expect(server.received.map(({ type, flags, streamId }) => [type, flags, streamId])).toEqual([
      [FRAME.settings, 0, 0],
      [FRAME.windowUpdate, 0, 0],
      [FRAME.headers, FLAG.endHeaders, 1],
      [FRAME.data, FLAG.endStream, 1],
      // Sent as soon as the server's have come, which may be before or after.
      ...server.received.slice(4).map(({ type, flags }) => [type, flags, 0]),
    ]);
  });

  it('acknowledges settings and pings, and nothing else', async () => {
    const server = await script([
      SETTINGS,
      encodeFrame(FRAME.ping, 0, 0, Buffer.from('12345678')),
      encodeFrame(FRAME.ping, FLAG.acknowledged, 0, Buffer.from('87654321')),
      encodeFrame(FRAME.settings, FLAG.acknowledged, 0, Buffer.alloc(0)),
      encodeFrame(0x42, 0, 0, Buffer.from('of a kind that is still to come')),
    ]);
    const { response } = ask(connectTo(server.port));
    await server.frame(FRAME.ping);
    server.send(...answer(1));
    await response;
    const acknowledged = server.received.filter(({ type, flags }) => flags & 1 && type !== FRAME.data);
    expect(acknowledged.map(({ type, payload }) => [type, payload.toString()])).toEqual([
      [FRAME.settings, ''],
      [FRAME.ping, '12345678'],
    ]);
  });

  it.each([
    ['the server reset it', encodeFrame(FRAME.resetStream, 0, 1, numbers(2)), true],
    ['the server refused it untouched', encodeFrame(FRAME.resetStream, 0, 1, numbers(7)), false],
    ['the server went away before it', encodeFrame(FRAME.goAway, 0, 0, numbers(0, 0)), false],
    ['the server sends what is no HTTP/2', encodeFrame(FRAME.windowUpdate, 0, 0, numbers()), true],
    ['the server pushes', encodeFrame(FRAME.pushPromise, 0, 1, numbers(2)), true],
    [
      'headers are never finished',
      Buffer.concat([encodeFrame(FRAME.headers, 0, 1, numbers()), SETTINGS]),
      true,
    ],
    ['headers are continued out of nothing', encodeFrame(FRAME.continuation, 4, 1, numbers()), true],
    ['headers are nonsense', encodeFrame(FRAME.headers, FLAG.endHeaders, 1, numbers(0xffffffff)), true],
  ])('tells whether a request that failed may have been acted on: %s', async (_what, frame, wasSent) => {
    const server = await script();
    const { response } = ask(connectTo(server.port));
    await server.frame(FRAME.data);
    server.send(frame);
    await expect(response).rejects.toMatchObject({ name: 'RequestFailure', wasSent });
  });

  it('does not take more headers than an answer can need', async () => {
    const server = await script();
    const { response } = ask(connectTo(server.port));
    await server.frame(FRAME.data);
    server.send(encodeFrame(FRAME.headers, 0, 1, Buffer.alloc(16_384)));
    for (let count = 0; count < 4; count++)
      server.send(encodeFrame(FRAME.continuation, 0, 1, Buffer.alloc(16_384)));
    await expect(response).rejects.toMatchObject({ message: 'more than 65536 bytes of headers' });
  });

  it('knows that a request of which a part never left was not acted on', async () => {
    const server = await script();
    const connection = connectTo(server.port);
    const { response } = ask(connection, Buffer.alloc(70_000));
    const whole = ask(connection, Buffer.alloc(0));
    await server.frame(FRAME.data);
    await sleep(20);
    for (const socket of server.sockets) socket.destroy();
    await expect(response).rejects.toMatchObject({ wasSent: false });
    await expect(whole.response).rejects.toMatchObject({ wasSent: true });
  });

  it('goes on sending when the server is ready for more, of the stream and of the connection', async () => {
    const server = await script();
    const { response } = ask(connectTo(server.port), Buffer.alloc(70_000));
    await server.untilSent(65_535);
    server.send(encodeFrame(FRAME.windowUpdate, 0, 1, numbers(10_000)));
    await server.untilSent(65_535);
    server.send(encodeFrame(FRAME.windowUpdate, 0, 0, numbers(1_000)));
    await server.untilSent(66_535);
    server.send(encodeFrame(FRAME.windowUpdate, 0, 0, numbers(10_000)));
    await server.untilSent(70_000);
    server.send(...answer(1));
    expect((await response).body.toString()).toBe('answer');
  });

  it('takes over a change of mind about the windows of requests under way', async () => {
    const server = await script([]);
    const { response } = ask(connectTo(server.port), Buffer.alloc(70_000));
    await server.untilSent(65_535);
    server.send(settings(80_000), encodeFrame(FRAME.windowUpdate, 0, 0, numbers(1_000)));
    await server.untilSent(66_535);
    server.send(settings(10), encodeFrame(FRAME.windowUpdate, 0, 0, numbers(100_000)));
    await server.untilSent(66_535);
    server.send(encodeFrame(FRAME.windowUpdate, 0, 1, numbers(66_526)));
    await server.untilSent(66_536);
    server.send(settings(90_000));
    await server.untilSent(70_000);
    server.send(...answer(1));
    expect((await response).body.toString()).toBe('answer');
  });

  it('tells the server to go on before what it allowed for the connection is used up', async () => {
    const server = await script();
    const { response } = ask(connectTo(server.port));
    await server.frame(FRAME.data);
    const mebibyte = Array.from({ length: 64 }, () => encodeFrame(FRAME.data, 0, 1, Buffer.alloc(16_384)));
    server.send(headersFrame(1, 0, { ':status': '200' }), ...mebibyte, ...mebibyte.slice(0, 8));
    const updates = () => server.received.filter(({ type }) => type === FRAME.windowUpdate);
    while (updates().length < 2) await sleep(2);
    server.send(encodeFrame(FRAME.data, FLAG.endStream, 1, Buffer.alloc(0)));
    expect((await response).body.length).toBe(72 * 16_384);
    expect(updates().map(({ streamId, payload }) => [streamId, payload.readUInt32BE()])).toEqual([
      [0, 2 ** 31 - 65_536],
      [0, 1_048_576],
    ]);
  });

  it('finishes what the server still answers while it goes away, and takes nothing new', async () => {
    const server = await script();
    const connection = connectTo(server.port);
    const { response } = ask(connection);
    await server.frame(FRAME.data);
    server.send(encodeFrame(FRAME.goAway, 0, 0, numbers(1, 0)));
    while (connection.isUsable) await sleep(2);
    await expect(ask(connection).response).rejects.toMatchObject({ wasSent: false });
    server.send(...answer(1));
    expect((await response).body.toString()).toBe('answer');
  });

  it('takes an early answer to a request that it is still sending, and stops', async () => {
    const server = await script();
    const { response } = ask(connectTo(server.port), Buffer.alloc(100_000));
    await server.frame(FRAME.data);
    server.send(headersFrame(1, FLAG.endStream, { ':status': '200', 'grpc-status': '8' }));
    expect((await response).trailers.get('grpc-status')).toBe('8');
    expect((await server.frame(FRAME.resetStream)).payload).toEqual(numbers(8));
  });

  it('forgets a cancelled request whose answer comes all the same', async () => {
    const server = await script();
    const connection = connectTo(server.port);
    const first = ask(connection);
    await server.frame(FRAME.data);
    first.cancel('too late');
    await expect(first.response).rejects.toThrow('too late');
    const second = ask(connection);
    await server.frame(FRAME.resetStream);
    server.send(...answer(1), encodeFrame(FRAME.resetStream, 0, 1, numbers(8)), ...answer(3));
    expect((await second.response).body.toString()).toBe('answer');
  });

  it('ends a retired connection with its last request', async () => {
    const server = await script();
    const connection = connectTo(server.port);
    const { response } = ask(connection);
    await server.frame(FRAME.data);
    connection.retire();
    server.send(...answer(1));
    await response;
    const [socket] = server.sockets;
    while (socket?.closed === false) await sleep(2);
  });

  it.each([
    ['HTTP/1', 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n400 Bad Request'],
    ['TLS', '\x15\x03\x01\x00\x02\x02\x46'],
  ])('says so when the server speaks %s', async (_what, text) => {
    const port = await listen((socket) => void socket.end(Buffer.from(text, 'latin1')));
    await expect(ask(connectTo(port)).response).rejects.toThrow(
      'not HTTP/2, or http:// and https:// mixed up',
    );
  });

  it('knows that nothing was sent where nobody listens, or when it is closed itself', async () => {
    const server = await script();
    const connection = connectTo(server.port);
    await expect(ask(connectTo(1)).response).rejects.toMatchObject({
      message: /ECONNREFUSED/,
      wasSent: false,
    });
    connection.close('enough');
    await expect(ask(connection).response).rejects.toMatchObject({ wasSent: false });
  });
});
