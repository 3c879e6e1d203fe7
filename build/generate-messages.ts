/**
 * Generates TypeScript for the messages of a gRPC service from its protocol definition: their types, and the code that
 * writes those that are sent and reads those that are received. What it writes is committed, so that it can be read and
 * type-checked; a test compares it with what this file would write.
 */

import protobuf from 'protobufjs';

/** Which messages, by their path in the protocol, each with the fields that are used. */
export type MessageSelection = Readonly<Record<string, readonly string[]>>;

export interface MessageFile {
  /** Names as they are on the wire, everything resolved. */
  readonly protocol: protobuf.Root;
  /** Messages before those that hold them. */
  readonly sent: MessageSelection;
  /** Fields that are not named are skipped when they come. */
  readonly received: MessageSelection;
  /** The comment at the beginning of the file. */
  readonly head: string;
  /** Where the reader and the writer of protobuf are, from the file. */
  readonly protobufFolder: string;
}

/** How a kind of field is typed, written and, where that is needed, read. */
interface Kind {
  readonly wireType: 0 | 2;
  readonly sent: string;
  readonly write: string;
  readonly received?: ReceivedKind;
}

interface ReceivedKind {
  readonly type: string;
  readonly read: string;
  readonly empty: string;
}

const KINDS: Readonly<Record<string, Kind>> = {
  bytes: {
    wireType: 2,
    sent: 'Buffer',
    write: 'writeBytes',
    received: { type: 'Buffer', read: 'readBytes', empty: 'EMPTY' },
  },
  string: {
    wireType: 2,
    sent: 'string',
    write: 'writeText',
    received: { type: 'string', read: 'readText', empty: `''` },
  },
  bool: {
    wireType: 0,
    sent: 'boolean',
    write: 'writeBool',
    received: { type: 'boolean', read: 'readBool', empty: 'false' },
  },
  int64: {
    wireType: 0,
    sent: 'string | number',
    write: 'writeInt64',
    received: { type: 'string', read: 'readInt64', empty: `'0'` },
  },
  // Read as a signed one, as it is compared for equality alone.
  uint64: {
    wireType: 0,
    sent: 'string | number',
    write: 'writeInt64',
    received: { type: 'string', read: 'readInt64', empty: `'0'` },
  },
  // On the wire 32 bits look like 64.
  int32: { wireType: 0, sent: 'number', write: 'writeInt64' },
  uint32: { wireType: 0, sent: 'number', write: 'writeInt64' },
};

/** The text of the generated file, formatted as the rest of the source is. Fails when the protocol lacks a field. */
export function generateMessages({ protocol, head, protobufFolder, ...file }: MessageFile): string {
  const sent = selected(protocol, file.sent);
  const received = selected(protocol, file.received);
  const body = [
    ...sent.flatMap(({ fields }) => fields.flatMap(enumeration)),
    ...sent.map(writerOf),
    ...received.map(readerOf),
  ].join('\n');
  const imports = (['reader', 'writer'] as const).map((module) => importsOf(module, protobufFolder, body));
  return `${head}\n${imports.join('\n')}\n${constants(body)}\n${body}`;
}

interface Message {
  readonly name: string;
  readonly fields: readonly protobuf.Field[];
}

function selected(protocol: protobuf.Root, selection: MessageSelection): Message[] {
  return Object.entries(selection).map(([path, names]) => {
    const type = protocol.lookupType(path);
    const fields = names.map((name) => type.fields[name] ?? fail(`${path} has no field ${name}`));
    return { name: type.name, fields: fields.toSorted((a, b) => a.id - b.id) };
  });
}

function enumeration({ resolvedType }: protobuf.Field): readonly string[] {
  if (!(resolvedType instanceof protobuf.Enum)) return [];
  const values = Object.entries(resolvedType.values).map(([name, value]) => `${name}: ${value}`);
  const name = constantName(resolvedType.name);
  return [
    `const ${name} = { ${values.join(', ')} } as const;\nexport type ${resolvedType.name} = keyof typeof ${name};\n`,
  ];
}

function writerOf({ name, fields }: Message): string {
  const properties = fields.map((field) => `  readonly ${field.name}?: ${listOf(field, sentType(field))};\n`);
  return `export interface ${name} {
${properties.join('')}}

export function write${name}(writer: Writer, message: ${name}): void {
${fields.map((field) => `  ${writeStatement(field)}\n`).join('')}}
`;
}

function writeStatement(field: protobuf.Field): string {
  const from = `message.${field.name}`;
  const isOne = `if (${from} !== undefined) `;
  if (field instanceof protobuf.MapField) return `${isOne}writeTextMap(writer, ${tagOf(field)}, ${from});`;
  const { resolvedType } = field;
  if (resolvedType instanceof protobuf.Enum) {
    return `${isOne}writeInt64(writer, ${tagOf(field)}, ${constantName(resolvedType.name)}[${from}]);`;
  }
  const write = (what: string) =>
    resolvedType === null
      ? `${kindOf(field).write}(writer, ${tagOf(field)}, ${what});`
      : `writeMessage(writer, ${tagOf(field)}, ${what}, write${resolvedType.name});`;
  return field.repeated ? `for (const each of ${from} ?? []) ${write('each')}` : wrapped(isOne, write(from));
}

