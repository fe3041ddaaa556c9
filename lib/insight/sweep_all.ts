// All patches of a sweep, some side by side, in turns with other code.

import { formatDuration } from "../display/duration.ts";
import { formatCount } from "../display/number.ts";
import { progress } from "../display/progress.ts";
import { CutOff, Turns } from "../display/turns.ts";
import type { PatchSweepOptions } from "./patch_sweep.ts";
import type { Patch, PatchedRuns } from "./patched_runs.ts";

/** So long, about, some runs side by side take: a signal and a progress line come through in between. */
const TURN_MS = 50;
/** Those that come in pieces may take longer: the more there are, the faster is each. */
const PIECES_MS = 500;
const MOST_ROWS = 512;
/** A sweep of more than that is told what would be quicker, as soon as it is seen. */
const LONG_MS = 60_000;

/** `patch 240/153,600 · 1 h 2 min left`; where that is long, what would be quicker. */
function progressText(done: number, all: number, elapsed: number): string {
  const left = elapsed / done * (all - done);
  return [
    `patch ${formatCount(done)}/${formatCount(all)}`,
    `${formatDuration(left)} left`,
    ...(elapsed + left > LONG_MS ? ["{ estimate: true } takes one run instead"] : []),
  ].join(" · ");
}

/** Fills in the effects, timestep by timestep, as long as no signal stops it; returns how many. */
export async function sweepAll(
  runs: PatchedRuns,
  patches: readonly Patch[],
  effects: Float64Array,
  { signal, verbose }: Pick<PatchSweepOptions, "signal" | "verbose">,
): Promise<number> {
  const line = progress(verbose);
  const turns = new Turns();
  const started = performance.now();
  const byTimestep = Map.groupBy(patches.keys(), (k) => patches[k]!.timestep);
  const most = Math.ceil(MOST_ROWS / runs.rows);
  let [done, count] = [0, Math.min(8, most)];
  /** The effects of some patches; undefined where a signal stopped it. */
  const effectsOf = async (some: readonly Patch[]) => {
    for (const run = runs.effects(some);;) {
      const { done, value } = run.next();
      if (done === true) return value;
      await turns.turn();
      if (signal?.aborted === true) return undefined;
    }
  };
  const sweep = async () => {
    for (const group of byTimestep.values()) {
      for (let next = 0; next < group.length && signal?.aborted !== true;) {
        const began = performance.now();
        const some = group.slice(next, next + count);
        const found = await effectsOf(some.map((k) => patches[k]!));
        if (found === undefined) break;
        found.forEach((effect, n) => effects[some[n]!] = effect);
        next += some.length;
        done += some.length;
        line.update(() => progressText(done, patches.length, performance.now() - started));
        const took = Math.max(performance.now() - began, 0.1);
        if (some.length === count) {
          const wanted = runs.isFast ? PIECES_MS : TURN_MS;
          count = Math.max(1, Math.min(Math.floor(count * Math.min(4, wanted / took)), most));
        }
        await turns.turn();
      }
    }
    const isStopped = done < patches.length;
    await turns.elsewhere(
      line.finish(
        `${formatCount(done)} of ${formatCount(patches.length)} patches${
          isStopped ? ", stopped" : ""
        }`,
      ),
    );
  };
  try {
    await turns.guard(sweep);
  } catch (error) {
    if (!(error instanceof CutOff)) throw error; // the Deno kernel's Stop: what is done is done
  }
  return done;
}
