import { describe, expect, it } from 'vitest';
import { describeJson, isJsonObject, jsonKey, jsonMember } from '../../../src/base/json-object.ts';

describe('jsonMember()', () => {
  it.each([
    [{ mtu: 1 }, 1],
    [{ MTU: 2 }, 2],
    [{ Mtu: 2, mtu: 1 }, 1],
    [{ mtu: 1, Mtu: 2 }, 1],
    [{ Mtu: 1, MTU: 2 }, 2],
    [{ mtu: null, MTU: 2 }, undefined],
    [{ MTU: null }, undefined],
    [{ mtu: 0 }, 0],
    [{}, undefined],
  ])('of %j is %j', (object, value) => {
    expect(jsonMember(object, 'mtu')).toBe(value);
  });

  it('finds nothing that the object only inherits', () => {
    expect(jsonMember({}, 'constructor')).toBeUndefined();
    expect(jsonMember(JSON.parse('{"__proto__":{"mtu":1}}'), 'mtu')).toBeUndefined();
  });
});

describe('jsonKey()', () => {
  it.each([
    [{ mtu: 1, MTU: 2 }, 'mtu'],
    [{ Mtu: 1, MTU: 2 }, 'MTU'],
    [{ MTU: null }, 'MTU'],
    [{ mtus: 1 }, undefined],
  ])('in %j is %s', (object, key) => {
    expect(jsonKey(object, 'mtu')).toBe(key);
  });
});

describe('describeJson()', () => {
  it.each([
    [undefined, 'nothing'],
    [null, 'null'],
    [[1], 'an array'],
    [{}, 'an object'],
    [true, 'boolean true'],
    [1.5, 'number 1.5'],
    ['1500', 'string "1500"'],
    ['a"b\n', 'string "a\\"b\\n"'],
    ['x'.repeat(100), `string "${'x'.repeat(60)}…"`],
  ])('says of %j: %s', (value, text) => {
    expect(describeJson(value)).toBe(text);
  });
});

describe('isJsonObject()', () => {
  it('tells an object from an array, null and the rest', () => {
    expect([{}, [], null, 'x', 1, undefined].map(isJsonObject)).toEqual([
      true,
      false,
      false,
      false,
      false,
      false,
    ]);
  });
});
