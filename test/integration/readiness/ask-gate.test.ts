import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askGate } from '../../../src/readiness/ask-gate.ts';
import { makeCa, makeCertificate } from '../../support/certificates.ts';
import { freePort } from '../../support/free-port.ts';
import { run } from '../../support/run.ts';
import { REPOSITORY } from '../../support/tools.ts';

const WAIT_MS = 5_000;

/** `/<status>` answers with it, `/to/<path>` redirects there, `/endless` never ends its answer. */
const answer: RequestListener = ({ url = '', headers }, response) => {
  const to = /^\/to(\/.*)/.exec(url)?.[1];
  if (to !== undefined) response.writeHead(302, { location: to }).end();
  else if (url === '/loop') response.writeHead(307, { location: '/loop' }).end();
  else if (url === '/silent') return;
  else if (url === '/endless') response.writeHead(200).write('x');
  else if (url === '/secret') response.writeHead(headers.authorization === 'Basic dTpw' ? 200 : 401).end();
  else response.writeHead(Number(url.slice(1))).end('body');
};

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

describe('askGate()', () => {
  const server = createServer(answer);
  let base = '';
  beforeAll(async () => {
    base = `http://127.0.0.1:${await listen(server)}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  it.each(['/200', '/204', '/302', '/399', '/to/200', '/to/to/204', '/endless'])(
    'takes %s for ready',
    async (path) => {
      expect(await askGate(base + path, WAIT_MS)).toBeUndefined();
    },
  );

  it.each([
    ['/400', 'it answers 400 Bad Request'],
    ['/503', 'it answers 503 Service Unavailable'],
    ['/599', 'it answers 599 unknown'],
    ['/to/500', 'it answers 500 Internal Server Error'],
    ['/loop', 'stopped after 10 redirects'],
  ])('does not take %s for ready', async (path, reason) => {
    expect(await askGate(base + path, WAIT_MS)).toBe(reason);
  });

  it('does not wait longer than it may', async () => {
    const startMs = performance.now();
    expect(await askGate(`${base}/silent`, 100)).toBe('no answer within 100 ms');
    expect(performance.now() - startMs).toBeLessThan(2_000);
  });

  it('sends the credentials of the URL', async () => {
    expect(await askGate(`${base.replace('//', '//u:p@')}/secret`, WAIT_MS)).toBeUndefined();
    expect(await askGate(`${base}/secret`, WAIT_MS)).toBe('it answers 401 Unauthorized');
  });

  it('says why there is no answer', async () => {
    const port = await freePort();
    expect(await askGate(`http://127.0.0.1:${port}/`, WAIT_MS)).toBe(
      `connect ECONNREFUSED 127.0.0.1:${port}`,
    );
    expect(await askGate(`http://localhost:${port}/`, WAIT_MS)).toContain('connect ECONNREFUSED');
  });

  it('says so when the answer is not HTTP', async () => {
    const odd = createTcpServer((socket) => socket.end('ssh-2.0\r\n'));
    await new Promise<void>((resolve) => odd.listen(0, '127.0.0.1', resolve));
    const { port } = odd.address() as AddressInfo;
    expect(await askGate(`http://127.0.0.1:${port}/`, WAIT_MS)).toContain('Parse Error');
    odd.close();
  });
});

describe('askGate() with https', () => {
  const folder = mkdtempSync(join(tmpdir(), 'gate-'));
  const ca = makeCa(folder, 'ca');
  const { cert, key } = makeCertificate(folder, 'server', ca, 'IP:127.0.0.1');
  const server = createSecureServer({ cert: readFileSync(cert), key: readFileSync(key) }, answer);
  let url = '';
  beforeAll(async () => {
    url = `https://127.0.0.1:${await listen(server)}/200`;
  });
  afterAll(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });

  /** A process reads the system's certificates once, so each question has its own. */
  async function ask(env: Readonly<Record<string, string>>): Promise<string> {
    const file = join(REPOSITORY, 'src/readiness/ask-gate.ts');
    const script = `import { askGate } from ${JSON.stringify(file)}; console.log(await askGate(${JSON.stringify(url)}, 5000));`;
    const { stdout, stderr } = await run([process.execPath, '--input-type=module', '-e', script], { env });
    return (stdout || stderr).trim();
  }

  it('trusts whom the system trusts', async () => {
    expect(await ask({ SSL_CERT_FILE: ca.cert })).toBe('undefined');
  });

  it('trusts no one else, whatever the environment says', async () => {
    expect(await ask({ NODE_TLS_REJECT_UNAUTHORIZED: '0' })).toContain('certificate');
  });
});
