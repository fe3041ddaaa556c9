// The wide tiles: twice as fast as the others where V8 makes 256-bit code of them
// (`--experimental-wasm-revectorize` and AVX2), half as fast elsewhere. Nothing says which it is, so
// both are timed. The results have the same bits: each sum adds in the same order.

import { availableBuild, type Engine } from "./engine.ts";
import { SCRATCH_BYTES, ZEROS } from "./memory_map.ts";
import { wideCode } from "./wide_code.ts";

/** From how many multiplications of a run on it is worth asking. */
const LARGE = 2 ** 22;
/**
 * A trial takes both that often, in turns, and that many products each time: 0.1 ms in all, and 2 ms
 * as long as V8 has optimized neither.
 */
const TURNS = 4;
const PRODUCTS = 4;
/** It does that in its own time: another trial after 5 ms, and each after half as long again. */
const TRIALS = 21;
const FEWEST = 3;
const FIRST_PAUSE = 5;
const LONGER = 1.5;
/** By how much the wide ones must be faster: the clock wavers. */
const FASTER = 1.15;

/** The shortest time of either in any trial, in milliseconds. */
const best = { narrow: Infinity, wide: Infinity };
let trials = 0;
let nextTrial = 0;

/** Has an engine use the faster tiles for what follows: asked before a run of so many multiplications. */
export function chooseTiles(engine: Engine, multiplications: number): void {
  if (multiplications < LARGE || availableBuild() !== "relaxed-simd") return;
  if (trials < TRIALS && performance.now() >= nextTrial) {
    for (let turn = 0; turn < TURNS; turn++) {
      best.narrow = Math.min(best.narrow, timed(engine, false));
      best.wide = Math.min(best.wide, timed(engine, true));
    }
    nextTrial = performance.now() + FIRST_PAUSE * LONGER ** trials++;
  }
  useWideTiles(engine, areWideFaster());
}

/** What the trials say; the first ones know nothing yet of what is optimized. */
function areWideFaster(): boolean {
  return trials >= FEWEST && best.wide * FASTER < best.narrow;
}

/** The wide tiles or the others, for all products of an engine from now on. */
export function useWideTiles(engine: Engine, use: boolean): void {
  engine.wide.value = use ? slotOf(engine) : 0;
}

function timed(engine: Engine, wide: boolean): number {
  useWideTiles(engine, wide);
  const start = performance.now();
  engine.trial(PRODUCTS, ZEROS);
  return performance.now() - start;
}

/** Where each engine's table has its wide tiles. */
const slots = new WeakMap<Engine, number>();

function slotOf(engine: Engine): number {
  if (!slots.has(engine)) addWideTiles(engine, wideModule(0));
  return slots.get(engine)!;
}

/** Gives an engine the wide tiles of its thread; `useWideTiles` uses them. */
export function addWideTiles(engine: Engine, module: WebAssembly.Module): void {
  const { exports } = new WebAssembly.Instance(module, { env: { memory: engine.memory } });
  const tiles = Object.values(exports) as CallableFunction[];
  const slot = engine.table.grow(tiles.length);
  tiles.forEach((tile, k) => engine.table.set(slot + k, tile));
  slots.set(engine, slot);
}

/** The wide tiles of a thread, 0 to 15: in a memory that all share, each has fixed addresses of its own. */
export function wideModule(thread: number): WebAssembly.Module {
  return new WebAssembly.Module(wideCode(thread * SCRATCH_BYTES));
}
