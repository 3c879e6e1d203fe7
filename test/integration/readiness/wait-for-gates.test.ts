import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { deadlineIn } from '../../../src/base/deadline.ts';
import { waitForGates } from '../../../src/readiness/wait-for-gates.ts';
import { steppedClock } from '../../support/stepped-clock.ts';

describe('waitForGates()', () => {
  /** How many more times each path is closed, and what was asked. */
  const closedFor = new Map<string, number>();
  let asked: string[] = [];
  const server = createServer(({ url = '' }, response) => {
    asked.push(url);
    const times = closedFor.get(url) ?? 0;
    closedFor.set(url, times - 1);
    response.writeHead(times > 0 ? 503 : 200).end();
  });
  let base = '';
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());
  beforeEach(() => {
    asked = [];
    closedFor.clear();
  });

  async function wait(paths: readonly string[], budgetMs = 60_000): Promise<number> {
    const clock = steppedClock();
    const urls = paths.map((path) => base.replace('//', '//user:secret@') + path);
    await waitForGates(urls, clock, deadlineIn(clock, budgetMs, 'ADD'));
    return clock.monotonicMs();
  }

  it('does not wait for open gates, or for none', async () => {
    expect(await wait(['/a', '/b'])).toBe(0);
    expect(asked.toSorted()).toEqual(['/a', '/b']);
    expect(await wait([])).toBe(0);
  });

  it('asks closed gates again every second, and open ones no more', async () => {
    closedFor.set('/b', 2);
    expect(await wait(['/a', '/b'])).toBe(2_000);
    expect(asked.toSorted()).toEqual(['/a', '/b', '/b', '/b']);
  });

  it('gives up after 30 seconds, and names the gates that are closed, without their credentials', async () => {
    closedFor.set('/b', 100).set('/c', 100);
    await expect(wait(['/a', '/b', '/c'])).rejects.toMatchObject({
      kind: 'unavailable',
      message: `readiness gates are not ready after 29000 ms: ${base}/b: it answers 503 Service Unavailable; ${base}/c: it answers 503 Service Unavailable`,
    });
  });

  it('gives up at the deadline of the call', async () => {
    closedFor.set('/a', 100);
    await expect(wait(['/a'], 4_000)).rejects.toMatchObject({
      message: expect.stringMatching(/^readiness gates are not ready after 3000 ms/),
    });
    expect(asked).toHaveLength(4);
  });
});
