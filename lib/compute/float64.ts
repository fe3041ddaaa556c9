// Products of matrices in float64: the sums of lib/tensor's `dot` in the same order, so the same bits,
// ten times as fast.

import { float64Bytes, relaxedFloat64Bytes } from "./float64_bytes.ts";

/** Numbers of one kind. */
type Floats = Float64Array<ArrayBuffer>;

/** A factor and its matrix. */
type Term = readonly [x: Floats, W: Floats];

/** What assembly/float64.ts exports. Addresses are bytes in `memory`. */
interface Float64Engine {
  readonly memory: WebAssembly.Memory;
  readonly FREE_FROM: { readonly value: number };
  readonly product: (
    a: number,
    rows: number,
    signed: number,
    depth: number,
    w: number,
    isSingle: boolean,
    panels: number,
    out: number,
  ) => void;
}

/** Where a matrix lies packed, `[panels][depth][8]`. */
interface Packed {
  readonly address: number;
  readonly depth: number;
  /** Whether float32 holds all of its numbers, and it is kept so. */
  readonly isSingle: boolean;
}

/** Columns of a panel, the part of a matrix that a tile takes. */
const PANEL = 8;
const ALIGNMENT = 64;
const PAGE = 65536;
/** Below that many multiplications, setting up costs more than it saves. */
const FEW = 1 << 15;
/** Rows that one call takes: more would only pass through the caches. */
const ROWS = 128;
/** What the matrices may hold before they start over; one that needs more gets more. */
const BUDGET = 128 * 2 ** 20;

/** The one instance, its memory, and whose matrices lie in it: another run's are packed anew. */
let engine: Float64Engine | undefined;
let memory: Floats = new Float64Array(0);
let owner: Float64Products | undefined;

/** The modules that this machine's WASM has the vectors for, the fastest first. */
function usable(): Uint8Array<ArrayBuffer>[] {
  return known ??= [relaxedFloat64Bytes, float64Bytes]
    .map((bytes) => Uint8Array.fromBase64(bytes))
    .filter((bytes) => WebAssembly.validate(bytes));
}
let known: Uint8Array<ArrayBuffer>[] | undefined;

/**
 * The products of one run, over matrices that nobody writes into as long as it lasts: each is packed
 * once, when it comes for the second time.
 */
export class Float64Products {
  readonly #seen = new WeakSet<Floats>();
  readonly #places = new Map<Floats, Packed>();
  #next = 0;

  /**
   * Adds Σ xₖ·Wₖ.
   *
   * @param into `[rows, columns]`
   * @param terms x `[rows, depth]` and W `[depth, columns]` each
   * @param signed how many rows of x meet W; those after them meet |W|. Default: all.
   * @returns false where nothing was done: it would not be faster than three loops
   */
  addProducts(into: Floats, terms: readonly Term[], columns: number, signed = Infinity): boolean {
    const rows = into.length / columns;
    let numbers = 0;
    for (const [, W] of terms) numbers += W.length;
    if (rows * numbers < FEW || usable().length === 0) return false;
    if (owner !== this) this.#startOver();
    const packed = this.#allPacked(terms, columns, rows);
    if (packed === undefined) return false;
    const width = widthOf(columns);
    const together = Math.min(rows, ROWS);
    const out = this.#next;
    const a = out + aligned(together * width * 8);
    const memory = floats(a + together * Math.max(...packed.map(({ depth }) => depth)) * 8);
    for (let r = 0; r < rows; r += together) {
      const count = Math.min(together, rows - r);
      const sums = into.subarray(r * columns, (r + count) * columns);
      const row = (k: number) => sums.subarray(k * columns, (k + 1) * columns);
      if (width === columns) memory.set(sums, out / 8);
      else for (let k = 0; k < count; k++) memory.set(row(k), out / 8 + k * width);
      const meet = Math.max(0, Math.min(signed - r, count));
      for (const [k, { address, depth, isSingle }] of packed.entries()) {
        memory.set(terms[k]![0].subarray(r * depth, (r + count) * depth), a / 8);
        wasm().product(a, count, meet, depth, address, isSingle, width / PANEL, out);
      }
      for (let k = 0; width !== columns && k < count; k++) {
        row(k).set(memory.subarray(out / 8 + k * width, out / 8 + k * width + columns));
      }
      if (width === columns) sums.set(memory.subarray(out / 8, out / 8 + sums.length));
    }
    return true;
  }

  /** All matrices packed; undefined where packing would not pay. */
  #allPacked(terms: readonly Term[], columns: number, rows: number): Packed[] | undefined {
    let bytes = 0;
    let comesAgain = true;
    for (const [, W] of terms) {
      if (this.#places.has(W)) continue;
      bytes += 8 * W.length / columns * widthOf(columns);
      comesAgain &&= rows >= PANEL || this.#seen.has(W);
      this.#seen.add(W);
    }
    if (!comesAgain) return undefined;
    if (this.#next + bytes > Math.max(BUDGET, first() + bytes)) this.#startOver();
    return terms.map(([, W]) => this.#packed(W, columns));
  }

  #packed(W: Floats, columns: number): Packed {
    const known = this.#places.get(W);
    if (known !== undefined) return known;
    const depth = W.length / columns;
    const isSingle = isFloat32(W);
    const address = this.#next;
    this.#next = aligned(address + depth * widthOf(columns) * (isSingle ? 4 : 8));
    const { buffer } = floats(this.#next);
    const into = isSingle ? new Float32Array(buffer, address) : new Float64Array(buffer, address);
    for (let column = 0, to = 0; column < columns; column += PANEL) {
      const count = Math.min(PANEL, columns - column);
      for (let k = 0; k < depth; k++, to += PANEL) {
        for (let c = 0; c < count; c++) into[to + c] = W[k * columns + column + c]!;
      }
    }
    const packed = { address, depth, isSingle };
    this.#places.set(W, packed);
    return packed;
  }

  #startOver(): void {
    owner = this;
    this.#places.clear();
    this.#next = first();
  }
}

/** Columns with those that fill up the last panel. */
function widthOf(columns: number): number {
  return Math.ceil(columns / PANEL) * PANEL;
}

/** Whether all numbers are float32's. */
function isFloat32(W: Floats): boolean {
  for (let k = 0; k < W.length; k++) if (Math.fround(W[k]!) !== W[k]) return false;
  return true;
}

/** The memory, at least that long. */
function floats(bytes: number): Floats {
  if (memory.byteLength < bytes) {
    const { memory: own } = wasm();
    const missing = bytes - own.buffer.byteLength;
    if (missing > 0) own.grow(Math.ceil(missing / PAGE));
    memory = new Float64Array(own.buffer as ArrayBuffer);
  }
  return memory;
}

function wasm(): Float64Engine {
  return engine ??= new WebAssembly.Instance(
    new WebAssembly.Module(usable()[0]!),
  ).exports as unknown as Float64Engine;
}

/** Where the memory is free from. */
function first(): number {
  return aligned(wasm().FREE_FROM.value);
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
