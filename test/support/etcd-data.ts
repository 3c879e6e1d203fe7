/**
 * What tests read and write in etcd, past our own code: over etcd's JSON gateway on a unix socket, so that it works
 * whatever network namespace etcd is in.
 */

import { request } from 'node:http';

export interface EtcdData {
  put(key: string, value: string): Promise<void>;
  /** Many keys, as fast as etcd takes them: not all at one revision. */
  putAll(entries: Iterable<readonly [key: string, value: string]>): Promise<void>;
  get(key: string): Promise<string | undefined>;
  /** Every key that starts with the prefix, in key order. */
  list(prefix: string): Promise<ReadonlyMap<string, string>>;
  /** Removes every key that starts with the prefix. */
  remove(prefix: string): Promise<void>;
  /** Removes everything. */
  wipe(): Promise<void>;
  /** Whether it serves reads and writes. */
  isHealthy(): Promise<boolean>;
  /** Any other call of the JSON gateway: `admin('auth/user/add', { name, password })`; `as` whom, once etcd has users. */
  admin(
    method: string,
    body: object,
    as?: { readonly name: string; readonly password: string },
  ): Promise<void>;
  /** Grows with everything that is written. */
  revision(): Promise<string>;
  /** Forgets all revisions but the present one. */
  compact(): Promise<void>;
  /** How many unary RPCs etcd has answered so far, by method: `Range`, `Txn`, `Put`, `LeaseGrant`, … */
  requestCounts(): Promise<ReadonlyMap<string, number>>;
  /** What clients have asked and got over gRPC so far; the calls made through here do not count. */
  traffic(): Promise<Traffic>;
}

export interface Traffic {
  readonly requests: number;
  /** From clients and to them. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
}

/** etcd takes no more in one transaction. */
const MAX_OPERATIONS = 128;

interface RangeAnswer {
  readonly header: { readonly revision: string };
  readonly kvs?: readonly { readonly key: string; readonly value?: string }[];
}

/** Talks to the etcd that listens on the unix socket. */
export function connectEtcd(socketPath: string): EtcdData {
  const call = async (method: string, body: object): Promise<unknown> =>
    JSON.parse(await send(socketPath, `/v3/kv/${method}`, JSON.stringify(body)));
  const range = async (body: object): Promise<ReadonlyMap<string, string>> => {
    const { kvs = [] } = (await call('range', body)) as RangeAnswer;
    return new Map(kvs.map(({ key, value = '' }) => [fromBase64(key), fromBase64(value)]));
  };
  return {
    put: async (key, value) => void (await call('put', { key: toBase64(key), value: toBase64(value) })),
    putAll: async (entries) => {
      for (const batch of batches(entries)) {
        const success = batch.map(([key, value]) => ({
          requestPut: { key: toBase64(key), value: toBase64(value) },
        }));
        await call('txn', { success });
      }
    },
    get: async (key) => (await range({ key: toBase64(key) })).get(key),
    list: (prefix) => range(prefixRange(prefix)),
    remove: async (prefix) => void (await call('deleterange', prefixRange(prefix))),
    wipe: async () => void (await call('deleterange', prefixRange(''))),
    isHealthy: () =>
      send(socketPath, '/health').then(
        (answer) => answer.includes('"true"'),
        () => false,
      ),
    admin: async (method, body, as) => {
      const headers = as === undefined ? {} : { Authorization: await logIn(socketPath, as) };
      await send(socketPath, `/v3/${method}`, JSON.stringify(body), headers);
    },
    revision: async () =>
      ((await call('range', { key: toBase64('/'), limit: 1 })) as RangeAnswer).header.revision,
    compact: async () => {
      const { header } = (await call('range', { key: toBase64('/') })) as RangeAnswer;
      await send(
        socketPath,
        '/v3/kv/compaction',
        JSON.stringify({ revision: header.revision, physical: true }),
      );
    },
    requestCounts: async () => countRequests(await send(socketPath, '/metrics')),
    traffic: async () => readTraffic(await send(socketPath, '/metrics')),
  };
}

function* batches(entries: Iterable<readonly [string, string]>): Generator<(readonly [string, string])[]> {
  let batch: (readonly [string, string])[] = [];
  for (const entry of entries) {
    batch.push(entry);
    if (batch.length < MAX_OPERATIONS) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** The gateway's range of all keys with the prefix: up to the prefix with its last byte raised by one. */
function prefixRange(prefix: string): { readonly key: string; readonly range_end: string } {
  if (prefix === '') return { key: toBase64('\0'), range_end: toBase64('\0') };
  const end = Buffer.from(prefix);
  end[end.length - 1] = (end.at(-1) ?? 0) + 1;
  return { key: toBase64(prefix), range_end: end.toString('base64') };
}

function countRequests(metrics: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  const line = /^grpc_server_handled_total\{.*grpc_method="(\w+)".*grpc_type="unary"\} (\S+)$/gm;
  for (const [, method = '', count] of metrics.matchAll(line)) {
    counts.set(method, (counts.get(method) ?? 0) + Number(count));
  }
  return counts;
}

function readTraffic(metrics: string): Traffic {
  const sum = (counts: Iterable<number>): number => Iterator.from(counts).reduce((a, b) => a + b, 0);
  const bytes = (direction: string): number =>
    Number(
      new RegExp(`^etcd_network_client_grpc_${direction}_bytes_total (\\S+)$`, 'm').exec(metrics)?.[1] ?? 0,
    );
  return {
    requests: sum(countRequests(metrics).values()),
    receivedBytes: bytes('received'),
    sentBytes: bytes('sent'),
  };
}

async function logIn(socketPath: string, user: object): Promise<string> {
  const answer = JSON.parse(await send(socketPath, '/v3/auth/authenticate', JSON.stringify(user)));
  return String(answer.token);
}

function send(socketPath: string, path: string, body?: string, headers = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const method = body === undefined ? 'GET' : 'POST';
    const call = request({ socketPath, path, method, headers, agent: false }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString();
      if (response.statusCode === 200) resolve(text);
      else reject(new Error(`etcd answered ${response.statusCode} to ${path}: ${text}`));
    });
    call.on('error', reject);
    call.end(body);
  });
}

function toBase64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function fromBase64(text: string): string {
  return Buffer.from(text, 'base64').toString();
}