/** On two lines when it is too long for one. */
function wrapped(condition: string, statement: string): string {
  const line = `${condition}${statement}`;
  return line.length + 2 <= LINE_WIDTH ? line : `${condition.trimEnd()}\n    ${statement}`;
}

const LINE_WIDTH = 110;

function readerOf({ name, fields }: Message): string {
  const properties = fields.map(
    (field) => `  readonly ${field.name}: ${listOf(field, receivedType(field))};\n`,
  );
  return `export interface ${name} {
${properties.join('')}}

/** Throws a \`RangeError\` on bytes that are no message. */
export function read${name}(bytes: Buffer): ${name} {
  const reader = readerOf(bytes);
${fields.map((field) => `  ${declaration(field)}\n`).join('')}  while (hasMore(reader)) {
    const tag = readTag(reader);
    switch (tag) {
${fields.map(readCase).join('')}      default:
        skipField(reader, tag);
    }
  }
  return { ${fields.map(({ name: field }) => field).join(', ')} };
}
`;
}

function declaration(field: protobuf.Field): string {
  if (field.repeated) return `const ${field.name}: ${receivedType(field)}[] = [];`;
  return isScalar(field)
    ? `let ${field.name} = ${receivedKind(field).empty};`
    : `let ${field.name}: ${receivedType(field)};`;
}

function readCase(field: protobuf.Field): string {
  const { resolvedType, name } = field;
  const value =
    resolvedType === null || isScalar(field)
      ? `${receivedKind(field).read}(reader)`
      : `read${resolvedType.name}(readBytes(reader))`;
  const statement = field.repeated ? `${name}.push(${value});` : `${name} = ${value};`;
  return `      case ${tagOf(field)}:\n        ${statement}\n        break;\n`;
}

/** In octal the wire type is the last digit, and the number of the field what is before it. */
function tagOf(field: protobuf.Field): string {
  return `0o${((field.id << 3) | wireTypeOf(field)).toString(8)}`;
}

function wireTypeOf(field: protobuf.Field): 0 | 2 {
  if (field.resolvedType instanceof protobuf.Enum) return 0;
  // A map is a list of messages of a key and a value each.
  if (field.resolvedType !== null || field instanceof protobuf.MapField) return 2;
  const { wireType } = kindOf(field);
  // Those are packed into one field, which nothing here needs yet.
  if (field.repeated && wireType === 0) return fail(`${field.fullName}: no code for lists of numbers yet`);
  return wireType;
}

function sentType(field: protobuf.Field): string {
  if (!(field instanceof protobuf.MapField)) return field.resolvedType?.name ?? kindOf(field).sent;
  const { keyType, type, fullName } = field;
  if (keyType === 'string' && type === 'string') return 'Readonly<Record<string, string>>';
  return fail(`${fullName}: no code for maps other than from text to text yet`);
}

function receivedType(field: protobuf.Field): string {
  if (field.resolvedType === null || isScalar(field)) return receivedKind(field).type;
  return field.repeated ? field.resolvedType.name : `${field.resolvedType.name} | undefined`;
}

function listOf(field: protobuf.Field, type: string): string {
  return field.repeated ? `readonly ${type}[]` : type;
}

function kindOf(field: protobuf.Field): Kind {
  return KINDS[field.type] ?? fail(`${field.fullName}: no code for fields of type ${field.type} yet`);
}

/** Not a message of its own. */
function isScalar({ resolvedType }: protobuf.Field): boolean {
  return resolvedType === null || resolvedType instanceof protobuf.Enum;
}

function receivedKind(field: protobuf.Field): ReceivedKind {
  const kind = field instanceof protobuf.MapField ? undefined : receivedKindOf(field);
  return kind ?? fail(`${field.fullName}: no code that reads fields of its type yet`);
}

/** The numbers of an enumeration are read as they are. */
function receivedKindOf(field: protobuf.Field): ReceivedKind | undefined {
  return (field.resolvedType instanceof protobuf.Enum ? KINDS.int64 : kindOf(field))?.received;
}

function constantName(typeName: string): string {
  return typeName.replaceAll(/(?<=[a-z])[A-Z]/g, '_$&').toUpperCase();
}

/** What the code uses of the reader's or the writer's module. */
function importsOf(module: 'reader' | 'writer', protobufFolder: string, body: string): string {
  const type = module === 'reader' ? '' : 'type Writer';
  const verbs =
    module === 'reader'
      ? /\b(?:hasMore|readTag|readerOf|skipField|read(?:Bytes|Text|Bool|Int64))\b/g
      : /\bwrite(?:Bytes|Text|TextMap|Bool|Int64|Message)\b/g;
  const names = [...new Set(Array.from(body.matchAll(verbs), ([name]) => name))].toSorted((a, b) =>
    a.toLowerCase() < b.toLowerCase() ? -1 : 1,
  );
  const items = [type, ...names].filter((name) => name !== '');
  const from = `from '${protobufFolder}/${module}.ts';`;
  const line = `import { ${items.join(', ')} } ${from}`;
  return line.length <= LINE_WIDTH
    ? line
    : `import {\n${items.map((item) => `  ${item},\n`).join('')}} ${from}`;
}

function constants(body: string): string {
  return /\bEMPTY\b/.test(body) ? '\nconst EMPTY: Buffer = Buffer.alloc(0);\n' : '';
}

function fail(why: string): never {
  throw new Error(why);
}
