// Who holds which part of the WASM memory. Plans take a block each; nobody gives one back. When the
// budget is used up, everything starts over: the plans notice by the generation and set themselves up
// again at their next run. So nothing leaks, and nothing waits for the garbage collector.

import { availableBuild, type Build, type Engine, instantiate } from "./engine.ts";

const PAGE = 65536;
/** A cache line: every array begins on one. */
const ALIGNMENT = 64;
/** What all plans together may hold before they start over; one that needs more gets more. */
const BUDGET = 256 * 2 ** 20;
/** What WASM can address. */
const LIMIT = 2 ** 32 - PAGE;

/** A block of memory as arrays to come: their places are known before the block is. */
export class Layout {
  bytes = 0;

  /** Room for that many numbers of 4 bytes; their place, counted in bytes from the block's start. */
  add(numbers: number): number {
    const place = this.bytes;
    this.bytes += Math.ceil(numbers * 4 / ALIGNMENT) * ALIGNMENT;
    return place;
  }
}

/** The memory of one WASM instance. */
export class Arena {
  readonly engine: Engine;
  /** Changes when all blocks are void. */
  generation = 1;
  /** The whole memory as float32; another array after the memory has grown. */
  floats: Float32Array<SharedArrayBuffer>;
  /** The same memory as int32. */
  integers: Int32Array<SharedArrayBuffer>;
  #next: number;
  readonly #first: number;
  readonly #budget: number;

  constructor(build: Build, budget: number = BUDGET) {
    this.engine = instantiate(build);
    this.#budget = budget;
    this.#first = Math.ceil(this.engine.FREE_FROM.value / ALIGNMENT) * ALIGNMENT;
    this.#next = this.#first;
    this.floats = new Float32Array(this.engine.memory.buffer as unknown as SharedArrayBuffer);
    this.integers = new Int32Array(this.engine.memory.buffer as unknown as SharedArrayBuffer);
  }

  /** How large the memory is by now, in bytes. */
  get bytes(): number {
    return this.floats.byteLength;
  }

  /**
   * A block's address in bytes.
   *
   * @throws {RangeError} where it is larger than WASM can address.
   */
  reserve(bytes: number): number {
    if (bytes > LIMIT - this.#first) {
      throw new RangeError(
        `Cannot compute this fast: WASM addresses 4 GiB, but ${bytes} bytes are needed`,
      );
    }
    if (this.#next + bytes > Math.max(this.#budget, this.#first + bytes)) {
      this.#next = this.#first;
      this.generation++;
    }
    const address = this.#next;
    this.#next += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    this.#growTo(this.#next);
    return address;
  }

  /** Room behind all blocks, until the next call of `scratch` or `reserve`. */
  scratch(bytes: number): number {
    this.#growTo(this.#next + bytes);
    return this.#next;
  }

  #growTo(end: number): void {
    if (end <= this.bytes) return;
    this.engine.memory.grow(Math.ceil((end - this.bytes) / PAGE));
    this.floats = new Float32Array(this.engine.memory.buffer as unknown as SharedArrayBuffer);
    this.integers = new Int32Array(this.engine.memory.buffer as unknown as SharedArrayBuffer);
  }
}

let shared: Arena | undefined;

/**
 * The arena that everything shares; made when first asked for.
 *
 * @throws {Error} where no build runs here: ask {@linkcode availableBuild} first.
 */
export function sharedArena(): Arena {
  if (shared !== undefined) return shared;
  const build = availableBuild();
  if (build === undefined) {
    throw new Error("Cannot compute fast: WebAssembly needs SIMD, but this machine has none");
  }
  return shared = new Arena(build);
}
