/** What an ELF file says about shared libraries (System V ABI, and GNU's symbol versions): 64 bits, little-endian. Pure. */

/** The bytes of a file from an offset on; fewer at its end. */
export type ReadAt = (offset: number, length: number) => Buffer;

export interface Elf {
  /** Of the processor: 62 is x86-64, 183 is AArch64. */
  readonly machine: number;
  /** Path of the loader, `/lib64/ld-linux-x86-64.so.2`; `undefined` for a library. */
  readonly interpreter: string | undefined;
  /** Names of the libraries it needs: `libstdc++.so.6`. */
  readonly needed: readonly string[];
  /** By library: the versions of symbols that it must have, `GLIBCXX_3.4.21`. */
  readonly versionsNeeded: ReadonlyMap<string, readonly string[]>;
  /** Versions of symbols that it has. */
  readonly versionsDefined: readonly string[];
}

const PT = { load: 1, dynamic: 2, interp: 3 };
const DT = {
  needed: 1n,
  strtab: 5n,
  strsz: 10n,
  verdef: 0x6ffffffcn,
  verdefnum: 0x6ffffffdn,
  verneed: 0x6ffffffen,
  verneednum: 0x6fffffffn,
};

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

/** `undefined` for anything else than an ELF file of 64 bits, and for one that contradicts itself. */
export function readElf(read: ReadAt): Elf | undefined {
  try {
    return parseElf(read);
  } catch (error) {
    // Offsets that lead out of the file.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function parseElf(read: ReadAt): Elf | undefined {
  const header = read(0, 64);
  // \x7fELF, 64 bits, little-endian.
  if (header.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') return undefined;
  const segments = segmentsOf(header, read);
  const of = (type: number) => segments.find((segment) => segment.type === type);
  const interp = of(PT.interp);
  const dynamic = of(PT.dynamic);
  const entries = dynamic === undefined ? [] : dynamicEntries(read(dynamic.offset, dynamic.size));
  const valueAt = (tag: bigint) => entries.find((entry) => entry.tag === tag)?.value ?? 0;
  const at = (address: number) => fileOffset(segments, address);
  const strings = read(at(valueAt(DT.strtab)), valueAt(DT.strsz));
  const textAt = (offset: number) => strings.toString('latin1', offset, endOf(strings, offset));
  const table = (tag: bigint, countTag: bigint) => ({
    offset: valueAt(tag) === 0 ? 0 : at(valueAt(tag)),
    count: valueAt(countTag),
  });
  return {
    machine: header.readUInt16LE(18),
    interpreter: interp && read(interp.offset, interp.size - 1).toString('latin1'),
    needed: entries.filter(({ tag }) => tag === DT.needed).map(({ value }) => textAt(value)),
    versionsNeeded: new Map(neededVersions(read, textAt, table(DT.verneed, DT.verneednum))),
    versionsDefined: definedVersions(read, textAt, table(DT.verdef, DT.verdefnum)),
  };
}

function segmentsOf(header: Buffer, read: ReadAt): readonly Segment[] {
  const [entryBytes, count] = [header.readUInt16LE(54), header.readUInt16LE(56)];
  const table = read(Number(header.readBigUInt64LE(32)), entryBytes * count);
  return Array.from({ length: count }, (_, index) => {
    const entry = table.subarray(index * entryBytes);
    return {
      type: entry.readUInt32LE(0),
      offset: Number(entry.readBigUInt64LE(8)),
      address: Number(entry.readBigUInt64LE(16)),
      size: Number(entry.readBigUInt64LE(32)),
    };
  });
}

interface DynamicEntry {
  readonly tag: bigint;
  readonly value: number;
}

function dynamicEntries(table: Buffer): readonly DynamicEntry[] {
  const all = Array.from({ length: Math.floor(table.length / 16) }, (_, index) => ({
    tag: table.readBigUInt64LE(index * 16),
    value: Number(table.readBigUInt64LE(index * 16 + 8)),
  }));
  const end = all.findIndex(({ tag }) => tag === 0n);
  return end < 0 ? all : all.slice(0, end);
}

function fileOffset(segments: readonly Segment[], address: number): number {
  const segment = segments.find(
    (one) => one.type === PT.load && address >= one.address && address < one.address + one.size,
  );
  if (segment === undefined) throw new RangeError(`address ${address} is in no segment`);
  return address - segment.address + segment.offset;
}

function endOf(strings: Buffer, offset: number): number {
  const end = strings.indexOf(0, offset);
  return end < 0 ? strings.length : end;
}

interface Table {
  readonly offset: number;
  readonly count: number;
}

type TextAt = (offset: number) => string;

/** Elf64_Verneed, each with a chain of Elf64_Vernaux. */
function neededVersions(
  read: ReadAt,
  textAt: TextAt,
  { offset, count }: Table,
): readonly (readonly [string, readonly string[]])[] {
  const found: (readonly [string, readonly string[]])[] = [];
  for (let at = offset, left = count; left > 0; left--) {
    const entry = read(at, 16);
    const auxiliary = chain(read, at + entry.readUInt32LE(8), entry.readUInt16LE(2), 12);
    found.push([textAt(entry.readUInt32LE(4)), auxiliary.map((one) => textAt(one.readUInt32LE(8)))]);
    at += entry.readUInt32LE(12);
  }
  return found;
}

/** Elf64_Verdef; the first Elf64_Verdaux of each is its name. */
function definedVersions(read: ReadAt, textAt: TextAt, { offset, count }: Table): readonly string[] {
  const entries: string[] = [];
  for (let at = offset, left = count; left > 0; left--) {
    const entry = read(at, 20);
    entries.push(textAt(read(at + entry.readUInt32LE(12), 8).readUInt32LE(0)));
    at += entry.readUInt32LE(16);
  }
  return entries;
}

/** Entries of 16 bytes, each of which has the distance of the next one at `nextAt`. */
function chain(read: ReadAt, first: number, count: number, nextAt: number): readonly Buffer[] {
  const entries: Buffer[] = [];
  for (let at = first; entries.length < count; at += entries.at(-1)?.readUInt32LE(nextAt) ?? 0)
    entries.push(read(at, 16));
  return entries;
}
