// Products of matrices in float64: the sums of lib/tensor's `dot` in the same order, so the same bits,
// ten times as fast.

import { float64Bytes } from "./float64_bytes.ts";

/** Numbers of one kind. */
type Floats = Float64Array<ArrayBuffer>;

/** What assembly/float64.ts exports. Addresses are bytes in `memory`. */
interface Float64Engine {
  readonly memory: WebAssembly.Memory;
  readonly FREE_FROM: { readonly value: number };
  readonly product: (
    a: number,
    rows: number,
    depth: number,
    w: number,
    panels: number,
    start: number,
    startRow: number,
    out: number,
  ) => void;
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

/** The one instance, and whose matrices lie in its memory: another run's are packed anew. */
let engine: Float64Engine | undefined;
let owner: Float64Products | undefined;

/** Whether this machine's WASM has the vectors that the products need. */
function hasVectors(): boolean {
  return vectors ??= WebAssembly.validate(Uint8Array.fromBase64(float64Bytes));
}
let vectors: boolean | undefined;

/**
 * The products of one run, over matrices that nobody writes into as long as it lasts: each is packed
 * once, when it comes for the second time.
 */
export class Float64Products {
  readonly #seen = new WeakSet<Floats>();
  readonly #places = new Map<Floats, number>();
  #next = 0;

  /**
   * x·W from `start` on.
   *
   * @param x `[rows, depth]`
   * @param W `[depth, columns]`
   * @param start `[rows, columns]`, or `[columns]` for each row; left as it is. Default: zeros.
   * @returns `[rows, columns]`; undefined where that would not be faster than three loops
   */
  product(x: Floats, W: Floats, columns: number, start?: Floats): Floats | undefined {
    const depth = W.length / columns;
    const rows = x.length / depth;
    if (rows * W.length < FEW || !hasVectors()) return undefined;
    if (owner !== this) this.#startOver();
    const place = this.#placeOf(W, depth, columns, rows);
    if (place === undefined) return undefined;
    const width = Math.ceil(columns / PANEL) * PANEL;
    const panels = width / PANEL;
    const together = Math.min(rows, ROWS);
    const a = this.#next;
    const s = a + aligned(together * depth * 8);
    const repeats = start === undefined || start.length === columns;
    const out = s + aligned((repeats ? 1 : together) * width * 8);
    const memory = this.#floats(out + together * width * 8);
    const result = new Float64Array(rows * columns);
    const put = (from: number, count: number) => {
      for (let r = 0; r < count; r++) {
        const row = start!.subarray((from + r) * columns, (from + r + 1) * columns);
        memory.set(row, s / 8 + r * width);
      }
    };
    if (start === undefined) memory.fill(0, s / 8, s / 8 + width);
    else if (repeats) put(0, 1);
    for (let r = 0; r < rows; r += together) {
      const count = Math.min(together, rows - r);
      memory.set(x.subarray(r * depth, (r + count) * depth), a / 8);
      if (!repeats) put(r, count);
      wasm().product(a, count, depth, place, panels, s, repeats ? 0 : width * 8, out);
      if (width === columns) {
        result.set(memory.subarray(out / 8, out / 8 + count * width), r * columns);
      } else {
        for (let k = 0; k < count; k++) {
          const from = out / 8 + k * width;
          result.set(memory.subarray(from, from + columns), (r + k) * columns);
        }
      }
    }
    return result;
  }

  /** Where the matrix lies packed, `[panels][depth][8]`; undefined where packing would not pay. */
  #placeOf(W: Floats, depth: number, columns: number, rows: number): number | undefined {
    const known = this.#places.get(W);
    if (known !== undefined) return known;
    if (rows < PANEL && !this.#seen.has(W)) {
      this.#seen.add(W);
      return undefined;
    }
    const panels = Math.ceil(columns / PANEL);
    const bytes = panels * depth * PANEL * 8;
    if (this.#next + bytes > Math.max(BUDGET, first() + bytes)) this.#startOver();
    const place = this.#next;
    this.#next += bytes;
    const memory = this.#floats(this.#next);
    for (let p = 0, to = place / 8; p < panels; p++) {
      const [first, count] = [p * PANEL, Math.min(PANEL, columns - p * PANEL)];
      for (let k = 0; k < depth; k++, to += PANEL) {
        for (let c = 0; c < count; c++) memory[to + c] = W[k * columns + first + c]!;
      }
    }
    this.#places.set(W, place);
    return place;
  }

  #startOver(): void {
    owner = this;
    this.#places.clear();
    this.#next = first();
  }

  /** The memory, at least that long. */
  #floats(bytes: number): Floats {
    const { memory } = wasm();
    const missing = bytes - memory.buffer.byteLength;
    if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
    return new Float64Array(memory.buffer as ArrayBuffer);
  }
}

function wasm(): Float64Engine {
  return engine ??= new WebAssembly.Instance(
    new WebAssembly.Module(Uint8Array.fromBase64(float64Bytes)),
  ).exports as unknown as Float64Engine;
}

/** Where the memory is free from. */
function first(): number {
  return aligned(wasm().FREE_FROM.value);
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
