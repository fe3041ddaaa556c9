// Work done at once, or in turns with other code: a line says how far it is, a signal stops it.

import { kindOf } from "../base/kind.ts";
import type { KeysOf } from "../base/options.ts";
import { finish, Stopped, type Work } from "../base/work.ts";
import { formatDuration } from "./duration.ts";
import { arrival } from "./jupyter.ts";
import { progress } from "./progress.ts";
import { CutOff, Turns } from "./turns.ts";

/**
 * What makes a promise of a function that computes for long: a signal, or word whether the progress
 * is shown. It then takes turns with other code, each for a moment; the result is the same.
 */
export type InTurns =
  | {
    /** Stops it: the promise is rejected with the signal's reason. */
    readonly signal: AbortSignal;
    /** Whether the progress is shown. Default: in the Deno kernel and in a terminal. */
    readonly verbose?: boolean;
  }
  | {
    /** There is none. */
    readonly signal?: undefined;
    /** Whether the progress is shown. */
    readonly verbose: boolean;
  };

/** Neither of them: then the result is there when the function returns. */
export interface AtOnce {
  /** Makes a promise of it, as {@linkcode InTurns} says. */
  readonly signal?: undefined;
  /** Likewise. */
  readonly verbose?: undefined;
}

/** Their names. */
export const IN_TURNS: KeysOf<AtOnce> = { signal: "optional", verbose: "optional" };

/** When so much is done, the time that it took tells how long the rest takes. */
const TELLING = 0.01;

/**
 * The result of some work, or a promise of it where a function's options ask for turns.
 *
 * @param action as it stands in an error after "Cannot", and in the line
 * @param options as they were given: the work checks them
 */
export function atOnceOrInTurns<T>(
  action: string,
  work: Work<T>,
  options: { readonly signal?: unknown; readonly verbose?: unknown } | undefined,
): T | Promise<T> {
  const { signal, verbose } = options ?? {};
  if (signal === undefined && verbose === undefined) return finish(work);
  return inTurns(action, work, signal, verbose);
}

async function inTurns<T>(
  action: string,
  work: Work<T>,
  signal: unknown,
  verbose: unknown,
): Promise<T> {
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new TypeError(
      `Cannot ${action}: the signal must be an AbortSignal, but ${kindOf(signal)} was given`,
    );
  }
  if (verbose !== undefined && typeof verbose !== "boolean") {
    throw new TypeError(
      `Cannot ${action}: verbose must be true or false, but ${kindOf(verbose)} was given`,
    );
  }
  const turns = new Turns();
  const line = progress(verbose);
  const began = performance.now();
  let share = 0;
  const done = () => `${action} · ${Math.floor(100 * share)} %`;
  const run = async () => {
    let [isWhole, end] = [false, ", stopped"];
    try {
      for (;;) {
        const step = signal?.aborted ? work.throw(new Stopped()) : work.next();
        if (step.done === true) {
          isWhole = signal?.aborted !== true;
          return step.value;
        }
        share = step.value;
        line.update(() => {
          if (share < TELLING) return done();
          const left = (performance.now() - began) / share * (1 - share);
          return `${done()} · ${formatDuration(left)} left`;
        });
        const pause = turns.turn();
        if (pause !== undefined) await pause;
      }
    } catch (error) {
      if (!(error instanceof Stopped)) end = "";
      throw error;
    } finally {
      const text = isWhole
        ? `${action} · ${formatDuration(performance.now() - began)}`
        : `${done()}${end}`;
      await turns.elsewhere(line.finish(text));
    }
  };
  try {
    return await turns.guard(run);
  } catch (error) {
    if (error instanceof Stopped) throw signal!.reason;
    if (!(error instanceof CutOff)) throw error;
    await Promise.race([line.finish(`${done()}, stopped`), arrival()]); // cut off as well, it may be
    throw new DOMException(
      `Cannot ${action} any further: the Deno kernel was told to stop`,
      "AbortError",
    );
  }
}
