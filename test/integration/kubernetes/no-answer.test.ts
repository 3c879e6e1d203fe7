import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { deadline } from '../../support/clock.ts';
import { json, POD, statusOf, useFakeApi } from '../../support/fake-kubernetes-api.ts';
import { freePort } from '../../support/free-port.ts';
import { listen, listening } from '../../support/peer.ts';

const { serve, open, failure } = useFakeApi();

describe('a busy server', () => {
  /** Says that it is busy as often as told, then answers. */
  function busy(times: number, code: number, headers: object = {}): RequestListener {
    let left = times;
    return (_request, response) =>
      left-- > 0
        ? json(response, code, statusOf(code, 'TooManyRequests', 'come back'), headers)
        : json(response, 200, POD);
  }

  it.each([
    [429, { 'retry-after': '1' }, 950],
    [503, {}, 150],
    [503, { 'retry-after': 'soon' }, 150],
  ])(
    'that answers %i with %j is asked once more, after %i ms at the least',
    async (code, headers, leastMs) => {
      const url = await serve(busy(1, code, headers));
      const api = await open({ server: url });
      const startMs = performance.now();
      expect(await api.pod('default', 'web-1', deadline())).toMatchObject({ uid: 'u1' });
      expect(performance.now() - startMs).toBeGreaterThan(leastMs);
    },
  );

  it('is asked twice, not more', async () => {
    const url = await serve(busy(2, 429));
    expect(await failure({ server: url })).toMatchObject({
      kind: 'unavailable',
      message: `error getting pod default/web-1 from ${url}: HTTP status 429: come back`,
    });
  });

  it('that wants more time than there is ends it at once', async () => {
    const url = await serve(busy(1, 503, { 'retry-after': '60' }));
    const startMs = performance.now();
    expect(await failure({ server: url }, deadline(20_000))).toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('HTTP status 503, retry after 60: come back'),
    });
    expect(performance.now() - startMs).toBeLessThan(10_000);
  });
});

describe('a server that does not answer', () => {
  it('refuses connections', async () => {
    const url = `https://127.0.0.1:${await freePort()}`;
    expect(await failure({ server: url })).toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(
        new RegExp(`^error getting pod default/web-1 from ${url}: connect ECONNREFUSED`),
      ),
    });
  });

  it.each([
    ['says nothing after the request', () => serve(() => undefined)],
    [
      'stops in the middle of the answer',
      () => serve((_request, response) => void response.writeHead(200).write('{')),
    ],
    ['never begins TLS', async () => `https://127.0.0.1:${await listen(() => undefined)}`],
  ])('%s: the deadline is kept', async (_what, start) => {
    const url = await start();
    expect(await failure({ server: url }, deadline(1_000))).toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(new RegExp(`from ${url}: no answer within \\d+ ms$`)),
    });
  });

  it('sends byte after byte: the deadline is kept', async () => {
    const url = await serve((_request, response) => {
      const timer = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(timer));
    });
    expect(await failure({ server: url }, deadline(300))).toMatchObject({ kind: 'unavailable' });
  });

  it('is one for the second request of a connection as well', async () => {
    const url = await serve((request, response) => {
      if (request.url === '/version') json(response, 200, { gitVersion: 'v1' });
    });
    const api = await open({ server: url });
    await api.version(deadline());
    await expect(api.node('n1', deadline(200))).rejects.toMatchObject({ kind: 'unavailable' });
  });
});

describe('a broken answer', () => {
  it('that is too large is not kept', async () => {
    const url = await serve((_request, response) => {
      const piece = Buffer.alloc(1 << 20, 0x20);
      const more = () => {
        while (!response.destroyed && response.write(piece));
      };
      response.on('drain', more);
      more();
    });
    expect(await failure({ server: url })).toMatchObject({
      kind: 'corrupt',
      message: expect.stringMatching(/: the answer is larger than 16777216 bytes$/),
    });
  });

  it.each([
    ['that is no JSON', '<html>', /: the answer is not JSON: is this a Kubernetes API server\?$/],
    ['of another kind', '{"kind":"List"}', /: kind must be "Pod"$/],
    [
      'with a field of another type',
      '{"kind":"Pod","metadata":{"name":1}}',
      /: metadata.name must be a string$/,
    ],
  ])('%s is corrupt', async (_what, body, message) => {
    const url = await serve((_request, response) => void response.end(body));
    expect(await failure({ server: url })).toMatchObject({
      kind: 'corrupt',
      message: expect.stringMatching(message),
    });
  });

  it('that is no HTTP says so', async () => {
    const port = await listen((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
    expect(await failure({ server: `http://127.0.0.1:${port}` })).toMatchObject({
      kind: 'corrupt',
      message: expect.stringMatching(/it does not speak HTTP/),
    });
  });

  it('of a server without TLS says so', async () => {
    const listener = createHttpServer(() => undefined);
    onTestFinished(() => void listener.close());
    const port = await listening(listener);
    expect(await failure({ server: `https://127.0.0.1:${port}` })).toMatchObject({
      kind: 'config',
      message: expect.stringMatching(/: the server does not speak TLS$/),
    });
  });

  it('because the connection broke is asked for once more', async () => {
    let requests = 0;
    const url = await serve((request, response) => {
      requests++;
      if (requests === 1) request.socket.destroy();
      else json(response, 200, POD);
    });
    const api = await open({ server: url });
    expect(await api.pod('default', 'web-1', deadline())).toMatchObject({ uid: 'u1' });
    expect(requests).toBe(2);
  });

  it('that breaks off is asked for once more', async () => {
    let requests = 0;
    const url = await serve((request, response) => {
      requests++;
      if (requests > 1) return json(response, 200, POD);
      response.writeHead(200, { 'content-length': '100' });
      response.write('{"kind":"Pod",', () => request.socket.destroy());
    });
    const api = await open({ server: url });
    expect(await api.pod('default', 'web-1', deadline())).toMatchObject({ uid: 'u1' });
    expect(requests).toBe(2);
  });

  it('because connections always break is an error', async () => {
    const url = await serve((request) => void request.socket.destroy());
    expect(await failure({ server: url })).toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(/socket hang up|ECONNRESET/),
    });
  });
});
