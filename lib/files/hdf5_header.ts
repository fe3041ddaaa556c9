// What h5wasm does not tell of an object: how many attributes and links it holds (reading them ends
// silently at a damaged one), and whether its numbers are plain ones (others it hands over raw).
// HDF5 File Format Specification, sections IV.A.1 and IV.A.2.

import { countLinks } from "./hdf5_links.ts";
import { asFileError, UnreadableFileError } from "./unreadable.ts";

/** An object that h5wasm found. */
export interface Hdf5Object {
  readonly path: string;
  /** Where its header lies. */
  readonly address: number;
  /** How many attributes were found. */
  readonly attributes: number;
  /** How many links were found; undefined where it is no group. */
  readonly links?: number;
  /** Whether its numbers were read. */
  readonly isArray: boolean;
}

/** A message of an object's header. */
export interface HeaderMessage {
  readonly type: number;
  readonly flags: number;
  readonly body: DataView;
}

const DATATYPE = 0x0003;
const ATTRIBUTE = 0x000c;
const CONTINUATION = 0x0010;
const ATTRIBUTE_INFO = 0x0015;
const MAX_CHUNKS = 256;

// the properties of IEEE 754's numbers: bit offset, precision, exponent, mantissa, bias
const FLOAT16 = "0,0,16,0,10,5,0,10,15,0,0,0";
const FLOAT32 = "0,0,32,0,23,8,0,23,127,0,0,0";
const FLOAT64 = "0,0,64,0,52,11,0,52,255,3,0,0";

/** Throws where an object holds more than was found, or numbers of a kind of its own. */
export function checkObject(bytes: Uint8Array, object: Hdf5Object): void {
  const [messages, links] = asFileError("its header must be whole", () => {
    const messages = messagesAt(bytes, object.address);
    return [
      messages,
      object.links === undefined ? undefined : countLinks(bytes, messages),
    ] as const;
  });
  // many attributes lie elsewhere, where checksums guard them
  const isDense = messages.some(({ type }) => type === ATTRIBUTE_INFO);
  const there = messages.filter(({ type }) => type === ATTRIBUTE).length;
  if (!isDense && there !== object.attributes) {
    const state = `the header has ${there}, of which ${object.attributes} can be read`;
    throw new UnreadableFileError("its attributes must be whole", state);
  }
  if (links !== undefined && links !== object.links) {
    const state = `the group has ${links}, of which ${object.links} can be read`;
    throw new UnreadableFileError("its links must be whole", state);
  }
  if (!object.isArray) return;
  const datatypes = messages.filter(({ type }) => type === DATATYPE);
  if (datatypes.length === 1 && isPlain(datatypes[0]!)) return;
  const rule = "its numbers must be plain integers or IEEE 754's float16, float32 and float64";
  throw new UnreadableFileError(rule, "the array has a kind of its own");
}

/** All messages of a header, its continuations included. */
function messagesAt(bytes: Uint8Array, address: number): HeaderMessage[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isNew = view.getUint32(address, true) === 0x5244484f; // "OHDR"
  if (!isNew && view.getUint8(address) !== 1) throw new Error(`no header at ${address}`);
  const flags = isNew ? view.getUint8(address + 5) : 0;
  const chunks = [
    isNew ? newChunk(view, address, flags) : {
      begin: address + 16,
      end: address + 16 + view.getUint32(address + 8, true),
    },
  ];
  const messages: HeaderMessage[] = [];
  const prefix = isNew ? 4 + (flags & 4 ? 2 : 0) : 8; // with the order of creation, or without
  for (let k = 0; k < chunks.length; k++) {
    if (k > MAX_CHUNKS) throw new Error("header goes on for ever");
    const { begin, end } = chunks[k]!;
    for (let at = begin; at + prefix <= end;) {
      const type = isNew ? view.getUint8(at) : view.getUint16(at, true);
      const size = view.getUint16(at + (isNew ? 1 : 2), true);
      const body = new DataView(bytes.buffer, bytes.byteOffset + at + prefix, size);
      if (at + prefix + size > bytes.length) throw new Error(`message at ${at} leaves the file`);
      messages.push({ type, flags: view.getUint8(at + (isNew ? 3 : 4)), body });
      if (type === CONTINUATION) {
        const begin = Number(body.getBigUint64(0, true));
        const end = begin + Number(body.getBigUint64(8, true));
        chunks.push(isNew ? { begin: begin + 4, end: end - 4 } : { begin, end }); // "OCHK", checksum
      }
      at += prefix + size;
    }
  }
  return messages;
}

function newChunk(view: DataView, address: number, flags: number) {
  const width = 1 << (flags & 3); // bytes of the length
  const at = address + 6 + (flags & 32 ? 16 : 0) + (flags & 16 ? 4 : 0); // times, limits
  const length = width === 8
    ? Number(view.getBigUint64(at, true))
    : width === 4
    ? view.getUint32(at, true)
    : width === 2
    ? view.getUint16(at, true)
    : view.getUint8(at);
  return { begin: at + width, end: at + width + length };
}

/** A datatype message of its own (not shared) that tells plain numbers. */
function isPlain({ flags, body }: HeaderMessage): boolean {
  if (flags & 2) return false; // lies elsewhere
  const [kind, bits, sign] = [body.getUint8(0) & 15, body.getUint8(1), body.getUint8(2)];
  const size = body.getUint32(4, true);
  if (kind === 0) { // bits: byte order and sign; then the bit offset and the precision
    return (bits & ~9) === 0 && body.getUint32(8, true) === size * 8 << 16;
  }
  const properties = Array.from({ length: 12 }, (_, k) => body.getUint8(8 + k)).join();
  return kind === 1 && (bits & ~1) === 0x20 && sign === size * 8 - 1 &&
    properties === (size === 2 ? FLOAT16 : size === 4 ? FLOAT32 : FLOAT64);
}
