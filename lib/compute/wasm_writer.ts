// WebAssembly's binary form, as far as wide_code.ts needs it.

/** Types of numbers. */
export const I32 = 0x7f;
const V128 = 0x7b;

/** Bytes of a module, or of instructions in it; locals are called by their numbers. */
export class WasmWriter {
  #room = new Uint8Array(256);
  #length = 0;
  /** Where offsets stand that move from one repetition to the next, and how far. */
  readonly #moving: { readonly at: number; readonly first: number; readonly by: number }[] = [];

  /** All that is written so far. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#room.subarray(0, this.#length);
  }

  /** Bytes as they are: an instruction's name, mostly. */
  raw(...bytes: readonly number[]): this {
    return this.#write(bytes);
  }

  #write(bytes: ArrayLike<number>): this {
    const end = this.#length + bytes.length;
    if (end > this.#room.length) {
      const room = new Uint8Array(2 * end);
      room.set(this.#room);
      this.#room = room;
    }
    this.#room.set(bytes, this.#length);
    this.#length = end;
    return this;
  }

  /** A number from 0 on, in as few bytes as it needs. */
  size(value: number): this {
    return value > 127 ? this.raw(value & 127 | 128).size(value >>> 7) : this.raw(value);
  }

  /** What another one wrote, its length before it. */
  sized({ bytes }: WasmWriter): this {
    return this.size(bytes.length).#write(bytes);
  }

  text(text: string): this {
    return this.size(text.length).raw(...new TextEncoder().encode(text));
  }

  /** How many locals of either type a function has beside its arguments. */
  locals(integers: number, vectors: number): this {
    return this.size(2).size(integers).raw(I32).size(vectors).raw(V128);
  }

  /** A constant, at most 2³¹ − 1. */
  constant(value: number): this {
    this.raw(0x41);
    for (; value > 63; value >>= 7) this.raw(value & 127 | 128);
    return this.raw(value);
  }

  get(local: number): this {
    return this.raw(0x20).size(local);
  }

  set(local: number): this {
    return this.raw(0x21).size(local);
  }

  /** `to` = `from` + `times` · `stride`. */
  add(from: number, stride: number, times: number, to: number): this {
    this.get(from).get(stride);
    if (times !== 1) this.constant(times).multiply();
    return this.plus().set(to);
  }

  /**
   * Four numbers from the address on the stack.
   *
   * @param by how far the offset moves from one repetition to the next
   */
  load(offset: number, by?: number): this {
    return this.raw(0xfd, 0, 4).#offset(offset, by);
  }

  /** One number, four times. */
  loadSpread(offset: number, by?: number): this {
    return this.raw(0xfd, 9, 2).#offset(offset, by);
  }

  /** Those that move have two bytes, whatever they are. */
  #offset(offset: number, by: number | undefined): this {
    if (by === undefined) return this.size(offset);
    this.#moving.push({ at: this.#length, first: offset, by });
    return this.raw(0, 0);
  }

  /** What another one wrote, so many times, its offsets moved each time. */
  repeat(count: number, part: WasmWriter): this {
    for (let k = 0; k < count; k++) {
      const start = this.#length;
      this.#write(part.bytes);
      for (const { at, first, by } of part.#moving) {
        const offset = first + k * by;
        this.#room[start + at] = offset & 127 | 128;
        this.#room[start + at + 1] = offset >> 7;
      }
    }
    return this;
  }

  store(offset: number): this {
    return this.raw(0xfd, 11, 4).size(offset);
  }

  /** The three vectors on the stack as one: x · w + sum. */
  madd(): this {
    return this.raw(0xfd, 0x85, 2);
  }

  /** memory.copy of the two addresses and the length on the stack. */
  copy(): this {
    return this.raw(0xfc, 10, 0, 0);
  }

  call(callee: number): this {
    return this.raw(0x10).size(callee);
  }

  plus(): this {
    return this.raw(0x6a);
  }

  subtract(): this {
    return this.raw(0x6b);
  }

  multiply(): this {
    return this.raw(0x6c);
  }

  /** Whether the first of two integers is less. */
  isLess(): this {
    return this.raw(0x48);
  }

  /** Whether a local is above 0. */
  isPositive(local: number): this {
    return this.constant(0).get(local).isLess();
  }

  /** Of three the first where the third is not 0, else the second. */
  select(): this {
    return this.raw(0x1b);
  }

  if(): this {
    return this.raw(0x04, 0x40);
  }

  else(): this {
    return this.raw(0x05);
  }

  /** What follows, up to `again`. */
  loop(): this {
    return this.raw(0x03, 0x40);
  }

  /** Once more where the integer on the stack is not 0. */
  again(): this {
    return this.raw(0x0d, 0);
  }

  end(): this {
    return this.raw(0x0b);
  }
}
