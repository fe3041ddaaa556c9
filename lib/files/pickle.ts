// Python's pickle, as torch.save writes it: a stack machine that builds plain values, and runs
// nothing. What a file asks to be called is looked up by its name in a table of the caller's own
// functions; whatever is not there is refused by its name.
//
// The opcodes are those that torch.load(weights_only=True) reads (torch/_weights_only_unpickler.py),
// without NEWOBJ, which makes objects of classes; all of them are in Lib/pickle.py.

import { quoted } from "../base/quoted.ts";
import {
  Global,
  integerOf,
  kindOfValue,
  setItems,
  sizeOf,
  textOf,
  Tuple,
} from "./pickle_values.ts";
import { asFileError, UnreadableFileError } from "./unreadable.ts";

/** What a pickle may ask for. */
export interface PickleRules {
  /** What stands for a name (`collections.OrderedDict`); throws where nothing does. */
  readonly find: (name: string) => Global;
  /** What stands for something that lies outside of the pickle. */
  readonly outside?: (id: unknown) => unknown;
}

const MAX_BYTES = 2 ** 24; // of one pickle: 440 bytes tell an LSTM's four tensors
const MAX_PARTS = 1_000_000; // lists, dicts, tuples, marks, and what is copied: a few for a tensor

type Step = (machine: Machine) => void;

/** Every opcode there is, by its byte; those with a step are read. */
const OPCODES: readonly (readonly [code: string, name: string, step?: Step])[] = [
  ["\x80", "PROTO", (m) => m.checkProtocol(m.byte())],
  ["c", "GLOBAL", (m) => m.push(m.global())],
  ["R", "REDUCE", (m) => m.reduce()],
  ["b", "BUILD", (m) => m.build()],
  ["Q", "BINPERSID", (m) => m.push(m.outside(m.pop()))],
  ["(", "MARK", (m) => m.mark()],
  ["a", "APPEND", (m) => m.append([m.pop()])],
  ["e", "APPENDS", (m) => m.append(m.popMark())],
  ["s", "SETITEM", (m) => m.set([m.pop(), m.pop()].reverse())],
  ["u", "SETITEMS", (m) => m.set(m.popMark())],
  ["t", "TUPLE", (m) => m.push(new Tuple(m.popMark()), 1)],
  ["\x85", "TUPLE1", (m) => m.push(new Tuple(m.popSome(1)), 1)],
  ["\x86", "TUPLE2", (m) => m.push(new Tuple(m.popSome(2)), 1)],
  ["\x87", "TUPLE3", (m) => m.push(new Tuple(m.popSome(3)), 1)],
  ["N", "NONE", (m) => m.push(null)],
  ["\x88", "NEWTRUE", (m) => m.push(true)],
  ["\x89", "NEWFALSE", (m) => m.push(false)],
  [")", "EMPTY_TUPLE", (m) => m.push(new Tuple([]), 1)],
  ["]", "EMPTY_LIST", (m) => m.push([], 1)],
  ["}", "EMPTY_DICT", (m) => m.push(new Map(), 1)],
  ["\x8f", "EMPTY_SET", (m) => m.push(new Set(), 1)],
  ["J", "BININT", (m) => m.push(m.view(4).getInt32(0, true))],
  ["K", "BININT1", (m) => m.push(m.byte())],
  ["M", "BININT2", (m) => m.push(m.view(2).getUint16(0, true))],
  ["\x8a", "LONG1", (m) => m.push(integerOf(m.bytes(m.byte())))],
  ["G", "BINFLOAT", (m) => m.push(m.view(8).getFloat64(0))],
  ["X", "BINUNICODE", (m) => m.push(textOf(m.bytes(m.count())))],
  ["U", "SHORT_BINSTRING", (m) => m.push(textOf(m.bytes(m.byte())))], // Python 2's
  ["q", "BINPUT", (m) => m.memoize(m.byte())],
  ["r", "LONG_BINPUT", (m) => m.memoize(m.count())],
  ["h", "BINGET", (m) => m.push(m.remembered(m.byte()))],
  ["j", "LONG_BINGET", (m) => m.push(m.remembered(m.count()))],
  [".", "STOP", (m) => m.stop()],
  ...Object.entries({
    ...{ "0": "POP", "1": "POP_MARK", "2": "DUP", B: "BINBYTES", C: "SHORT_BINBYTES", F: "FLOAT" },
    ...{ I: "INT", L: "LONG", P: "PERSID", S: "STRING", T: "BINSTRING", V: "UNICODE", d: "DICT" },
    ...{ g: "GET", i: "INST", l: "LIST", o: "OBJ", p: "PUT", "\x81": "NEWOBJ", "\x82": "EXT1" },
    ...{ "\x83": "EXT2", "\x84": "EXT4", "\x8b": "LONG4", "\x8c": "SHORT_BINUNICODE" },
    ...{ "\x8d": "BINUNICODE8", "\x8e": "BINBYTES8", "\x90": "ADDITEMS", "\x91": "FROZENSET" },
    ...{ "\x92": "NEWOBJ_EX", "\x93": "STACK_GLOBAL", "\x94": "MEMOIZE", "\x95": "FRAME" },
    ...{ "\x96": "BYTEARRAY8", "\x97": "NEXT_BUFFER", "\x98": "READONLY_BUFFER" },
  }).map(([code, name]) => [code, name] as const),
];

