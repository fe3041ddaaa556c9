// A cell over all timesteps: its order, its mask, its states, its sites.

import { finish, type Work } from "../base/work.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { shapeOf, stepOf, where } from "../values/arrange.ts";
import type { Cell, CellDropout, CellFunctions, CellWeights } from "./cell.ts";
import type { Ops } from "../values/ops.ts";

/** Where and when a value passes. */
export interface Passing<V> {
  /** Whose value it is: `gates.forget`, `cellState`, … */
  readonly site: string;
  /** The timestep of the input that is being computed. */
  readonly timestep: number;
  /** Which samples' steps count, `[batch]`; all where there is none. */
  readonly mask: Tensor | undefined;
  /** The value after the step computed before; for a gate in the first step there is none. */
  readonly before: V | undefined;
  /** The value after the step of that timestep; undefined where it is yet to be computed. */
  readonly after: (timestep: number) => V | undefined;
}

/** Sees a value right after it is computed; what it returns is used in its place. */
export type Passer<V> = (value: V, passing: Passing<V>) => V;

/** Sees a value as {@linkcode Passer} does, and knows where it is. */
export type Anchor<V> = (
  value: V,
  place: Pick<Passing<V>, "site" | "timestep" | "mask">,
) => V;

/** What a recurrence runs on. */
export interface RecurrenceInput<V> {
  readonly x: V; // [batch, timesteps, inputSize]
  readonly weights: CellWeights<V>;
  readonly functions: CellFunctions;
  /** The states that it starts from, `[batch, units]` each. */
  readonly start: readonly V[];
  readonly goBackwards?: boolean | undefined;
  /** `[batch, timesteps]`: at a step of 0, a sample keeps its states. */
  readonly mask?: Tensor | undefined;
  readonly drop?: CellDropout<V> | undefined;
  /** Intervenes: a masked step keeps the states before it, whatever is put there. */
  readonly listen?: Passer<V> | undefined;
  /**
   * Puts in what somebody else got after the step, the masked ones' states kept. Of such a run a step's
   * values are forgotten, and computed again where they are asked for.
   */
  readonly anchor?: Anchor<V> | undefined;
}

/** One step: what went in, and each site's value. */
export interface RecurrentStep<V> {
  readonly x: V;
  readonly before: readonly V[];
  /** As the equations gave it, or what was put there. */
  readonly computed: Readonly<Record<string, V>>;
  /** As the next ones used it; of a masked step, the states before it. */
  readonly values: Readonly<Record<string, V>>;
  /** The states that it hands on. */
  readonly after: readonly V[];
}

/** All steps of a run. */
export interface Recurrence<V> {
  /** By timestep, whatever the order they are computed in. */
  readonly steps: readonly RecurrentStep<V>[];
  /** The timesteps in the order in which they were computed. */
  readonly order: readonly number[];
  /** The states after the step computed last. */
  readonly end: readonly V[];
}

/** The timesteps in the order of computation. */
export function orderOf(timesteps: number, goBackwards = false): number[] {
  const order = Array.from({ length: timesteps }, (_, t) => t);
  return goBackwards ? order.reverse() : order;
}

/** Runs a cell over a sequence. */
export function runCell<V>(o: Ops<V>, cell: Cell, input: RecurrenceInput<V>): Recurrence<V> {
  return finish(cellWork(o, cell, input));
}

/** The same, timestep by timestep. */
export function* cellWork<V>(
  o: Ops<V>,
  cell: Cell,
  input: RecurrenceInput<V>,
): Work<Recurrence<V>> {
  const { x, weights, functions, start, mask, drop = {}, listen, anchor } = input;
  const order = orderOf(shapeOf(o, x)[1]!, input.goBackwards);
  const steps: RecurrentStep<V>[] = [];
  const stepAt = (k: number, t: number, x: V, before: readonly V[]): RecurrentStep<V> => {
    const counts = mask?.select(1, t);
    const [computed, values]: Record<string, V>[] = [{}, {}];
    const at = (site: string, value: V) => {
      const state = cell.states.indexOf(site);
      let used = computed![site] = listen === undefined ? value : listen(value, {
        site,
        timestep: t,
        mask: counts,
        before: k === 0 ? start[state] : steps[order[k - 1]!]!.values[site],
        after: (timestep: number) => steps[timestep]?.values[site],
      });
      if (counts !== undefined && state >= 0) used = where(o, counts, used, before[state]!);
      if (anchor !== undefined) used = anchor(used, { site, timestep: t, mask: counts });
      return values![site] = used;
    };
    const after = cell.step(o, x, before, { ...weights, ...functions, drop, at });
    return { x, before, computed: computed!, values: values!, after };
  };
  const together = stepsTogether(o, input);
  let before = start;
  for (const [k, t] of order.entries()) {
    const step = stepAt(k, t, stepOf(o, x, t), before);
    steps[t] = anchor === undefined
      ? step
      : forgetful(step, (x, before) => stepAt(k, t, x, before));
    before = step.after;
    if ((k + 1) % together === 0) yield (k + 1) / order.length;
  }
  return { steps, order, end: before };
}

/** Multiplications of a piece, at least; or so many timesteps. */
const [PIECE, MOST_TOGETHER] = [2 ** 16, 16];

/** How many timesteps are one piece: of a small cell several, since each piece costs a microsecond. */
function stepsTogether<V>(o: Ops<V>, { x, weights: { all, W, U } }: RecurrenceInput<V>): number {
  const batch = shapeOf(o, x)[0]!;
  const each = (all ?? [W, U]).reduce((sum, one) => sum + sizeOf(shapeOf(o, one)), 1);
  return Math.max(1, Math.min(MOST_TOGETHER, Math.floor(PIECE / (batch * each))));
}

/** What a step began with and hands on; its values are computed again where they are asked for. */
function forgetful<V>(
  { x, before, after }: RecurrentStep<V>,
  again: (x: V, before: readonly V[]) => RecurrentStep<V>,
): RecurrentStep<V> {
  let known: RecurrentStep<V> | undefined;
  return {
    x,
    before,
    after,
    get computed() {
      return (known ??= again(x, before)).computed;
    },
    get values() {
      return (known ??= again(x, before)).values;
    },
  };
}
