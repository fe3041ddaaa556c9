// Who holds which part of the WASM memory. Plans take a block each; nobody gives one back. When the
// budget is used up, everything starts over: the plans notice by the generation and set themselves up
// again at their next run. So nothing leaks, and nothing waits for the garbage collector.

import { availableBuild, type Build, type Engine, instantiate } from "./engine.ts";
import { type Call, make } from "./thread.ts";
import { Threads } from "./threads.ts";
import { chooseTiles } from "./wide.ts";

const PAGE = 65536;
/** A cache line: every array begins on one. */
const ALIGNMENT = 64;
/** What all plans together may hold before they start over; one that needs more gets more. */
const BUDGET = 256 * 2 ** 20;
/** What WASM can address. */
const LIMIT = 2 ** 32 - PAGE;

/**
 * How many multiplications each thread takes at least: less is not worth a worker's waking. Two threads
 * take 0.9 times as long as one with 2 million together, 0.14 ms; 0.8 times with 3 million, 0.7 with 8
 * million (medians, Zen 4).
 */
const LEAST_MULTIPLICATIONS = 2 ** 20;
/** A sample alone is computed in another order than several: each thread takes two at least. */
const LEAST_SAMPLES = 2;

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

/** The memory of WASM, and the threads that compute in it. */
export class Arena {
  /** The main thread's instance; another one after a worker was lost. */
  engine: Engine;
  /** Changes when all blocks are void. */
  generation = 1;
  /** The whole memory as float32; another array after the memory has grown. */
  floats: Float32Array<SharedArrayBuffer>;
  /** The same memory as int32. */
  integers: Int32Array<SharedArrayBuffer>;
  #next: number;
  #threads: Threads | undefined;
  #atFirst: (() => number) | undefined;
  readonly #build: Build;
  readonly #first: number;
  readonly #budget: number;

  constructor(build: Build, budget: number = BUDGET) {
    this.engine = instantiate(build);
    this.#build = build;
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

  /** How many threads compute. */
  get threads(): number {
    return this.#threads?.count ?? 1;
  }

  /**
   * Computes with so many threads from now on; all blocks are void then. Until the workers have started, the main thread makes
   * their calls.
   *
   * @param count a function is asked when threads would pay first
   * @param milliseconds how long to wait for their start. Default: not at all.
   * @returns why one did not start in that time, where one did not
   */
  setThreads(count: number | (() => number), milliseconds = 0): string | undefined {
    if (this.#threads?.areQuiet() === false) this.#leaveMemory();
    this.#threads?.end();
    this.#threads = undefined;
    this.#atFirst = typeof count === "function" ? count : undefined;
    if (typeof count === "number" && count > 1) {
      this.#threads = new Threads(count, this.#build, this.engine);
    }
    this.#startOver();
    return milliseconds > 0 ? this.#threads?.waitForStart(milliseconds) : undefined;
  }

  /**
   * How many of so many samples each thread takes; all are one part where threads do not pay. The same
   * for the same sizes and number of threads.
   */
  shares(samples: number, multiplications: number): number[] {
    const most = Math.floor(
      Math.min(samples / LEAST_SAMPLES, multiplications / LEAST_MULTIPLICATIONS),
    );
    if (most < 2) return [samples];
    const atFirst = this.#atFirst?.() ?? 1;
    this.#atFirst = undefined;
    if (atFirst > 1) this.setThreads(atFirst);
    const parts = Math.min(this.threads, most);
    const ends = Array.from({ length: parts }, (_, k) => Math.round(samples * (k + 1) / parts));
    return ends.map((end, k) => end - (ends[k - 1] ?? 0));
  }

  /**
   * Makes calls at the same time, at most as many as there are threads. False where a worker was lost
   * on the way: then all blocks are void, and the calls to be made once more.
   *
   * @param multiplications of all calls together
   */
  make(calls: readonly Call[], multiplications: number): boolean {
    chooseTiles(this.engine, multiplications);
    const threads = this.#threads;
    if (threads === undefined || calls.length === 1) {
      for (const call of calls) make(call, this.engine);
      return true;
    }
    if (threads.make(calls)) return true;
    this.#leaveMemory();
    return false;
  }

  /** A worker may still write into the memory: nobody looks at it again. */
  #leaveMemory(): void {
    const { threads } = this;
    this.#threads?.end();
    this.engine = instantiate(this.#build);
    this.#threads = threads > 1 ? new Threads(threads, this.#build, this.engine) : undefined;
    this.#lookAtMemory();
    this.#startOver();
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
      if (this.#threads?.areQuiet() === false) this.#leaveMemory();
      else this.#startOver();
    }
    const address = this.#next;
    this.#next += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
    this.#growTo(this.#next);
    return address;
  }

  /** So many float32 from a place, which is counted in numbers. */
  copy(from: number, length: number): Float32Array<ArrayBuffer> {
    return this.floats.slice(from, from + length) as Float32Array<ArrayBuffer>;
  }

  /** Room behind all blocks, until the next call of `scratch` or `reserve`. */
  scratch(bytes: number): number {
    this.#growTo(this.#next + bytes);
    return this.#next;
  }

  #growTo(end: number): void {
    if (end <= this.bytes) return;
    this.engine.memory.grow(Math.ceil((end - this.bytes) / PAGE));
    this.#lookAtMemory();
  }

  #lookAtMemory(): void {
    const buffer = this.engine.memory.buffer as unknown as SharedArrayBuffer;
    this.floats = new Float32Array(buffer);
    this.integers = new Int32Array(buffer);
  }

  #startOver(): void {
    this.#next = this.#first;
    this.generation++;
  }
}

let shared: Arena | undefined;
let ownThreads: () => number = () => 1;

/** Settles how many threads the shared arena takes by itself; asked when they would pay first. */
export function setOwnThreads(count: () => number): void {
  ownThreads = count;
  shared?.setThreads(count);
}

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
  shared = new Arena(build);
  shared.setThreads(ownThreads);
  return shared;
}
