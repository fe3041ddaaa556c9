// Turns of the event loop during a long run, and the end of a run that Stop cut off.

import { jupyterOfKernel } from "./jupyter.ts";

// How long the event loop may wait: a signal, a progress line and a click come through in between.
const TURN_MS = 50;
// A turn is over long before the next look.
const LOOK_MS = 100;

/**
 * A run was cut off. The Deno kernel answers Stop by ending the JavaScript that runs (V8's
 * TerminateExecution), which no `catch` and no `finally` sees: what awaits the run would wait for
 * ever, and the kernel with it.
 */
export class CutOff extends Error {}

/** Lets a run pause for the event loop, and sees when it will never go on. */
export class Turns {
  /** What the run is at; between two tasks of the event loop it computes only if it was cut off. */
  #at: "computing" | "turn" | "elsewhere" = "computing";
  #turns = 0;
  #last = performance.now();
  #isOver = false;

  /** Gives the event loop a turn where it has waited long enough. */
  turn(): Promise<void> | undefined {
    if (this.#isOver) throw new CutOff();
    if (performance.now() - this.#last < TURN_MS) return undefined;
    // After a timer's callback, Stop would end every later timer of the kernel as well (Deno 2.9.6:
    // 8 of 25 Stops; after an immediate's, 2 of 100, those that hit the event loop itself).
    const { setImmediate: after = setTimeout } = globalThis; // browsers have no immediates
    return this.#wait("turn", new Promise((resolve) => after(resolve)));
  }

  /** Waits for what is not the run's own and may take its time. */
  elsewhere(work: void | Promise<void>): Promise<void> {
    return this.#wait("elsewhere", work);
  }

  async #wait(at: "turn" | "elsewhere", work: void | Promise<void>): Promise<void> {
    this.#at = at;
    this.#turns++;
    await work;
    this.#at = "computing";
    this.#last = performance.now();
  }

  /**
   * The result of a run that takes these turns.
   *
   * @param isWatched whether anything cuts runs off: the Deno kernel does
   * @throws {CutOff} Where the run will never have a result.
   */
  async guard<T>(run: () => Promise<T>, isWatched = jupyterOfKernel() !== undefined): Promise<T> {
    if (!isWatched) return await run();
    const { promise: cutOff, reject } = Promise.withResolvers<never>();
    const lookEvery = (ms: number) => {
      let seen = -1;
      return setInterval(() => {
        const isDead = this.#at === "computing" || this.#at === "turn" && this.#turns === seen;
        seen = this.#turns;
        if (isDead) reject(new CutOff());
      }, ms);
    };
    const timers = [lookEvery(LOOK_MS), lookEvery(1.7 * LOOK_MS)]; // Stop may hit one of them
    try {
      return await Promise.race([run(), cutOff]);
    } finally {
      this.#isOver = true;
      timers.forEach(clearInterval);
    }
  }
}
