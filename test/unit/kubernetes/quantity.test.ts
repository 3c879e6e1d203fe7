import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseQuantity } from '../../../src/kubernetes/quantity.ts';

const LARGEST = 2n ** 63n - 1n;

describe('parseQuantity()', () => {
  it.each([
    ['0', 0n],
    ['10', 10n],
    ['+10', 10n],
    ['-10', -10n],
    ['10M', 10_000_000n],
    ['1k', 1_000n],
    ['1.01k', 1_010n],
    ['1.01P', 1_010_000_000_000_000n],
    ['1Gi', 1_073_741_824n],
    ['4Gi', 4_294_967_296n],
    ['0.5Ki', 512n],
    ['1Ei', 1_152_921_504_606_846_976n],
    ['1E', 1_000_000_000_000_000_000n],
    ['1e3', 1_000n],
    ['1E3', 1_000n],
    ['1e+3', 1_000n],
    ['12.5e-1', 2n],
    ['.5k', 500n],
    ['5.', 5n],
    ['007', 7n],
  ])('reads %s', (text, value) => {
    expect(parseQuantity(text)).toBe(value);
  });

  it.each([
    ['100m', 1n],
    ['1500m', 2n],
    ['1u', 1n],
    ['1n', 1n],
    ['-100m', -1n],
    ['1e-999999999', 1n],
    ['0e-5', 0n],
    ['1.0001k', 1001n],
  ])('rounds %s away from zero', (text, value) => {
    expect(parseQuantity(text)).toBe(value);
  });

  it.each([
    ['9223372036854775808', LARGEST],
    ['100E', LARGEST],
    ['1e999999999999', LARGEST],
    ['-1e99', -LARGEST],
    ['0e999999999', 0n],
  ])('bounds %s', (text, value) => {
    expect(parseQuantity(text)).toBe(value);
  });

  it.each([
    ...[
      '',
      '.',
      '-',
      'M',
      '10 M',
      ' 10',
      '10\n',
      '1K',
      '1mi',
      '1ki',
      '1i',
      '.5i',
      '1e',
      '1e+',
      '1e1.5',
      '0x10',
    ],
    ...['1,000', '1.1.1', '--1', '1MM', 'ten', '10Mbit', '٣', 'NaN', 'Infinity', '1'.repeat(65)],
  ])('refuses %j', (text) => {
    expect(parseQuantity(text)).toBeUndefined();
  });

  it('reads every whole number back', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -LARGEST, max: LARGEST }), (value) => {
        expect(parseQuantity(`${value}`)).toBe(value);
      }),
    );
  });

  it.each([
    ['k', 3, 10n],
    ['M', 6, 10n],
    ['Ki', 1, 1024n],
    ['Gi', 3, 1024n],
  ] as const)('multiplies with %s exactly', (suffix, power, base) => {
    fc.assert(
      fc.property(fc.nat(), (count) => {
        expect(parseQuantity(`${count}${suffix}`)).toBe(BigInt(count) * base ** BigInt(power));
      }),
    );
  });

  it('reads any text, or refuses it', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[-+0-9.eEkMGi]{0,70}$/)), (text) => {
        const value = parseQuantity(text) ?? 0n;
        expect(value <= LARGEST && value >= -LARGEST).toBe(true);
      }),
    );
  });
});
