/** The server against real sockets. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request, type Server } from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Log } from '../../../../src/base/log.ts';
import { textPage } from '../../../../src/node/serve/pages.ts';
import { type Place, socketPlace, tcpPlace } from '../../../../src/node/serve/place.ts';
import { servePages, serveWhere } from '../../../../src/node/serve/serve-pages.ts';
import { freePort } from '../../../support/free-port.ts';

const stack = new DisposableStack();
const pages = { '/liveness': () => textPage(200, 'live\n') };
let lines: string[] = [];
const note = (message: string, fields: object = {}) =>
  void lines.push(`${message} ${JSON.stringify(fields)}`);
const log: Log = { debug: note, info: note, warn: note, error: note };
const until = (holds: () => boolean | Promise<boolean>) => vi.waitUntil(holds, { timeout: 10_000 });
const listening = () => until(() => lines.some((line) => line.includes('agent: serves')));

afterAll(() => stack.dispose());
afterEach(() => {
  lines = [];
});

async function serve(place?: Place, retryMs = 50): Promise<{ port: number }> {
  const port = await freePort();
  const server = servePages({
    place: place ?? tcpPlace('health', '127.0.0.1', port, 'PORT'),
    pages,
    log,
    retryMs,
  });
  onTestFinished(() => server[Symbol.dispose]());
  return { port };
}

/** What comes back for these bytes until the other side closes. */
async function answerTo(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(bytes);
  return text(socket).catch(() => '');
}

describe('servePages()', () => {
  it('gives pages, and says what there is instead of others', async () => {
    const { port } = await serve();
    await listening();
    const at = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${port}${path}`, { method });
    const page = await at('/liveness?verbose');
    expect([page.status, await page.text()]).toEqual([200, 'live\n']);
    const other = await at('/toString');
    expect([other.status, await other.text()]).toEqual([404, 'there is only /liveness\n']);
    const head = await at('/liveness', 'HEAD');
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '5', '']);
    const deleted = await at('/liveness', 'DELETE');
    expect([deleted.status, deleted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it.each([
    ['a body', 'GET /liveness HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello', '413'],
    ['large headers', `GET /liveness HTTP/1.1\r\nHost: a\r\nA: ${'a'.repeat(10_000)}\r\n\r\n`, '431'],
    ['what is no HTTP', 'hello\r\n\r\n', '400'],
  ])('refuses %s', async (_what, bytes, status) => {
    const { port } = await serve();
    await listening();
    expect(await answerTo(port, bytes)).toMatch(`HTTP/1.1 ${status}`);
  });

  it('lets go of those who ask and do not read', async () => {
    const long = 'x'.repeat(3_000_000);
    const port = await freePort();
    const place = tcpPlace('metrics', '127.0.0.1', port, 'PORT');
    using _server = servePages({ place, pages: { '/metrics': () => textPage(200, long) }, log });
    await listening();
    const socket = connect(port, '127.0.0.1').pause();
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => undefined);
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(3));
    await new Promise((resolve) => setTimeout(resolve, 13_000));
    // All that was under way, and no end of it.
    expect((await text(socket).catch(() => '')).length).toBeLessThan(3 * long.length);
  }, 20_000);

  it('waits until a port is free, and says once who to look for', async () => {
    const port = await freePort();
    const other = createServer().listen(port, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    await serve(tcpPlace('health', '127.0.0.1', port, 'FELIX_HEALTHPORT'));
    await until(() => lines.length > 0);
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(lines).toEqual([
      expect.stringContaining(`health cannot be served at 127.0.0.1:${port}: it is in use`),
    ]);
    expect(lines[0]).toContain('FELIX_HEALTHPORT');
    other.close();
    await listening();
    expect((await fetch(`http://127.0.0.1:${port}/liveness`)).status).toBe(200);
  });

  it.each([
    ['listens', (server: Server) => new Promise<void>((resolve) => server.listen({ port: 0 }, resolve))],
    ['is refused', () => Promise.reject(new Error('no place'))],
  ])('ends also when it is disposed of before it %s', async (_, listen) => {
    const { promise: look, resolve: goOn } = Promise.withResolvers<void>();
    const attempts: { readonly server: Server; readonly end: Promise<unknown> }[] = [];
    const place: Place = {
      ...tcpPlace('health', '127.0.0.1', 0, 'PORT'),
      listen: (server) => {
        const end = look.then(() => listen(server));
        attempts.push({ server, end: end.catch(() => undefined) });
        return end;
      },
    };
    servePages({ place, pages, log, retryMs: 1 })[Symbol.dispose]();
    goOn();
    await attempts[0]?.end;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(attempts.map(({ server }) => server.listening)).toEqual([false]);
    expect(lines).toEqual([]);
  });

  it('says so when it has no such address', async () => {
    await serve(tcpPlace('health', '192.0.2.1', 9099, 'X'));
    await until(() => lines.length > 0);
    expect(lines[0]).toContain('EADDRNOTAVAIL');
  });
});

describe('socketPlace()', () => {
  const folder = () => {
    const path = mkdtempSync(join(tmpdir(), 'socket-'));
    stack.defer(() => rmSync(path, { recursive: true, force: true }));
    return path;
  };
  const get = (socketPath: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
    request({ socketPath, path: '/liveness' }, ({ statusCode }) => resolve(statusCode))
      .on('error', reject)
      .end();
    return promise;
  };

  it('is for root alone, and makes its folder', async () => {
    const path = join(folder(), 'calico', 'node.sock');
    await serve(socketPlace('the status', path, 'SOCKET'));
    await listening();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await get(path)).toBe(200);
  });

  it('leaves alone what another agent listens at', async () => {
    const path = join(folder(), 'node.sock');
    await serve(socketPlace('the status', path, 'CALICO_NODE_SOCKET'));
    await listening();
    await serve(socketPlace('the status', path, 'CALICO_NODE_SOCKET'));
    await until(() => lines.some((line) => line.includes('it is in use')));
    expect(lines.at(-1)).toContain('CALICO_NODE_SOCKET');
    expect(await get(path)).toBe(200);
  });

  it('removes nothing but what an agent left', async () => {
    const path = join(folder(), 'notes.txt');
    writeFileSync(path, 'mine');
    await serve(socketPlace('the status', path, 'SOCKET'));
    await until(() => lines.some((line) => line.includes('cannot be served')));
    expect(readFileSync(path, 'utf8')).toBe('mine');
  });

  it('takes the place of one that was killed', async () => {
    const path = join(folder(), 'node.sock');
    const script = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', script]);
    expect(existsSync(path)).toBe(true);
    await serve(socketPlace('the status', path, 'SOCKET'));
    await listening();
    expect(await get(path)).toBe(200);
  });
});

describe('serveWhere()', () => {
  it('moves with its settings, and ends when they say so', async () => {
    const [one, two] = [await freePort(), await freePort()];
    const server = stack.use(
      serveWhere({ pages, log }, ({ host, port }) => tcpPlace('health', host, port, 'X')),
    );
    const at = (port: number, isEnabled = true) => server.move({ isEnabled, host: '127.0.0.1', port });
    const isUp = (port: number) =>
      fetch(`http://127.0.0.1:${port}/liveness`).then(
        () => true,
        () => false,
      );
    at(one);
    at(one);
    await until(() => isUp(one));
    at(two);
    await until(() => isUp(two));
    expect(await isUp(one)).toBe(false);
    at(two, false);
    expect(await isUp(two)).toBe(false);
    expect(lines.filter((line) => line.includes('agent: serves'))).toHaveLength(2);
  });
});
