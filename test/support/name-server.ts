/** A name server for tests: answers questions about SRV records over UDP (RFC 1035, RFC 2782). */

import { createSocket } from 'node:dgram';
import { onTestFinished } from 'vitest';

export interface Srv {
  readonly priority?: number;
  readonly weight?: number;
  readonly port: number;
  readonly target: string;
}

export interface NameServer {
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  /** Names that were asked for, in order. */
  readonly asked: readonly string[];
}

const TYPE_SRV = 33;
const TYPE_A = 1;
const CLASS_IN = 1;
const CODE = { ok: 0, failure: 2, 'no such name': 3 };

/** `failing`: names at which it has an error of its own (SERVFAIL); `silent`: those it does not answer. */
export async function startNameServer(
  records: Readonly<Record<string, readonly Srv[]>>,
  options: {
    readonly failing?: readonly string[];
    readonly silent?: readonly string[];
    readonly addresses?: Readonly<Record<string, string>>;
    readonly port?: number;
  } = {},
): Promise<NameServer> {
  const { failing = [], silent = [], addresses = {}, port = 0 } = options;
  const asked: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (question, { port: from, address }) => {
    const { name, type, end } = readQuestion(question);
    asked.push(name);
    if (silent.includes(name)) return;
    const data =
      type === TYPE_SRV
        ? (records[name] ?? []).map(srvData)
        : [addresses[name]]
            .filter((each) => each !== undefined && type === TYPE_A)
            .map((each) => addressData(each));
    const exists = name in records || name in addresses;
    const code = failing.includes(name) ? CODE.failure : exists ? CODE.ok : CODE['no such name'];
    socket.send(answer(question.subarray(0, end), type, code, data), from, address);
  });
  await new Promise<void>((resolve) => socket.bind(port, '127.0.0.1', resolve));
  onTestFinished(() => void socket.close());
  return { address: `127.0.0.1:${socket.address().port}`, asked };
}

function readQuestion(message: Buffer): {
  readonly name: string;
  readonly type: number;
  readonly end: number;
} {
  const labels: string[] = [];
  let at = 12;
  for (let length = message.readUInt8(at); length > 0; length = message.readUInt8(at)) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 };
}

function answer(question: Buffer, type: number, code: number, data: readonly Buffer[]): Buffer {
  const header = Buffer.from(question);
  // An answer, by one who knows, for one who wanted it looked up.
  header.writeUInt16BE(0x8580 | code, 2);
  header.writeUInt16BE(data.length, 6);
  header.writeUInt32BE(0, 8);
  return Buffer.concat([header, ...data.map((bytes) => record(type, bytes))]);
}

function record(type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12);
  // The name is the one of the question.
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(CLASS_IN, 4);
  head.writeUInt32BE(0, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function srvData({ priority = 0, weight = 0, port, target }: Srv): Buffer {
  const head = Buffer.alloc(6);
  head.writeUInt16BE(priority, 0);
  head.writeUInt16BE(weight, 2);
  head.writeUInt16BE(port, 4);
  const labels = target.split('.').filter((label) => label !== '');
  return Buffer.concat([
    head,
    ...labels.flatMap((label) => [Buffer.of(label.length), Buffer.from(label)]),
    Buffer.of(0),
  ]);
}

function addressData(address: string | undefined): Buffer {
  return Buffer.from((address ?? '').split('.').map(Number));
}
