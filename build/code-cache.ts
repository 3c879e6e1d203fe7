/**
 * The compiled code of Node's own modules inside an executable with a startup snapshot. Node puts that of all 441
 * modules there, and every start copies all of it: 3 ms and 8 MB. Here all but the few that a call can load are taken
 * out. The form of a snapshot is Node's own affair (`SnapshotData` in its src/node_snapshotable.cc), but the version
 * of Node is pinned, and whatever does not look as described here fails the build. Pure.
 *
 *     file      … │ length │ snapshot │ …                                    lengths and counts: 64 bits
 *     snapshot  magic │ 1 │ version │ arch │ platform │ flags (32 bits) │ size of V8's part (32 bits) │ V8's part │
 *               state of the runtime │ code cache
 *     code cache   count │ for each module: length │ name │ length │ compiled code
 */

const MAGIC = Buffer.from([0x19, 0xda, 0x43, 0x01]);
const CUSTOMIZED = 1;
const LENGTH_BYTES = 8;
const FLAGS_BYTES = 4;
const MODULE_NAME = /^[\w./-]+$/;
/** Fewer would mean that something else was taken for the code cache. */
const LEAST_MODULES = 100;

/** Where the parts of a file lie, from its first byte. */
interface Extent {
  readonly start: number;
  readonly end: number;
}

interface CompiledModule extends Extent {
  readonly name: string;
}

/**
 * Leaves in the file, in its place, only the compiled code of the modules with the given names; the snapshot and the
 * file stay as long as they were. Gives the names found. Throws when the file has no snapshot, or another form of it.
 */
export function trimCodeCache(
  file: Buffer,
  nodeVersion: string,
  keep: ReadonlySet<string>,
): readonly string[] {
  const snapshot = findSnapshot(file, nodeVersion);
  const { start, modules } = findCodeCache(file, snapshot, nodeVersion);
  const kept = modules.filter(({ name }) => keep.has(name));
  file.writeBigUInt64LE(BigInt(kept.length), start);
  let end = start + LENGTH_BYTES;
  for (const module of kept) end += file.copy(file, end, module.start, module.end);
  file.fill(0, end, snapshot.end);
  return kept.map(({ name }) => name);
}

function findSnapshot(file: Buffer, nodeVersion: string): Extent {
  const head = Buffer.concat([MAGIC, Buffer.from([CUSTOMIZED]), lengthThen(nodeVersion)]);
  const start = file.indexOf(head);
  if (start < LENGTH_BYTES || file.indexOf(head, start + 1) !== -1) throw unknownForm(nodeVersion);
  const end = start + Number(file.readBigUInt64LE(start - LENGTH_BYTES));
  if (end > file.length) throw unknownForm(nodeVersion);
  return { start, end };
}

/** It ends where the snapshot ends, and so it is found: before it lie a few kilobytes of another form. */
function findCodeCache(file: Buffer, snapshot: Extent, nodeVersion: string) {
  for (let start = endOfHeap(file, snapshot); start < snapshot.end - LENGTH_BYTES; start++) {
    const modules = readModules(file, { start, end: snapshot.end });
    if (modules !== undefined) return { start, modules };
  }
  throw unknownForm(nodeVersion);
}

function endOfHeap(file: Buffer, { start }: Extent): number {
  let at = start + MAGIC.length + 1;
  for (const _text of ['version', 'arch', 'platform']) at += LENGTH_BYTES + Number(file.readBigUInt64LE(at));
  at += FLAGS_BYTES;
  return at + 4 + file.readInt32LE(at);
}

/** `undefined` when what is there is no code cache. */
function readModules(file: Buffer, { start, end }: Extent): readonly CompiledModule[] | undefined {
  const count = file.readBigUInt64LE(start);
  if (count < LEAST_MODULES || count > end - start) return undefined;
  const modules: CompiledModule[] = [];
  let at = start + LENGTH_BYTES;
  for (let rest = count; rest > 0n; rest--) {
    const name = readLengthThen(file, at, end);
    const code = name === undefined ? undefined : readLengthThen(file, name.end, end);
    if (name === undefined || code === undefined) return undefined;
    const text = file.toString('latin1', name.start, name.end);
    if (!MODULE_NAME.test(text)) return undefined;
    modules.push({ name: text, start: at, end: code.end });
    at = code.end;
  }
  return at === end ? modules : undefined;
}

/** The bytes that follow their own length; `undefined` when they would not end before `end`. */
function readLengthThen(file: Buffer, at: number, end: number): Extent | undefined {
  const start = at + LENGTH_BYTES;
  if (start > end) return undefined;
  const length = file.readBigUInt64LE(at);
  return length > end - start ? undefined : { start, end: start + Number(length) };
}

function lengthThen(text: string): Buffer {
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, Buffer.from(text)]);
}

function unknownForm(nodeVersion: string): Error {
  return new Error(
    `Node.js ${nodeVersion} lays a startup snapshot out in another way: adapt build/code-cache.ts to it`,
  );
}
