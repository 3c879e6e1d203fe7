/**
 * HTTP/1.1 with one server over one connection, which is being made from the beginning on. The library is Node's own;
 * it is loaded when a session is opened.
 */

import type { IncomingHttpHeaders, IncomingMessage, RequestOptions } from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionOptions, SecureContext, TLSSocket } from 'node:tls';
import { CalicoError, errorText } from '../base/calico-error.ts';
import { opensslReason } from '../base/openssl-reason.ts';
import type { ConnectionSettings } from './connection-settings.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface HttpSession {
  /** Rejects with an {@link HttpFailure}, at the latest when the time is over. */
  get(path: string, timeoutMs: number): Promise<HttpAnswer>;
  /** As `get`, with a body of JSON. */
  post(path: string, body: string, timeoutMs: number): Promise<HttpAnswer>;
  close(): void;
}

/** There is no answer, or no whole one. */
export class HttpFailure extends Error {
  override readonly name = 'HttpFailure';
  /** `TIMEOUT`, `TOO_LARGE`, `TLS` for what OpenSSL says, or the code of Node's own error, such as `ECONNREFUSED`. */
  readonly code: string;
  /** As Node writes it: the end of the time for which the server's certificate is good, where that was seen. */
  readonly serverCertificateEnd: string | undefined;

  constructor(code: string, message: string, serverCertificateEnd?: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.serverCertificateEnd = serverCertificateEnd;
  }
}

/** An object of Kubernetes has at most some megabytes: etcd takes no more. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/** Begins to connect. Throws `config` when certificate, key and CA cannot be used. */
export function openHttpSession(settings: ConnectionSettings): HttpSession {
  const { Agent, request } = process.getBuiltinModule('node:http');
  const { server } = settings;
  const connect = server.isSecure ? tlsConnector(settings) : () => connectPlain(settings);
  let certificateEnd: string | undefined;

  function newSocket(): Socket {
    const socket = connect((end) => {
      certificateEnd = end;
    });
    // Requests hear of it from the agent; this is for the time before the first.
    socket.on('error', () => undefined);
    return socket;
  }

  let first: Socket | undefined = newSocket();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  agent.createConnection = () => {
    const socket = first?.destroyed === false ? first : newSocket();
    first = undefined;
    return socket;
  };
  const options: RequestOptions = {
    agent,
    host: server.host,
    port: server.port,
    headers: headersOf(settings),
  };

  function send(path: string, timeoutMs: number, body?: string): Promise<HttpAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
    const asked = request({ ...options, path: `${server.basePath}${path}`, ...withBody(body) });
    const fail = (error: unknown) => reject(failureOf(error, certificateEnd));
    const alarm = setTimeout(() => {
      reject(timeoutOf(timeoutMs, asked.socket));
      asked.destroy();
    }, timeoutMs);
    asked.on('response', (response) => void answerOf(response).then(resolve, fail));
    asked.on('error', fail);
    asked.end(body);
    return promise.finally(() => clearTimeout(alarm));
  }

  const withBody = (body: string | undefined): RequestOptions =>
    body === undefined
      ? {}
      : { method: 'POST', headers: { ...headersOf(settings), 'content-type': 'application/json' } };

  return {
    get: (path, timeoutMs) => send(path, timeoutMs),
    post: (path, body, timeoutMs) => send(path, timeoutMs, body),
    close: () => {
      first?.destroy();
      agent.destroy();
    },
  };
}

function headersOf({ server, authorization }: ConnectionSettings): Record<string, string> {
  const host = server.host.includes(':') ? `[${server.host}]` : server.host;
  return {
    host: `${host}:${server.port}`,
    accept: 'application/json',
    'user-agent': 'calico-cni',
    ...(authorization === undefined ? {} : { authorization: authorization.text.reveal() }),
  };
}

function connectPlain({ server: { host, port } }: ConnectionSettings): Socket {
  return process.getBuiltinModule('node:net').connect({ host, port, noDelay: true });
}

/** Tells the end of the server's certificate to whoever waits for the connection. */
type Connector = (onCertificate: (end: string) => void) => Socket;

function tlsConnector(settings: ConnectionSettings): Connector {
  const { connect, checkServerIdentity } = process.getBuiltinModule('node:tls');
  const { isIP } = process.getBuiltinModule('node:net');
  const { host, port } = settings.server;
  const name = settings.tlsServerName ?? host;
  const options: ConnectionOptions = {
    host,
    port,
    secureContext: secureContextOf(settings),
    // TLS has no names for addresses.
    ...(isIP(name) ? {} : { servername: name }),
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
    // Said outright, so that no NODE_TLS_REJECT_UNAUTHORIZED can say otherwise.
    rejectUnauthorized: !settings.insecureSkipTlsVerify,
    ALPNProtocols: ['http/1.1'],
  };
  return (onCertificate) => {
    const socket = connect(options);
    socket.setNoDelay(true);
    noteCertificate(socket, onCertificate);
    return socket;
  };
}

/** `secure` comes before the certificate is checked: afterwards, a socket that failed has forgotten it. */
function noteCertificate(socket: TLSSocket, onCertificate: (end: string) => void): void {
  socket.prependListener('secure', () => {
    const end = socket.getPeerX509Certificate()?.validTo;
    if (end !== undefined) onCertificate(end);
  });
}

function secureContextOf({ certificateAuthority: ca, certificate: own }: ConnectionSettings): SecureContext {
  const { createSecureContext, getCACertificates } = process.getBuiltinModule('node:tls');
  try {
    return createSecureContext({
      minVersion: 'TLSv1.2',
      ca: ca?.text.reveal() ?? getCACertificates('system'),
      ...(own && { cert: own.certificate.text.reveal(), key: own.key.text.reveal() }),
    });
  } catch (cause) {
    const parts = [ca?.from, own?.certificate.from, own?.key.from].filter((from) => from !== undefined);
    throw new CalicoError('config', `cannot use ${parts.join(', ')} for TLS with the Kubernetes API`, {
      details: errorText(cause),
      cause,
    });
  }
}

/** With listeners: `for await` would load 1 ms more of Node. */
function answerOf(response: IncomingMessage): Promise<HttpAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const pieces: Buffer[] = [];
  let byteLength = 0;
  response.on('data', (piece: Buffer) => {
    pieces.push(piece);
    byteLength += piece.length;
    if (byteLength > MAX_ANSWER_BYTES)
      response.destroy(new HttpFailure('TOO_LARGE', `the answer is larger than ${MAX_ANSWER_BYTES} bytes`));
  });
  response.on('error', reject);
  response.on('end', () =>
    resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces) }),
  );
  return promise;
}

function timeoutOf(timeoutMs: number, socket: Socket | null): HttpFailure {
  const missing = socket?.connecting ? 'connection' : 'answer';
  return new HttpFailure('TIMEOUT', `no ${missing} within ${Math.round(timeoutMs)} ms`);
}

function failureOf(error: unknown, certificateEnd: string | undefined): HttpFailure {
  if (error instanceof HttpFailure) return error;
  const text = errorText(error);
  const reason = opensslReason(text);
  if (reason !== undefined) return new HttpFailure('TLS', reason, certificateEnd, error);
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return new HttpFailure(code, text, certificateEnd, error);
}
