import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deadlineIn } from '../../../src/base/deadline.ts';
import { createInterrupter } from '../../../src/base/interruption.ts';
import { readText } from '../../../src/cni/stdin.ts';
import { steppedClock } from '../../support/stepped-clock.ts';

describe('readText()', () => {
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'stdin-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const deadline = deadlineIn(steppedClock(), 1_000, 'the call');
  const waitForData = () => true;

  async function read(
    content: string | Uint8Array,
    limits: { readonly maxBytes?: number } = {},
  ): Promise<string> {
    const file = join(directory, 'stdin');
    writeFileSync(file, content);
    const fd = openSync(file, 'r');
    try {
      return await readText({ fd, waitForData, deadline, ...limits });
    } finally {
      closeSync(fd);
    }
  }

  it('reads nothing, a little, and more than one chunk', async () => {
    expect(await read('')).toBe('');
    expect(await read('{"name":"n\u00e9t"}')).toBe('{"name":"n\u00e9t"}');
    const long = 'é'.repeat(200_000);
    expect(await read(`x${long}`)).toBe(`x${long}`);
  });

  it('reads up to the limit and not a byte more', async () => {
    expect(await read('12345', { maxBytes: 5 })).toBe('12345');
    await expect(read('123456', { maxBytes: 5 })).rejects.toMatchObject({
      kind: 'input',
      message: 'it holds more than 5 bytes',
    });
  });

  it('fails on a descriptor that cannot be read', async () => {
    const fd = openSync(directory, 'r');
    await expect(readText({ fd, waitForData, deadline })).rejects.toThrow('EISDIR');
    closeSync(fd);
  });

  it('gives up on what is never closed, and says how much came', async () => {
    const clock = steppedClock();
    const stuck = (_fd: number, timeoutMs: number) => {
      if (timeoutMs > 0) void clock.sleep(timeoutMs);
      return false;
    };
    const read = readText({ fd: 0, waitForData: stuck, deadline: deadlineIn(clock, 500, 'the call') });
    await expect(read).rejects.toMatchObject({
      kind: 'input',
      message: 'it was not closed within 500 ms, after 0 bytes',
    });
  });

  it('ends when it is interrupted', async () => {
    const { interruption, interrupt } = createInterrupter();
    const soon = deadlineIn(steppedClock(), 500, 'the call', interruption);
    const read = readText({ fd: 0, waitForData: () => false, deadline: soon });
    interrupt('SIGTERM');
    await expect(read).rejects.toMatchObject({
      kind: 'unavailable',
      message: 'terminated by SIGTERM before the call was done',
    });
  });
});
