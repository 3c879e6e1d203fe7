import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/base/deadline.ts';
import { waitForPolicy } from '../../../src/readiness/wait-for-policy.ts';
import { steppedClock } from '../../support/stepped-clock.ts';

const ENDPOINT = {
  orchestrator: 'k8s',
  namespace: 'test',
  podName: 'web-1',
  endpoint: 'eth0',
  mac: '02:00:00:00:00:02',
  ipNetworks: [],
};

describe('waitForPolicy()', () => {
  let directory = '';
  let file = '';
  beforeEach(() => {
    directory = join(mkdtempSync(join(tmpdir(), 'status-')), 'endpoint-status');
    file = join(directory, 'k8s test%2Fweb-1 eth0');
    mkdirSync(directory);
  });
  afterEach(() => rmSync(join(directory, '..'), { recursive: true }));

  const wait = (clock: Clock, timeoutMs = 1_000) => waitForPolicy(ENDPOINT, directory, timeoutMs, clock);

  it('does not wait when the report is there', async () => {
    writeFileSync(file, '');
    const clock = steppedClock();
    expect(await wait(clock, 0)).toEqual({ isReady: true });
    expect(clock.monotonicMs()).toBe(0);
  });

  it('goes on as soon as the report comes, be it in a directory that was not there before', async () => {
    rmSync(directory, { recursive: true });
    const clock = steppedClock((ms) => {
      if (ms !== 200) return;
      mkdirSync(directory);
      writeFileSync(file, '{"mac":"02:00:00:00:00:02"}');
    });
    expect(await wait(clock)).toEqual({ isReady: true });
    expect(clock.monotonicMs()).toBe(200);
  });

  it('is not content with the report on an earlier sandbox', async () => {
    writeFileSync(file, '{"mac":"02:00:00:00:00:01"}');
    const clock = steppedClock((ms) => {
      if (ms === 400) writeFileSync(file, '{"mac":"02:00:00:00:00:02"}');
    });
    expect(await wait(clock)).toEqual({ isReady: true });
    expect(clock.monotonicMs()).toBe(400);
  });

  it.each([
    ['there is no file', undefined, 'ENOENT: no such file or directory'],
    ['it is about an earlier sandbox', '{"mac":"02:00:00:00:00:01"}', 'the file is about an earlier sandbox'],
  ])('gives up at the end of the time, not before or later, when %s', async (_, text, why) => {
    if (text !== undefined) writeFileSync(file, text);
    const clock = steppedClock();
    const state = await wait(clock, 1_010);
    expect(state).toEqual({
      isReady: false,
      reason: expect.stringContaining(
        `timed out waiting for endpoint status file '${file}' for 1010 ms: ${why}`,
      ),
    });
    expect(clock.monotonicMs()).toBe(1_010);
  });
});
