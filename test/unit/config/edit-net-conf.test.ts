import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editNetConf } from '../../../src/config/edit-net-conf.ts';

describe('editNetConf()', () => {
  it('replaces a value, and adds a member', () => {
    const edits = [
      { path: ['ipam', 'ranges', 1, 0, 'subnet'], value: '10.0.0.0/24' },
      { path: ['ipam', 'ipv4_pools'], value: ['a', 'b'] },
    ];
    expect(editNetConf('{"ipam":{"ranges":[[{}],[{"subnet":"x","gateway":"y"}]]},"mtu":5}', edits)).toBe(
      '{"ipam":{"ranges":[[{}],[{"subnet":"10.0.0.0/24","gateway":"y"}]],"ipv4_pools":["a","b"]},"mtu":5}',
    );
  });

  it('keeps numbers as they are written', () => {
    const numbers = '"a":[9007199254740993,-18446744073709551615,1e400,1.0,0.10000000000000000001,-0,1E5]';
    expect(editNetConf(`{${numbers}}`, [{ path: ['b'], value: 'c' }])).toBe(`{${numbers},"b":"c"}`);
  });

  it('keeps a member called __proto__', () => {
    expect(editNetConf('{"__proto__":{"a":1},"b":"c"}', [{ path: ['b'], value: 'd' }])).toBe(
      '{"__proto__":{"a":1},"b":"d"}',
    );
  });

  it('returns the text itself when there is nothing to edit', () => {
    const text = '{ "a" :\n 1, "a": 2 }';
    expect(editNetConf(text, [])).toBe(text);
  });

  it('refuses a path through nothing', () => {
    expect(() => editNetConf('{"a":1}', [{ path: ['b', 'c'], value: '' }])).toThrow(
      expect.objectContaining({ kind: 'internal' }),
    );
  });

  it('changes nothing but what it is told', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (json, value) => {
        const edited = editNetConf(JSON.stringify(json), [{ path: ['edited'], value }]);
        expect(JSON.parse(edited)).toEqual(JSON.parse(JSON.stringify({ ...json, edited: value })));
      }),
    );
  });
});
