/**
 * Has an executable look for shared libraries in a folder of its own first (DT_RUNPATH of the System V ABI), so that a
 * host that lacks some of them can be given them beside it. As `patchelf --set-rpath` does, but in place: no byte moves,
 * and so nothing that points anywhere has to be changed.
 */

/** Beside the executable; the installer puts there what the host lacks. */
export const LIBRARY_PATH = '$ORIGIN/calico-lib';

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const DT = { strtab: 5n, symtab: 6n, strsz: 10n, debug: 21n, runpath: 29n };
const SYMBOL_BYTES = 24;

interface Entry {
  readonly tag: bigint;
  readonly value: number;
  /** Where in the file it is. */
  readonly offset: number;
}

/**
 * Changes two things in the bytes of an ELF file of 64 bits: the text takes the place of the name of a symbol that the
 * executable offers to add-ons and none of ours uses, and the entry in which a debugger would find the loaded libraries
 * becomes the one of the path. Throws when the file is not as Node's executables are.
 */
export function addLibraryPath(file: Buffer, path: string = LIBRARY_PATH): void {
  const entries = dynamicEntries(file);
  const entryOf = (tag: bigint): Entry => {
    const entry = entries.find((one) => one.tag === tag);
    if (entry === undefined) throw new Error(`the executable has no dynamic entry ${tag}`);
    return entry;
  };
  if (entries.some(({ tag }) => tag === DT.runpath))
    throw new Error('the executable has a library path already');
  const strings = entryOf(DT.strtab).value;
  const name = unusedName(file, entries, Buffer.byteLength(path) + 1);
  file.write(`${path}\0`, fileOffset(file, strings) + name, 'latin1');
  const { offset } = entryOf(DT.debug);
  file.writeBigUInt64LE(DT.runpath, offset);
  file.writeBigUInt64LE(BigInt(name), offset + 8);
}

/** Where in the table of strings a name begins that is long enough, and has no other name inside the part we take. */
function unusedName(file: Buffer, entries: readonly Entry[], byteLength: number): number {
  const valueAt = (tag: bigint) => entries.find((entry) => entry.tag === tag)?.value ?? 0;
  const strings = fileOffset(file, valueAt(DT.strtab));
  // The table of strings follows the one of symbols in all that GNU ld makes.
  const symbols = file.subarray(fileOffset(file, valueAt(DT.symtab)), strings);
  const starts: number[] = [];
  const candidates: number[] = [];
  for (let at = 0; at + SYMBOL_BYTES <= symbols.length; at += SYMBOL_BYTES) {
    const start = symbols.readUInt32LE(at);
    starts.push(start);
    if (isOffered(symbols.subarray(at)) && isForAddOns(file, strings + start)) candidates.push(start);
  }
  starts.sort((one, other) => one - other);
  const fits = (start: number): boolean => {
    const next = starts.find((other) => other > start) ?? valueAt(DT.strsz);
    const isOnce = starts.indexOf(start) === starts.lastIndexOf(start);
    return (
      isOnce && next - start >= byteLength && file.indexOf(0, strings + start) - strings - start >= byteLength
    );
  };
  const found = candidates.find(fits);
  if (found === undefined)
    throw new Error(`no symbol of the executable has a name of ${byteLength} bytes to spare`);
  return found;
}

/** Defined here: its section is none of the special ones. */
function isOffered(symbol: Buffer): boolean {
  const section = symbol.readUInt16LE(6);
  return section !== 0 && section < 0xff00;
}

/** Those of the interface for add-ons, which a single executable loads none of. */
function isForAddOns(file: Buffer, offset: number): boolean {
  return file.toString('latin1', offset, offset + 5) === 'napi_';
}

function dynamicEntries(file: Buffer): readonly Entry[] {
  const dynamic = segments(file).find(({ type }) => type === PT_DYNAMIC);
  if (dynamic === undefined) throw new Error('the executable is not linked dynamically');
  const count = Math.floor(dynamic.size / 16);
  return Array.from({ length: count }, (_, index) => {
    const offset = dynamic.offset + index * 16;
    return {
      tag: file.readBigUInt64LE(offset),
      value: Number(file.readBigUInt64LE(offset + 8)),
      offset,
    };
  });
}

function fileOffset(file: Buffer, address: number): number {
  const segment = segments(file).find(
    (one) => one.type === PT_LOAD && address >= one.address && address < one.address + one.size,
  );
  if (segment === undefined) throw new Error(`address ${address} is in no segment of the executable`);
  return address - segment.address + segment.offset;
}

function segments(file: Buffer) {
  const table = Number(file.readBigUInt64LE(32));
  const [entryBytes, count] = [file.readUInt16LE(54), file.readUInt16LE(56)];
  return Array.from({ length: count }, (_, index) => {
    const entry = file.subarray(table + index * entryBytes);
    return {
      type: entry.readUInt32LE(0),
      offset: Number(entry.readBigUInt64LE(8)),
      address: Number(entry.readBigUInt64LE(16)),
      size: Number(entry.readBigUInt64LE(32)),
    };
  });
}
