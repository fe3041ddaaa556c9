// How many threads the fast equations take: in the Deno kernel all cores from the size on where it
// pays, elsewhere as many as somebody asks for, since workers keep a process alive.

import { kindOf } from "../../base/kind.ts";
import { refuseOptions } from "../../base/options.ts";
import { setOwnThreads, sharedArena } from "../../compute/arena.ts";
import { availableBuild } from "../../compute/engine.ts";
import { MOST_THREADS } from "../../compute/memory_map.ts";
import { jupyterOfKernel } from "../../display/jupyter.ts";

/** A worker starts in 10 to 30 ms; on a busy machine it takes its time. */
const START_MS = 10_000;

setOwnThreads(ownCount);

/** What is asked for and not disposed of; the last one counts. */
const uses: { readonly count: number }[] = [];

/**
 * Computes large batches of `predict` and `fit` in so many threads, until it is disposed of. The main
 * thread is one of them; it waits for the others, which are workers over the same memory: weights are
 * there once. What takes less than about 0.15 ms, and a single sample, stays in one thread.
 *
 * Predictions have the same bits with any number of threads. `fit` has the same bits with the same
 * number: each thread's gradients are a sum, and the sums are added in order.
 *
 * The Deno kernel takes all cores by itself, 16 at most, when they first pay; elsewhere it is one
 * thread, as workers keep a process alive: hence `using`.
 *
 * @param count 1 to 16; more than there are cores are no faster
 * @returns what ends the threads again: `using` does, and `[Symbol.dispose]()`; then it is as before
 * @throws {RangeError} where the count is none of these.
 * @throws {Error} where threads cannot start here, with the reason.
 *
 * @example
 * ```ts
 * import { arange, dense, lstm, sequential, useThreads } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const layers = [lstm({ units: 64 }), dense({ units: 2 })];
 * const model = sequential(layers, { inputShape: [20, 16], seed: 1 });
 * const x = arange(64 * 20 * 16).reshape([64, 20, 16]);
 * const alone = model.predict(x);
 * {
 *   using _threads = useThreads(2);
 *   assertEquals(model.predict(x), alone);
 * }
 * ```
 */
export function useThreads(count: number): Disposable {
  refuseOptions("use threads", arguments, 1);
  if (typeof count !== "number") {
    throw new TypeError(
      `Cannot use threads: their count must be a number, but ${kindOf(count)} was given`,
    );
  }
  if (!Number.isInteger(count) || count < 1 || count > MOST_THREADS) {
    throw new RangeError(
      `Cannot use threads: their count must be a whole number from 1 to ${MOST_THREADS}, but it is ${count}`,
    );
  }
  if (availableBuild() === undefined) {
    throw new Error("Cannot use threads: WebAssembly needs SIMD, but this machine has none");
  }
  const use = { count };
  uses.push(use);
  const problem = sharedArena().setThreads(count, START_MS);
  if (problem !== undefined) {
    end(use);
    throw new Error(`Cannot use threads: each must start, but ${problem}`);
  }
  return { [Symbol.dispose]: () => end(use) };
}

function end(use: { readonly count: number }): void {
  const at = uses.indexOf(use);
  if (at === -1) return;
  const wasLast = at === uses.length - 1;
  uses.splice(at, 1);
  if (wasLast) sharedArena().setThreads(uses.at(-1)?.count ?? ownCount);
}

/** How many threads are taken where nobody asks. */
function ownCount(): number {
  if (jupyterOfKernel() === undefined) return 1;
  return Math.min(MOST_THREADS, navigator.hardwareConcurrency);
}
