import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readText } from '../../../src/cni/stdin.ts';

describe('readText()', () => {
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'stdin-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  async function read(content: string | Uint8Array, maxBytes?: number): Promise<string> {
    const file = join(directory, 'stdin');
    writeFileSync(file, content);
    const fd = openSync(file, 'r');
    try {
      return await readText(fd, maxBytes);
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
    expect(await read('12345', 5)).toBe('12345');
    await expect(read('123456', 5)).rejects.toMatchObject({
      kind: 'input',
      message: 'it holds more than 5 bytes',
    });
  });

  it('fails on a descriptor that cannot be read', async () => {
    const fd = openSync(directory, 'r');
    await expect(readText(fd)).rejects.toThrow('EISDIR');
    closeSync(fd);
  });
});
