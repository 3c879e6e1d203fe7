/** Input that is nearly right: samples of what a decoder expects, mangled in the ways in which data goes wrong. */

import fc from 'fast-check';

const MANGLINGS = 4;
const LONGEST_INSERTION = 40;

/** The samples with bits flipped, pieces cut out, doubled, overwritten or inserted; some are left as they are. */
export function mangledBytes(samples: readonly Uint8Array[]): fc.Arbitrary<Buffer> {
  const sample: fc.Arbitrary<Buffer> = fc.constantFrom(...samples.map((bytes) => Buffer.from(bytes)));
  return fc
    .tuple(sample, fc.array(mangling(sample), { maxLength: MANGLINGS }))
    .map(([bytes, manglings]) => manglings.reduce<Buffer>((mangled, mangle) => mangle(mangled), bytes));
}

/** Like {@link mangledBytes}, as the text that a lenient reader makes of them. */
export function mangledText(samples: readonly string[]): fc.Arbitrary<string> {
  const bytes = mangledBytes(samples.map((sample) => Buffer.from(sample)));
  return fc.oneof(
    { weight: 4, arbitrary: bytes.map(String) },
    {
      weight: 1,
      arbitrary: fc.uint8Array({ maxLength: LONGEST_INSERTION }).map((text) => Buffer.from(text).toString()),
    },
    { weight: 1, arbitrary: longText(samples) },
  );
}

/** The text of samples of JSON in which values have another type, are extreme, missing, or at another place. */
export function mangledJson(samples: readonly unknown[]): fc.Arbitrary<string> {
  const sample = fc.constantFrom(...samples);
  const changed = fc
    .tuple(sample, fc.array(fc.tuple(fc.array(fc.nat(99), { maxLength: 6 }), oddJson), { maxLength: 3 }))
    .map(([json, changes]) => changes.reduce((result, [steps, odd]) => replaceAt(result, steps, odd), json))
    .map(printJson);
  return fc.oneof(
    { weight: 8, arbitrary: changed },
    { weight: 2, arbitrary: mangledText(samples.map(printJson)) },
    { weight: 1, arbitrary: fc.constantFrom(...samples.flatMap(deep)) },
  );
}

type Mangle = (bytes: Buffer) => Buffer;

function mangling(sample: fc.Arbitrary<Buffer>): fc.Arbitrary<Mangle> {
  const place = fc.double({ min: 0, max: 1, noNaN: true });
  const at = (bytes: Buffer, where: number) => Math.floor(where * bytes.length);
  const insertion = fc.oneof(
    fc.uint8Array({ maxLength: LONGEST_INSERTION }).map((bytes) => Buffer.from(bytes)),
    sample,
  );
  return fc.oneof(
    fc.tuple(place, fc.nat(7)).map(
      ([where, bit]): Mangle =>
        (bytes) => {
          const flipped = Buffer.from(bytes);
          const index = at(bytes, where);
          if (index < bytes.length) flipped[index] = (bytes[index] ?? 0) ^ (1 << bit);
          return flipped;
        },
    ),
    fc.tuple(place, place).map(
      ([a, b]): Mangle =>
        (bytes) => {
          const [from, to] = [at(bytes, Math.min(a, b)), at(bytes, Math.max(a, b))];
          return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
        },
    ),
    place.map(
      (where): Mangle =>
        (bytes) =>
          bytes.subarray(0, at(bytes, where)),
    ),
    fc.tuple(place, insertion).map(
      ([where, inserted]): Mangle =>
        (bytes) => {
          const index = at(bytes, where);
          return Buffer.concat([bytes.subarray(0, index), inserted, bytes.subarray(index)]);
        },
    ),
    fc.tuple(place, fc.constantFrom(0x00, 0x7f, 0x80, 0xff)).map(
      ([where, byte]): Mangle =>
        (bytes) => {
          const index = at(bytes, where);
          return Buffer.concat([bytes.subarray(0, index), Buffer.alloc(4, byte), bytes.subarray(index + 4)]);
        },
    ),
  );
}

/** One character or the whole sample so often that a reader that is slower than its input is long shows it. */
function longText(samples: readonly string[]): fc.Arbitrary<string> {
  const piece = fc.oneof(
    fc.constantFrom('a', '0', '1', '"', ' ', ':', '/', '.', '[', '{', '(', '!', '\\', '=', ';', '-', '\n'),
    fc.constantFrom(...samples),
  );
  return fc
    .tuple(fc.constantFrom('', ...samples), piece, fc.constantFrom('', '!', '\0', '}'))
    .map(([before, repeated, after]) => {
      const times = Math.floor(50_000 / Math.max(1, repeated.length));
      return before + repeated.repeat(times) + after;
    });
}

const LARGE_NUMBERS = [2 ** 31, 2 ** 32, 2 ** 53, 2 ** 63, 2 ** 64, 1e300];
const ODD_VALUES: readonly unknown[] = [
  ...[null, true, false, '', 'null', 'x', '0', '-1', '1.5', '\0', '\ud800', '\n', '…'.repeat(500)],
  ...[0, -0, 1, -1, 0.5, ...LARGE_NUMBERS, ...LARGE_NUMBERS.map((number) => -number)],
  ...[
    [],
    [null],
    [[]],
    [{}],
    [''],
    ['x'],
    [0, 0],
    [-1],
    {},
    { '': '' },
    { '0': 0 },
    { '-1': 1 },
    { a: null },
  ],
  ...[
    '10.9.0.1',
    '10.9.0.1/24',
    '10.9.0.0/0',
    '::/0',
    '::ffff:10.9.0.1',
    'fd00::/64',
    '::1%eth0',
    '010.9.0.1',
  ],
  ...[
    { __proto__: null, constructor: 1, toString: 2 },
    { length: 4 },
    Array.from({ length: 300 }, () => null),
  ],
];

/** A value that JSON can carry, mostly in the wrong place. */
const oddJson: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...ODD_VALUES) },
  // No value at all.
  { weight: 1, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.jsonValue() },
);

/** The value at the end of the steps is another one; each step is taken modulo the number of members. */
function replaceAt(json: unknown, [step, ...rest]: readonly number[], odd: unknown): unknown {
  if (step === undefined || typeof json !== 'object' || json === null) return odd;
  const names = Object.keys(json);
  const name = names[step % Math.max(1, names.length)];
  if (name === undefined) return odd;
  if (Array.isArray(json))
    return json.map((item, i) => (String(i) === name ? replaceAt(item, rest, odd) : item));
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => [key, key === name ? replaceAt(value, rest, odd) : value]),
  );
}

/** Each member of the sample in turn holds 20,000 lists, one in the other: more than any stack takes. */
function deep(sample: unknown): readonly string[] {
  const nested = '['.repeat(20_000) + ']'.repeat(20_000);
  if (typeof sample !== 'object' || sample === null) return [nested];
  const names = Object.keys(sample);
  return ['unknown', ...names].map((name) =>
    printJson({ ...sample, [name]: 'HERE' }).replace('"HERE"', nested),
  );
}

function printJson(value: unknown): string {
  return (
    JSON.stringify(value, (_key, member: unknown) =>
      typeof member === 'bigint' ? Number(member) : member,
    ) ?? ''
  );
}
