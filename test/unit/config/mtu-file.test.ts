import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chooseMtu, readMtuFile } from '../../../src/config/mtu-file.ts';

describe('chooseMtu()', () => {
  it.each([
    [undefined, undefined, undefined],
    [1400, undefined, 1400],
    [undefined, '1440\n', 1440],
    [1400, '1440', 1400],
    [undefined, '0', undefined],
    [1400, '0', 1400],
    [undefined, ' 001440 \n', 1440],
    [undefined, '68', 68],
    [undefined, '65535', 65535],
  ])('configured %j, file %j: %j', (confMtu, fileText, mtu) => {
    expect(chooseMtu({ confMtu, fileText })).toBe(mtu);
  });

  it.each(['', 'auto', '14.5', '-1', '1440 bytes', '1440\n1500', '0x5dc', '67', '65536', '9999999'])(
    'refuses the file text %j, even when an MTU is configured',
    (fileText) => {
      for (const confMtu of [1400, undefined]) {
        expect(() => chooseMtu({ confMtu, fileText })).toThrow(
          expect.objectContaining({
            kind: 'config',
            message: `failed to read MTU file: ${JSON.stringify(fileText)} is no MTU`,
          }),
        );
      }
    },
  );
});

describe('readMtuFile()', () => {
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'mtu-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it('is the text of the file', () => {
    writeFileSync(join(directory, 'mtu'), '1440\n');
    expect(readMtuFile(true, join(directory, 'mtu'))).toBe('1440\n');
  });

  it('is undefined without a file, unless there must be one', () => {
    const absent = join(directory, 'absent');
    expect(readMtuFile(false, absent)).toBeUndefined();
    expect(() => readMtuFile(true, absent)).toThrow(
      expect.objectContaining({
        kind: 'config',
        message: expect.stringMatching(/^failed to read MTU file: ENOENT/),
      }),
    );
  });

  it('fails on a file that cannot be read, needed or not', () => {
    expect(() => readMtuFile(false, directory)).toThrow(/^failed to read MTU file: EISDIR/);
  });
});
