import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { trimCodeCache } from '../../../build/code-cache.ts';

const VERSION = '26.10.0';

interface Parts {
  readonly version?: string;
  readonly before?: Buffer;
  readonly heap?: Buffer;
  readonly state?: Buffer;
  readonly modules: readonly (readonly [name: string, code: Buffer])[];
  readonly after?: Buffer;
}

function number64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function lengthThen(content: Buffer | string): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([number64(bytes.length), bytes]);
}

/** A file with a snapshot in it, as Node.js writes one. */
function fileOf(parts: Parts): Buffer {
  const { version = VERSION, heap = Buffer.from('heap'), state = Buffer.from('state'), modules } = parts;
  const heapLength = Buffer.alloc(4);
  heapLength.writeInt32LE(heap.length);
  const snapshot = Buffer.concat([
    Buffer.from([0x19, 0xda, 0x43, 0x01, 1]),
    ...[version, 'x64', 'linux'].map(lengthThen),
    Buffer.alloc(4),
    heapLength,
    heap,
    state,
    number64(modules.length),
    ...modules.flatMap(([name, code]) => [lengthThen(name), lengthThen(code)]),
  ]);
  return Buffer.concat([
    parts.before ?? Buffer.from('\x7fELF'),
    lengthThen(snapshot),
    parts.after ?? Buffer.alloc(0),
  ]);
}

/** The file that has the same bytes around, and the kept modules followed by zeros. */
function trimmed(parts: Parts, keep: ReadonlySet<string>): Buffer {
  const whole = fileOf(parts);
  const short = fileOf({
    ...parts,
    modules: parts.modules.filter(([name]) => keep.has(name)),
    after: Buffer.alloc(0),
  });
  const { before = Buffer.from('\x7fELF'), after = Buffer.alloc(0) } = parts;
  const expected = Buffer.alloc(whole.length);
  short.copy(expected);
  whole.copy(expected, before.length, before.length, before.length + 8);
  after.copy(expected, whole.length - after.length);
  return expected;
}

function modulesNamed(count: number): Parts['modules'] {
  return Array.from({ length: count }, (_, index) => [
    `internal/module-${index}`,
    Buffer.from(`code ${index}`),
  ]);
}

describe('trimCodeCache()', () => {
  it('keeps the named modules and everything around', () => {
    const parts = { modules: modulesNamed(150), after: Buffer.from('--no-warnings') };
    const keep = new Set(['internal/module-3', 'internal/module-149', 'not-there']);
    const file = fileOf(parts);
    expect(trimCodeCache(file, VERSION, keep)).toEqual(['internal/module-3', 'internal/module-149']);
    expect(file.equals(trimmed(parts, keep))).toBe(true);
  });

  it('finds the modules whatever lies before and after them', () => {
    const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array));
    const parts = fc.record({
      before: bytes,
      heap: bytes,
      state: bytes,
      after: bytes,
      code: fc.array(bytes, { minLength: 100, maxLength: 120 }),
    });
    fc.assert(
      fc.property(parts, fc.func(fc.boolean()), ({ code, ...around }, isKept) => {
        const modules = code.map((content, index) => [`m${index}`, content] as const);
        const keep = new Set(modules.map(([name]) => name).filter(isKept));
        const file = fileOf({ ...around, modules });
        trimCodeCache(file, VERSION, keep);
        expect(file.equals(trimmed({ ...around, modules }, keep))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  const unknown =
    'Node.js 26.10.0 lays a startup snapshot out in another way: adapt build/code-cache.ts to it';
  it.each([
    ['no snapshot', Buffer.from('\x7fELF and nothing more')],
    ['one of another version', fileOf({ version: '26.10.1', modules: modulesNamed(150) })],
    [
      'two of them',
      Buffer.concat([fileOf({ modules: modulesNamed(150) }), fileOf({ modules: modulesNamed(150) })]),
    ],
    ['no code cache', fileOf({ modules: [] })],
    [
      'names that no module has',
      fileOf({ modules: modulesNamed(150).map(([name, code]) => [`${name}?`, code]) }),
    ],
    ['an end that is missing', fileOf({ modules: modulesNamed(150) }).subarray(0, -1)],
  ])('refuses a file with %s', (_, file) => {
    const before = Buffer.from(file);
    expect(() => trimCodeCache(file, VERSION, new Set())).toThrow(unknown);
    expect(file.equals(before)).toBe(true);
  });
});
