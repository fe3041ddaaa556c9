// Tensors as PyTorch keeps them: numbers in a storage, and how a shape steps through them.

import { quoted } from "../base/quoted.ts";
import { Tensor } from "../tensor/tensor.ts";
import { areCounts } from "./json.ts";
import { byteLengthOf, decodeNumbers, itemSizeOf, type NumberKind } from "./number_kinds.ts";
import { kindOfValue } from "./pickle_values.ts";
import { UnreadableFileError } from "./unreadable.ts";

const MAX_AXES = 64; // as NumPy

/** Numbers in a row, which several tensors may share. */
export class Storage {
  readonly byteLength: number;
  bytes: Uint8Array = new Uint8Array();
  isBigEndian = false;

  constructor(
    readonly key: string,
    readonly kind: NumberKind,
    readonly count: number,
  ) {
    this.byteLength = byteLengthOf([count], kind);
  }

  fill(bytes: Uint8Array, isBigEndian: boolean): void {
    if (bytes.length !== this.byteLength) {
      const rule = `storage ${quoted(this.key)} takes ${this.byteLength} bytes`;
      throw new UnreadableFileError(rule, `the file has ${bytes.length} for it`);
    }
    this.bytes = bytes;
    this.isBigEndian = isBigEndian;
  }

  toString(): string {
    return `${this.count} of ${this.kind}`;
  }
}

/** A tensor before its numbers are copied. */
export class TensorView {
  /** How many numbers it has. */
  readonly length: number;

  /**
   * @param offset where its first number lies, in numbers
   * @param strides how far it is to the next along each axis, in numbers
   * @param kind what the numbers are, where the storage is of bytes
   * @throws {UnreadableFileError} where it does not lie in the storage, or has more numbers than that.
   */
  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
    readonly kind: NumberKind = storage.kind,
  ) {
    if (shape.length !== strides.length || shape.length > MAX_AXES) {
      const rule = `a tensor has at most ${MAX_AXES} axes, and a stride for each`;
      throw new UnreadableFileError(rule, `they are ${shape.length} and ${strides.length}`);
    }
    const numbers: readonly unknown[] = [offset, ...shape, ...strides];
    if (!areCounts(numbers)) {
      const rule = "a tensor's offset, shape and strides must be whole numbers from 0";
      const odd = numbers.find((number) => !areCounts([number]));
      throw new UnreadableFileError(rule, `one is ${kindOfValue(odd)}`);
    }
    this.length = byteLengthOf(shape, kind) / itemSizeOf(kind);
    const there = Math.floor(storage.byteLength / itemSizeOf(kind));
    const last = shape.reduce((sum, n, axis) => sum + (n - 1) * strides[axis]!, offset);
    if (this.length > 0 && (last >= there || this.length > there)) {
      const state = `[${shape}] from ${offset} by [${strides}] has ${this.length}, up to ${last}`;
      throw new UnreadableFileError(`a tensor lies within the ${there} of its storage`, state);
    }
  }

  /** The numbers in the order of the shape. */
  copy(): Tensor {
    const { kind, storage: { bytes, isBigEndian } } = this;
    const size = itemSizeOf(kind);
    const begin = this.offset * size;
    const numbers = this.#isInOrder()
      ? bytes.slice(begin, begin + this.length * size)
      : this.#gathered(bytes, size);
    for (let at = 0; isBigEndian && at < numbers.length; at += size) {
      numbers.subarray(at, at + size).reverse();
    }
    return new Tensor(decodeNumbers(numbers.buffer as ArrayBuffer, kind), this.shape);
  }

  #isInOrder(): boolean {
    let step = 1;
    return this.length === 0 || this.shape.toReversed().every((n, k) => {
      const fits = n === 1 || this.strides[this.strides.length - 1 - k] === step;
      step *= n;
      return fits;
    });
  }

  #gathered(bytes: Uint8Array, size: number): Uint8Array {
    const numbers = new Uint8Array(this.length * size);
    const index = this.shape.map(() => 0);
    let from = this.offset;
    for (let to = 0; to < numbers.length; to += size) {
      for (let k = 0; k < size; k++) numbers[to + k] = bytes[from * size + k]!;
      for (let axis = index.length - 1; axis >= 0; axis--) { // the next index, and where it lies
        from += this.strides[axis]!;
        if (++index[axis]! < this.shape[axis]!) break;
        from -= this.strides[axis]! * this.shape[axis]!;
        index[axis] = 0;
      }
    }
    return numbers;
  }
}
