// The workers beside the main thread, and how calls are shared out among them.

import { type Build, type Engine, moduleOf } from "./engine.ts";
import { type Call, make, Thread } from "./thread.ts";
import { wideModule } from "./wide.ts";

/** How long a worker may take beyond what the main thread took for its own call, and how many times that. */
const PATIENCE_MS = 1000;
const PATIENCE = 4;
/** How many lost workers are replaced: where it goes on, something is wrong with all. */
const REPLACEMENTS = 16;

/** The main thread and its workers, `count` together. */
export class Threads {
  readonly count: number;
  readonly #build: Build;
  readonly #engine: Engine;
  readonly #workers: (Thread | undefined)[];
  #replacements = REPLACEMENTS;
  #problem = "";

  /** @param engine the main thread's instance, whose memory the workers' share */
  constructor(count: number, build: Build, engine: Engine) {
    this.count = count;
    this.#build = build;
    this.#engine = engine;
    this.#workers = Array.from({ length: count - 1 }, (_, k) => this.#start(k));
  }

  /** Waits until all workers can take calls; why one cannot, where one cannot. */
  waitForStart(milliseconds: number): string | undefined {
    try {
      if (this.#workers.every((worker) => worker?.waitForStart(milliseconds))) return undefined;
    } catch (error) { // a page's main thread may not wait
      this.#problem = messageOf(error);
    }
    return this.#problem || `a worker did not start in ${milliseconds} ms`;
  }

  /**
   * Makes all calls, at most `count`, and returns when they are made: the first in this thread, and
   * then each that a worker has not begun. False where a worker began one and does not end it.
   */
  make([own, ...others]: readonly Call[]): boolean {
    if (!this.areQuiet()) return false;
    const wide = this.#engine.wide.value !== 0;
    const workers = others.map((call, k) => {
      const worker = this.#workerFor(k);
      return worker?.post(call, wide) ? worker : undefined;
    });
    const start = performance.now();
    make(own!, this.#engine);
    const patience = PATIENCE_MS + PATIENCE * (performance.now() - start);
    const begun = others.map((call, k) => {
      if (workers[k]?.takeBack() === false) return workers[k];
      make(call, this.#engine);
      return undefined;
    });
    return begun.every((worker) => worker?.finished(patience) ?? true);
  }

  /** Waits until no worker computes; whether that came in time. */
  areQuiet(): boolean {
    return this.#workers.every((worker) => worker?.isQuiet(PATIENCE_MS) ?? true);
  }

  /** Ends all workers. */
  end(): void {
    for (const worker of this.#workers) worker?.end();
  }

  #workerFor(k: number): Thread | undefined {
    const worker = this.#workers[k];
    if (worker?.isLost && this.#replacements-- > 0) {
      worker.end();
      this.#workers[k] = this.#start(k);
    }
    return this.#workers[k];
  }

  #start(k: number): Thread | undefined {
    const build = this.#build;
    try {
      return new Thread({
        memory: this.#engine.memory,
        module: moduleOf(build),
        wide: build === "relaxed-simd" ? wideModule(k + 1) : undefined,
      });
    } catch (error) {
      this.#problem = messageOf(error);
      return undefined;
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
