// Protocol Buffers by a schema in plain data: only the fields that are named there are kept, and a
// field of another wire type than its own is passed over, as every protobuf reader does.

import type { BinaryReader, BinaryWriter } from "@bufbuild/protobuf/wire";

const VARINT = 0;
const BIT64 = 1;
const LENGTH = 2;
const BIT32 = 5;

/** How the plain kinds of value are written: the wire type, and who reads and writes it. */
const SCALARS = {
  int: [VARINT, (from) => plain(from.int64()), (to, x: number) => to.int64(x)],
  uint: [VARINT, (from) => plain(from.uint64()), (to, x: number) => to.uint64(x)],
  enum: [VARINT, (from) => from.int32(), (to, x: number) => to.int32(x)],
  float: [BIT32, (from) => from.float(), (to, x: number) => to.float(x)],
  double: [BIT64, (from) => from.double(), (to, x: number) => to.double(x)],
  text: [LENGTH, (from) => from.string(true), (to, x: string) => to.string(x)],
  bytes: [LENGTH, (from) => from.bytes(), (to, x: Uint8Array) => to.bytes(x)],
} satisfies Record<
  string,
  [wire: number, (from: BinaryReader) => unknown, (to: BinaryWriter, x: never) => BinaryWriter]
>;

type Scalar = keyof typeof SCALARS;
/** A field: its number, its kind, and "many" where it may occur more than once. */
type Field = readonly [number: number, kind: Scalar | Schema, many?: "many"];

/** A message's fields by the names that they get, in the order of their numbers. */
export interface Schema {
  readonly [name: string]: Field;
}

type Value<K> = K extends Scalar ? ReturnType<typeof SCALARS[K][1]>
  : K extends Schema ? Message<K>
  : never;

/** A message: of 64-bit integers, those beyond ±(2⁵³ − 1) are bigint. */
export type Message<S extends Schema> = {
  readonly [N in keyof S]?: S[N] extends readonly [number, infer K, "many"] ? readonly Value<K>[]
    : Value<S[N][1]>;
};

const MAX_DEPTH = 32;
const MAX_MESSAGES = 1_000_000; // an empty one takes 2 bytes in a file and a hundred in memory

/**
 * A message, to the end of the bytes. A single message that comes twice is refused: readers differ
 * in whether they join the two.
 *
 * @throws {Error} where the bytes are no such message.
 */
export async function decodeMessage<S extends Schema>(
  bytes: Uint8Array,
  schema: S,
): Promise<Message<S>> {
  const { BinaryReader } = await import("@bufbuild/protobuf/wire"); // loaded when first used
  const byNumber = new Map<Schema, ReadonlyMap<number, [string, Field]>>();
  let messages = 0;
  return decode(bytes, schema, 0) as Message<S>;

  function decode(bytes: Uint8Array, schema: Schema, depth: number): Record<string, unknown> {
    if (depth > MAX_DEPTH) throw new RangeError(`messages lie more than ${MAX_DEPTH} deep`);
    if (++messages > MAX_MESSAGES) throw new RangeError("there are too many messages");
    const fields = byNumber.get(schema) ??
      new Map(Object.entries(schema).map((entry) => [entry[1][0], entry]));
    byNumber.set(schema, fields);
    const reader = new BinaryReader(bytes);
    const message: Record<string, unknown> = {};
    while (reader.pos < reader.len) {
      const start = reader.pos;
      const [number, wire] = reader.tag();
      checkVarint(bytes, start, 5);
      if (wire === LENGTH) checkVarint(bytes, reader.pos, 5);
      if (wire === VARINT) checkVarint(bytes, reader.pos, 10);
      const [name = "", field] = fields.get(number) ?? [];
      const values = field && read(reader, field, wire, depth);
      if (values === undefined) reader.skip(wire, number);
      else if (field![2] === "many") {
        const list = (message[name] ??= []) as unknown[];
        for (const value of values) list.push(value);
      } else {
        if (typeof field![1] === "object" && Object.hasOwn(message, name)) {
          throw new Error(`${name} is there twice`);
        }
        message[name] = values.at(-1);
      }
    }
    if (reader.pos !== reader.len) throw new RangeError("a message ends beyond its bytes");
    return message;
  }

  /** The field's values here; undefined where the wire type is not its own. */
  function read(reader: BinaryReader, [, kind, many]: Field, wire: number, depth: number) {
    if (typeof kind === "object") {
      return wire === LENGTH ? [decode(reader.bytes(), kind, depth + 1)] : undefined;
    }
    const [own, one] = SCALARS[kind];
    if (wire === own) return [one(reader)];
    if (wire !== LENGTH || many === undefined) return undefined;
    const values: unknown[] = []; // packed
    const end = reader.uint32() + reader.pos;
    if (end > reader.len) throw new RangeError("a list ends beyond its message");
    while (reader.pos < end) values.push(one(reader));
    if (reader.pos !== end) throw new RangeError("a list ends within a number");
    return values;
  }
}

/** Throws where a number of 7 bits a byte is longer than it may be: other readers refuse it. */
function checkVarint(bytes: Uint8Array, at: number, most: number): void {
  const end = bytes.subarray(at, at + most).findIndex((byte) => byte < 0x80);
  if (end === -1) throw new RangeError(`a number takes more than ${most} bytes`);
}

function plain(value: bigint | string): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : BigInt(value);
}

/** The bytes of a message. */
export async function encodeMessage<S extends Schema>(
  message: Message<S>,
  schema: S,
): Promise<Uint8Array> {
  const { BinaryWriter } = await import("@bufbuild/protobuf/wire");
  return encode(message, schema);

  function encode(message: Readonly<Record<string, unknown>>, schema: Schema): Uint8Array {
    const writer = new BinaryWriter();
    for (const [name, [number, kind, many]] of Object.entries(schema)) {
      const value = message[name];
      for (const one of value === undefined ? [] : many ? value as unknown[] : [value]) {
        if (typeof kind === "object") {
          writer.tag(number, LENGTH).bytes(encode(one as Record<string, unknown>, kind));
        } else {
          const [wire, , write] = SCALARS[kind];
          write(writer.tag(number, wire), one as never);
        }
      }
    }
    return writer.finish();
  }
}