const BY_BYTE = new Map(OPCODES.map((opcode) => [opcode[0].charCodeAt(0), opcode]));

/**
 * The value that a pickle builds, and where the pickle ends.
 *
 * @param bytes the file that it lies in
 * @param begin where it begins
 * @throws {UnreadableFileError} where it is damaged, or asks for what is not among the rules.
 */
export function readPickle(
  bytes: Uint8Array,
  begin: number,
  rules: PickleRules,
): { readonly value: unknown; readonly end: number } {
  const machine = new Machine(bytes, begin, rules);
  while (!machine.isDone) machine.step();
  return { value: machine.pop(), end: machine.at };
}

/** The stack, what was remembered, and how far the pickle is read. */
class Machine {
  at: number;
  isDone = false;
  readonly #end: number;
  #stack: unknown[] = [];
  readonly #below: unknown[][] = []; // a stack for each mark
  readonly #memo = new Map<number, unknown>();
  #parts = 0;

  constructor(
    readonly file: Uint8Array,
    begin: number,
    readonly rules: PickleRules,
  ) {
    this.at = begin;
    this.#end = Math.min(file.length, begin + MAX_BYTES);
  }

  step(): void {
    const place = this.at;
    const code = this.byte();
    const [, name, step] = BY_BYTE.get(code) ?? [];
    if (step !== undefined) return step(this);
    const rule = `the opcodes of a pickle must be those of torch.save: ${known()}`;
    throw new UnreadableFileError(rule, `at byte ${place} stands ${name ?? `the byte ${code}`}`);
  }

  stop(): void {
    this.isDone = true;
  }

