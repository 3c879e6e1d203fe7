import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parseTuning, readTuning } from '../../../src/network/read-tuning.ts';

const NOTHING = { formerMac: undefined, formerMtu: undefined };
const folder = mkdtempSync(join(tmpdir(), 'tuning-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('parseTuning()', () => {
  it.each([
    ['{\n "mac": "02:11:22:33:44:55",\n "mtu": 1300\n}', { formerMac: '02:11:22:33:44:55', formerMtu: 1300 }],
    ['{"promisc": false}', NOTHING],
    ['{"mac": 5, "mtu": "1300"}', NOTHING],
    ['[]', NOTHING],
    ['null', NOTHING],
  ])('reads %j', (text, expected) => {
    expect(parseTuning(text)).toEqual(expected);
  });
});

describe('readTuning()', () => {
  it('finds the note about one interface of one container', () => {
    writeFileSync(join(folder, '0a1b_eth0.json'), '{"mtu": 1440}');
    expect(readTuning('0a1b', 'eth0', folder)).toEqual({ formerMac: undefined, formerMtu: 1440 });
    expect(readTuning('0a1b', 'eth1', folder)).toEqual(NOTHING);
  });

  it('takes a note that cannot be read for none', () => {
    writeFileSync(join(folder, 'half_eth0.json'), '{"mtu": 14');
    expect(readTuning('half', 'eth0', folder)).toEqual(NOTHING);
  });
});
