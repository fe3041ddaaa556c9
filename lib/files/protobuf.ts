// Protocol Buffers by a schema in plain data: only the fields that are named there are kept, and a
// field of another wire type than its own is passed over, as every protobuf reader does.

import type { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";

/** How a field's value is written. */
export type FieldKind = "int" | "uint" | "float" | "double" | "text" | "bytes" | MessageSchema;

/** A field: its name in the message read, its kind, and whether it may occur more than once. */
export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
  readonly many?: boolean;
}

/** A message's fields by number. */
export interface MessageSchema {
  readonly [number: number]: Field;
}

/** A message: numbers, bigint for 64-bit integers beyond ±(2⁵³ − 1), texts, bytes, messages, lists. */
export type Message = Record<string, unknown>;

const VARINT = 0;
const BIT64 = 1;
const LENGTH = 2;
const BIT32 = 5;
const MAX_DEPTH = 32;
const MAX_MESSAGES = 1_000_000; // an empty one takes 2 bytes in a file and a hundred in memory

/** The messages read so far, which have a limit. */
interface Progress {
  messages: number;
}

/**
 * A message, to the end of the bytes. A single message that comes twice is refused: readers differ
 * in whether they join the two.
 *
 * @throws {Error} where the bytes are no such message.
 */
export async function decodeMessage(bytes: Uint8Array, schema: MessageSchema): Promise<Message> {
  const { BinaryReader } = await import("@bufbuild/protobuf/wire"); // loaded when first used
  const open = (inner: Uint8Array) => new BinaryReader(inner);
  return decode(bytes, schema, open, 0, { messages: 0 });
}

type Open = (bytes: Uint8Array) => BinaryReader;

function decode(
  bytes: Uint8Array,
  schema: MessageSchema,
  open: Open,
  depth: number,
  progress: Progress,
): Message {
  if (depth > MAX_DEPTH) throw new RangeError(`messages lie more than ${MAX_DEPTH} deep`);
  if (++progress.messages > MAX_MESSAGES) throw new RangeError("there are too many messages");
  const reader = open(bytes);
  const message: Message = {};
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [number, wire] = reader.tag();
    checkVarint(bytes, start, 5);
    if (wire === LENGTH) checkVarint(bytes, reader.pos, 5);
    if (wire === VARINT) checkVarint(bytes, reader.pos, 10);
    const field = Object.hasOwn(schema, number) ? schema[number] : undefined;
    const values = field && read(reader, field, wire, (inner, kind) => {
      return decode(inner, kind, open, depth + 1, progress);
    });
    if (values === undefined) reader.skip(wire, number);
    else if (field!.many) {
      const list = (message[field!.name] ??= []) as unknown[];
      for (const value of values) list.push(value);
    } else {
      if (typeof field!.kind === "object" && Object.hasOwn(message, field!.name)) {
        throw new Error(`${field!.name} is there twice`);
      }
      message[field!.name] = values.at(-1);
    }
  }
  if (reader.pos !== reader.len) throw new RangeError("a message ends beyond its bytes");
  return message;
}

/** Throws where a number of 7 bits a byte is longer than it may be: other readers refuse it. */
function checkVarint(bytes: Uint8Array, at: number, most: number): void {
  const end = bytes.subarray(at, at + most).findIndex((byte) => byte < 0x80);
  if (end === -1) throw new RangeError(`a number takes more than ${most} bytes`);
}

/** The field's values here; undefined where the wire type is not its own. */
function read(
  reader: BinaryReader,
  { kind, many = false }: Field,
  wire: number,
  inner: (bytes: Uint8Array, schema: MessageSchema) => Message,
): unknown[] | undefined {
  if (kind === "text") return wire === LENGTH ? [reader.string(true)] : undefined;
  if (kind === "bytes") return wire === LENGTH ? [reader.bytes()] : undefined;
  if (typeof kind === "object") return wire === LENGTH ? [inner(reader.bytes(), kind)] : undefined;
  const own = kind === "int" || kind === "uint" ? VARINT : kind === "float" ? BIT32 : BIT64;
  const one = () => {
    if (kind === "int") return plain(reader.int64());
    if (kind === "uint") return plain(reader.uint64());
    return kind === "float" ? reader.float() : reader.double();
  };
  if (wire === own) return [one()];
  if (wire !== LENGTH || !many) return undefined;
  const values: unknown[] = []; // packed
  const end = reader.uint32() + reader.pos;
  if (end > reader.len) throw new RangeError("a list ends beyond its message");
  while (reader.pos < end) values.push(one());
  if (reader.pos !== end) throw new RangeError("a list ends within a number");
  return values;
}

function plain(value: bigint | string): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : BigInt(value);
}

/** The bytes of a message. */
export async function encodeMessage(message: Message, schema: MessageSchema): Promise<Uint8Array> {
  const { BinaryWriter } = await import("@bufbuild/protobuf/wire");
  return encode(message, schema, () => new BinaryWriter());
}

function encode(message: Message, schema: MessageSchema, open: () => BinaryWriter): Uint8Array {
  const writer = open();
  for (const [number, { name, kind, many }] of Object.entries(schema)) {
    const value = message[name];
    if (value === undefined) continue;
    for (const one of many ? value as unknown[] : [value]) write(writer, Number(number), kind, one);
  }
  return writer.finish();

  function write(to: BinaryWriter, number: number, kind: FieldKind, value: unknown): void {
    if (kind === "int") to.tag(number, VARINT).int64(value as number);
    else if (kind === "uint") to.tag(number, VARINT).uint64(value as number);
    else if (kind === "float") to.tag(number, BIT32).float(value as number);
    else if (kind === "double") to.tag(number, BIT64).double(value as number);
    else if (kind === "text") to.tag(number, LENGTH).string(value as string);
    else if (kind === "bytes") to.tag(number, LENGTH).bytes(value as Uint8Array);
    else to.tag(number, LENGTH).bytes(encode(value as Message, kind, open));
  }
}