  bytes(length: number): Uint8Array {
    if (this.at + length > this.#end) this.#endsEarly();
    this.at += length;
    return this.file.subarray(this.at - length, this.at);
  }

  view(length: number): DataView {
    const { buffer, byteOffset } = this.bytes(length);
    return new DataView(buffer, byteOffset, length);
  }

  byte(): number {
    if (this.at >= this.#end) this.#endsEarly();
    return this.file[this.at++]!;
  }

  count(): number {
    return this.view(4).getUint32(0, true);
  }

  /** Up to the end of the line. */
  line(): string {
    const end = this.file.indexOf(10, this.at);
    const text = textOf(this.bytes((end === -1 ? this.file.length : end) - this.at));
    this.bytes(1);
    return text;
  }

  checkProtocol(version: number): void {
    if (version === 2 || version === 3) return;
    const rule = "a pickle by torch.save is of protocol 2";
    throw new UnreadableFileError(rule, `the protocol is ${version}`);
  }

  push(value: unknown, parts = 0): void {
    if (parts > 0) this.#count(parts);
    this.#stack.push(value);
  }

  pop(): unknown {
    if (this.#stack.length === 0) this.#lacks("a value");
    return this.#stack.pop();
  }

  popSome(count: number): unknown[] {
    if (this.#stack.length < count) this.#lacks(`${count} values`);
    return this.#stack.splice(-count);
  }

  mark(): void {
    this.#count(1);
    this.#below.push(this.#stack);
    this.#stack = [];
  }

  popMark(): unknown[] {
    const items = this.#stack;
    this.#stack = this.#below.pop() ?? this.#lacks("a MARK");
    return items;
  }

  memoize(key: number): void {
    this.#memo.set(key, this.#stack.at(-1) ?? (this.#stack.length > 0 ? null : this.#lacks("one")));
  }

  remembered(key: number): unknown {
    if (this.#memo.has(key)) return this.#memo.get(key);
    return this.#lacks(`a value remembered as ${key}`);
  }

  global(): Global {
    return this.rules.find(`${this.line().replace(/^__builtin__$/, "builtins")}.${this.line()}`);
  }

  outside(id: unknown): unknown {
    if (this.rules.outside !== undefined) return this.rules.outside(id);
    throw new UnreadableFileError("this pickle must stand alone", "it asks for something outside");
  }

  /** Calls what the table has for a name; what it takes over from its arguments is counted. */
  reduce(): void {
    const [callee, args] = this.popSome(2);
    if (!(args instanceof Tuple)) return this.#lacks("a tuple of arguments for REDUCE");
    if (!(callee instanceof Global) || callee.call === undefined) {
      const name = callee instanceof Global ? quoted(callee.name) : "no function";
      throw new UnreadableFileError("REDUCE must call what is known here", `it calls ${name}`);
    }
    this.#count(1 + args.items.reduce<number>((sum, item) => sum + sizeOf(item), 0));
    const { call, name } = callee;
    this.push(asFileError(`${name} must get what it takes`, () => call(args.items)));
  }

  /** An OrderedDict's own attributes, as state_dict's _metadata: they are passed over. */
  build(): void {
    const [target, state] = this.popSome(2);
    if (!(target instanceof Map && state instanceof Map)) {
      const rule = "BUILD gives an OrderedDict its attributes, and nothing else has some";
      throw new UnreadableFileError(rule, `it stands behind ${kindOfValue(target)}`);
    }
    this.push(target);
  }

  append(items: readonly unknown[]): void {
    const list = this.#stack.at(-1);
    if (!Array.isArray(list)) {
      const state = `it stands behind ${kindOfValue(list)}`;
      throw new UnreadableFileError("APPEND and APPENDS must find a list", state);
    }
    for (const item of items) list.push(item);
  }

  set(items: readonly unknown[]): void {
    const dict = this.#stack.at(-1);
    if (!(dict instanceof Map) || items.length % 2 !== 0) {
      const state = `it stands behind ${kindOfValue(dict)} with ${items.length} values`;
      throw new UnreadableFileError("SETITEM and SETITEMS must find a dict and pairs", state);
    }
    setItems(dict, items);
  }

  #count(parts: number): void {
    this.#parts += parts;
    if (this.#parts <= MAX_PARTS) return;
    throw new UnreadableFileError(`a pickle has at most ${MAX_PARTS} parts`, "it has more");
  }

  #endsEarly(): never {
    const isLong = this.#end < this.file.length;
    const rule = isLong ? `a pickle has at most ${MAX_BYTES} bytes` : "a pickle ends in STOP";
    throw new UnreadableFileError(rule, isLong ? "it goes on" : "the file ends before");
  }

  #lacks(what: string): never {
    throw new UnreadableFileError(
      "the opcodes of a pickle must fit together",
      `${what} is missing at byte ${this.at}`,
    );
  }
}

function known(): string {
  return OPCODES.filter(([, , step]) => step !== undefined).map(([, name]) => name).join(", ");
}
