// Where the sliders start: at what moves the output most.

import { amongNames } from "../base/names.ts";
import { checkOptions, type KeysOf } from "../base/options.ts";
import { isGate, type SiteName } from "../cells/sites.ts";
import type { Inside } from "../layers/inside.ts";
import type { GradientRun } from "../model/network.ts";
import { indexAt } from "../tensor/indices.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Variable } from "../values/gradients.ts";

/** A gate or state of a unit, at one timestep or at all. */
export interface SliderStart {
  /** Which gate or state. */
  readonly site: SiteName;
  /** The unit; -1 is the last. */
  readonly unit: number;
  /** The timestep; -1 is the last. Default: all of them. */
  readonly timestep?: number;
}

/** What is held in the page; timestep -1 is all of them. */
export interface Held {
  readonly site: SiteName;
  readonly unit: number;
  readonly timestep: number;
  readonly value: number;
}

/** The place that the sliders start at, and what holding it at 0 does; unknown where it was asked for. */
export interface Start extends Omit<Held, "value"> {
  readonly prediction?: readonly number[];
}

const OPTIONS: KeysOf<SliderStart> = { site: "required", unit: "required", timestep: "optional" };
/** Places that are tried by a run each, those of the steepest slopes; fewer of large layers. */
const MOST_TRIED = 64;
/** Multiplications that take about a quarter of a second (measured: 1e8 in 2.3 s). */
const BUDGET = 2e7;

/** The place asked for, checked. */
export function startAt(
  start: SliderStart,
  { cell, name, recurrence: { steps, end } }: Inside<Variable>,
): Start {
  const action = "make sliders";
  checkOptions(action, start, OPTIONS, "where they start");
  if (!cell.sites.includes(start.site)) {
    throw new RangeError(
      `Cannot ${action}: start.site must be ${amongNames(start.site, cell.sites)}`,
    );
  }
  const units = end[0]!.value.shape[1]!;
  const at = (index: number, length: number, what: string) =>
    indexAt(index, length, { action, owner: name, name: what, option: `start.${what}` });
  return {
    site: start.site,
    unit: at(start.unit, units, "unit"),
    timestep: start.timestep === undefined ? -1 : at(start.timestep, steps.length, "timestep"),
  };
}

/**
 * The gate of a unit that, held at 0 throughout, moves the outputs of sample `n` most; of a cell
 * without gates, the hidden state. Tried are those for which slope × change promises most.
 */
export function strongestStart(
  { tape, variables: [output] }: GradientRun,
  { cell, x, recurrence: { steps, end } }: Inside<Variable>,
  n: number,
  run: (held: readonly Held[]) => { readonly prediction: readonly number[] },
): Start {
  const units = end[0]!.value.shape[1]!;
  const sites = cell.sites.filter(isGate);
  if (sites.length === 0) sites.push("hiddenState");
  const { data, shape } = output!.value;
  const row = data.subarray(n * shape[1]!, (n + 1) * shape[1]!);
  const seed = new Float64Array(data.length);
  seed[n * shape[1]! + row.indexOf(Math.max(...row))] = 1;
  tape.backward([[output!, new Tensor(seed, shape)]]);
  const promised = sites.flatMap((site) => {
    const sums = new Float64Array(units);
    for (const { computed } of steps) {
      const value = computed[site]!;
      const slope = tape.gradientOf(value).data;
      for (let u = 0; u < units; u++) {
        sums[u]! -= slope[n * units + u]! * value.value.data[n * units + u]!;
      }
    }
    return Array.from(sums, (sum, unit) => ({ site, unit, size: Math.abs(sum) || 0 }));
  });
  const each = steps.length * cell.gates.length * units * (units + x.value.shape[2]!);
  const count = Math.max(1, Math.min(MOST_TRIED, Math.floor(BUDGET / Math.max(1, each))));
  const before = run([]).prediction;
  const tried = promised.sort((a, b) => b.size - a.size).slice(0, count).map(({ site, unit }) => {
    const { prediction } = run([{ site, unit, timestep: -1, value: 0 }]);
    const moved = Math.max(...prediction.map((value, k) => Math.abs(value - before[k]!) || 0));
    return { site, unit, timestep: -1, prediction, moved };
  });
  const { moved: _, ...strongest } = tried.reduce((a, b) => b.moved > a.moved ? b : a);
  return strongest;
}
