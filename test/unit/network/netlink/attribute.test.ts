import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  attribute,
  attributeText,
  attributeU32,
  decodeAttributes,
  nested,
  readS32,
  readText,
  readU32,
} from '../../../../src/network/netlink/attribute.ts';

const values = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));

describe('decodeAttributes()', () => {
  it('reads back any list of attributes', () => {
    const lists = fc.uniqueArray(fc.tuple(fc.nat(0x3fff), values), { selector: ([type]) => type });
    fc.assert(
      fc.property(lists, (list) => {
        const bytes = Buffer.concat(list.map(([type, value]) => attribute(type, value)));
        expect([...decodeAttributes(bytes)]).toEqual(list);
      }),
    );
  });

  it('reads attributes within attributes, whether or not they are marked as nested', () => {
    const inner = nested(5, [attributeU32(1, 7), attributeText(2, 'veth')]);
    inner.writeUInt16LE(0x8005, 2);

    const value = decodeAttributes(inner).get(5) ?? Buffer.alloc(0);

    expect(readU32(decodeAttributes(value).get(1))).toBe(7);
    expect(readText(decodeAttributes(value).get(2))).toBe('veth');
  });

  it('ends on any bytes', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void decodeAttributes(Buffer.from(bytes))));
  });
});

describe('readU32() and readS32()', () => {
  it('read what attributeU32() wrote', () => {
    fc.assert(
      fc.property(fc.integer(), (number) => {
        const value = decodeAttributes(attributeU32(1, number)).get(1);
        expect(readS32(value)).toBe(number);
        expect(readU32(value)).toBe(number >>> 0);
      }),
    );
  });

  it('know an absent value and one of another size', () => {
    expect(readU32(undefined)).toBeUndefined();
    expect(readU32(Buffer.alloc(2))).toBeUndefined();
  });
});
