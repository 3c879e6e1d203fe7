import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Etcd, startEtcd } from '../../support/etcd.ts';
import { toolPath, whyNotRoot } from '../../support/tools.ts';

describe('startEtcd()', () => {
  let etcd: Etcd;
  beforeAll(async () => {
    etcd = await startEtcd();
  });
  beforeEach(() => etcd.wipe());
  afterAll(() => etcd.stop());

  it('serves the data it was given, by key and by prefix', async () => {
    await etcd.put('/a/1', 'one');
    await etcd.put('/a/2', 'zwölf');
    await etcd.put('/b', 'other');
    expect(await etcd.get('/a/2')).toBe('zwölf');
    expect(await etcd.get('/a/3')).toBeUndefined();
    expect([...(await etcd.list('/a/'))]).toEqual([
      ['/a/1', 'one'],
      ['/a/2', 'zwölf'],
    ]);
  });

  it('removes one prefix, or everything', async () => {
    for (const key of ['/a/1', '/a/2', '/b']) await etcd.put(key, 'x');
    await etcd.remove('/a/');
    expect([...(await etcd.list('/')).keys()]).toEqual(['/b']);
    await etcd.wipe();
    expect(await etcd.list('')).toEqual(new Map());
  });

  it('keeps what it has answered when it crashes', async () => {
    for (const round of ['1', '2']) {
      await etcd.put('/a', round);
      await etcd.crash();
      expect(await etcd.isHealthy()).toBe(false);
      await etcd.restart();
      expect(await etcd.get('/a')).toBe(round);
    }
  });

  it('listens on its endpoint', async () => {
    const health = await fetch(`${etcd.endpoint}/health`);
    expect(await health.json()).toMatchObject({ health: 'true' });
  });

  it('counts the requests it answered', async () => {
    const before = await etcd.requestCounts();
    await etcd.put('/a', 'x');
    const after = await etcd.requestCounts();
    expect((after.get('Put') ?? 0) - (before.get('Put') ?? 0)).toBe(1);
  });
});

describe('startEtcd({ netns })', () => {
  const netns = `etcd-${process.pid}`;
  const ip = (...args: readonly string[]) => execFileSync('ip', args, { env: { PATH: toolPath() } });

  it('serves inside that namespace and is reached from outside', async ({ skip }) => {
    skip(whyNotRoot() !== undefined, whyNotRoot());
    ip('netns', 'add', netns);
    try {
      ip('-n', netns, 'link', 'set', 'lo', 'up');
      const etcd = await startEtcd({ netns });
      await etcd.put('/a', 'x');
      expect(await etcd.get('/a')).toBe('x');
      await expect(fetch(`${etcd.endpoint}/health`)).rejects.toThrow();
      await etcd.stop();
    } finally {
      ip('netns', 'del', netns);
    }
  });
});
