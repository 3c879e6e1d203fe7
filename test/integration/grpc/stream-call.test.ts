/** Calls with streams of messages, against Node's HTTP/2 server. */

import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { Server } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { connectPlain } from '../../../src/grpc/http2/connect.ts';
import { createMessageReader, frameMessage } from '../../../src/grpc/message-frame.ts';
import { callStream, type OpenCall } from '../../../src/grpc/stream-call.ts';
import { listening } from '../../support/peer.ts';

const GRPC = { ':status': 200, 'content-type': 'application/grpc' };

interface Conversation {
  readonly call: OpenCall;
  readonly heard: string[];
  /** Resolves when so many messages have been heard. */
  readonly hears: (count: number) => Promise<void>;
}

async function talk(
  answer: (stream: ServerHttp2Stream) => void,
  first: readonly string[],
): Promise<Conversation> {
  const server = createServer();
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => undefined);
    answer(stream);
  });
  // Its types do not say that it is a server of connections.
  const port = await listening(server as unknown as Server);
  const connection = connectPlain({ host: '127.0.0.1', port });
  onTestFinished(() => {
    connection.close('the test is over');
    server.close();
  });
  const heard: string[] = [];
  let onHeard = (): void => undefined;
  const call = callStream(connection, {
    ...{ scheme: 'http', authority: `127.0.0.1:${port}`, path: '/a.B/C', metadata: [['token', 'secret']] },
    messages: first.map((text) => Buffer.from(text)),
    maxMessageBytes: 1 << 20,
    onMessage: (message) => {
      heard.push(message.toString());
      if (heard.at(-1) === 'poison') throw new Error('this cannot be borne');
      onHeard();
    },
  });
  // Tests that look at the end await it themselves.
  call.ended.catch(() => undefined);
  const hears = (count: number) =>
    new Promise<void>((resolve) => {
      onHeard = () => heard.length >= count && resolve();
      onHeard();
    });
  return { call, heard, hears };
}

/** Says everything back, message by message. */
function parrot(stream: ServerHttp2Stream): void {
  const read = createMessageReader(1 << 20);
  stream.respond(GRPC);
  stream.on('data', (piece: Buffer) => {
    for (const message of read(piece)) stream.write(frameMessage(Buffer.from(`${message}!`)));
  });
}

function endsWith(trailers: Readonly<Record<string, string>>) {
  return (stream: ServerHttp2Stream) => {
    stream.respond(GRPC, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers(trailers));
    stream.end();
  };
}

it('sends and hears messages as long as it is open', async () => {
  const { call, heard, hears } = await talk(parrot, ['one', 'two']);
  await hears(2);
  call.send(Buffer.from('three'));
  await hears(3);
  call.send(Buffer.from('x'.repeat(300_000)));
  await hears(4);
  expect(heard.slice(0, 3)).toEqual(['one!', 'two!', 'three!']);
  expect(heard[3]).toHaveLength(300_001);
});

it('hears far more than any window holds', async () => {
  const { heard, hears } = await talk(
    (stream) => {
      stream.respond(GRPC);
      for (let i = 0; i < 3_000; i++) stream.write(frameMessage(Buffer.alloc(2_000, 'x')));
    },
    ['go'],
  );
  await hears(3_000);
  expect(heard.every((text) => text.length === 2_000)).toBe(true);
});

it('tells why the server ended it', async () => {
  const { call } = await talk(endsWith({ 'grpc-status': '14', 'grpc-message': 'etcdserver: no leader' }), [
    'a',
  ]);
  await expect(call.ended).rejects.toMatchObject({
    name: 'CallError',
    code: 14,
    message: 'etcdserver: no leader',
  });
});

it('ends without an error when the server ends it in good order', async () => {
  const { call } = await talk(endsWith({ 'grpc-status': '0' }), ['a']);
  await expect(call.ended).resolves.toBeUndefined();
});

it('can be given up', async () => {
  const { call, hears } = await talk(parrot, ['one']);
  await hears(1);
  call.cancel('enough of it');
  await expect(call.ended).rejects.toMatchObject({ name: 'CallError', message: 'enough of it' });
});

it('ends with the connection', async () => {
  const { call } = await talk((stream) => stream.session?.destroy(), ['a']);
  await expect(call.ended).rejects.toMatchObject({ name: 'CallError', code: 14 });
});

it('ends with what its listener throws', async () => {
  const { call } = await talk(
    (stream) => {
      stream.respond(GRPC);
      stream.write(frameMessage(Buffer.from('poison')));
    },
    ['a'],
  );
  await expect(call.ended).rejects.toMatchObject({ message: 'this cannot be borne' });
});
