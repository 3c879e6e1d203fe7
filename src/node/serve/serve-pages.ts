/** A small HTTP server that nobody can keep busy, and whose failure is no failure of the agent. */

import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Log } from '../../base/log.ts';
import type { ServedAt } from '../felix-settings.ts';
import { type Pages, pageOf, textPage } from './pages.ts';
import { type Place, refusalOf } from './place.ts';

export interface ServeOptions {
  readonly place: Place;
  readonly pages: Pages;
  readonly log: Log;
  /** Between two attempts to listen; 10 s where nothing else is said. */
  readonly retryMs?: number;
}

const LIMITS = {
  connections: 64,
  headerBytes: 8_192,
  /** For a request to come and for its answer to be read on; for a connection to be used again. */
  requestMs: 5_000,
  idleMs: 60_000,
};
const RETRY_MS = 10_000;

/** Listens until it is disposed of; where it cannot it says so once, and tries again. */
export function servePages(options: ServeOptions): Disposable {
  const { place, log, retryMs = RETRY_MS } = options;
  let said: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const server = openServer(options);
  const listen = () => void place.listen(server).catch(refused);

  function refused(error: unknown): void {
    if (isOver) return;
    const { message, details } = refusalOf(place, error);
    if (message !== said) log.error(message, { details });
    said = message;
    timer = setTimeout(listen, retryMs).unref();
  }
  server.on('listening', () => {
    // Disposed of while the place was looked at: until now there was nothing to close.
    if (isOver) {
      server.close();
      return;
    }
    said = undefined;
    log.info(`agent: serves ${place.what}`, { at: place.name });
  });
  listen();
  return {
    [Symbol.dispose]: () => {
      isOver = true;
      clearTimeout(timer);
      server.close();
      server.closeAllConnections();
    },
  };
}

function openServer({ pages, place, log }: ServeOptions): Server {
  const server = process.getBuiltinModule('node:http').createServer({
    maxHeaderSize: LIMITS.headerBytes,
    requestTimeout: LIMITS.requestMs,
    headersTimeout: LIMITS.requestMs,
    keepAliveTimeout: LIMITS.idleMs,
    connectionsCheckingInterval: LIMITS.requestMs,
  });
  server.maxConnections = LIMITS.connections;
  server.timeout = LIMITS.requestMs;
  server.on('request', (request, response) => {
    try {
      answer(pages, request, response);
    } catch (error) {
      log.error(`${place.what} cannot be told`, { error: String(error) });
      response.destroy();
    }
  });
  // Who listens is told why it cannot; later there are only connections that could not be taken.
  server.on('error', () => undefined);
  // Serving is not what the agent lives for.
  server.unref();
  return server;
}

function answer(pages: Pages, request: IncomingMessage, response: ServerResponse): void {
  const hasBody =
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length']) > 0;
  const page = hasBody
    ? textPage(413, 'no body is expected\n')
    : pageOf(pages, request.method ?? '', request.url ?? '');
  const body = Buffer.from(page.body);
  response.writeHead(page.status, {
    'content-type': page.type,
    'content-length': body.length,
    'cache-control': 'no-store',
    ...(page.status === 405 ? { allow: 'GET, HEAD' } : {}),
    ...(hasBody ? { connection: 'close' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** Serves where the settings say at the time, if they say so. */
export function serveWhere(
  options: Omit<ServeOptions, 'place'>,
  placeOf: (at: ServedAt) => Place,
): Disposable & {
  readonly move: (at: ServedAt) => void;
} {
  let now: { readonly id: string; readonly server: Disposable | undefined } | undefined;
  return {
    move: (at) => {
      const id = JSON.stringify(at);
      if (now?.id === id) return;
      now?.server?.[Symbol.dispose]();
      now = { id, server: at.isEnabled ? servePages({ ...options, place: placeOf(at) }) : undefined };
    },
    [Symbol.dispose]: () => now?.server?.[Symbol.dispose](),
  };
}
