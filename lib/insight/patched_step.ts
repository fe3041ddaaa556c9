// The step at which runs leave a layer's own, by the equations; what they have in common is computed once.

import type { FastGated } from "../layers/fast_form.ts";
import { zeroStates } from "../layers/recurrent.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { stepOf } from "../values/arrange.ts";
import type { Ops } from "../values/ops.ts";
import { type Fork, repeated } from "./fork.ts";

/** Changes a value of a site: `[samples, units]` in all runs alike, or `[runs · samples, units]`. */
export type Change = (site: string, value: Tensor) => Tensor;

/** The states of so many runs after a step, `[runs · samples, units]` each. */
export function patchedStep(
  o: Ops<Tensor>,
  { cell, functions, units }: FastGated,
  { order, x, states, weights }: Fork,
  { step, runs, change }: { readonly step: number; readonly runs: number; readonly change: Change },
): Tensor[] {
  const samples = x.shape[0]!;
  const before = step === 0
    ? zeroStates(o, cell, [samples, units])
    : states.map((state) => state.select(1, order[step - 1]!));
  const [W, U, b] = weights as [Tensor, Tensor, Tensor?];
  const ops = withCommonRows(o, samples);
  const after = cell.step(ops, stepOf(ops, x, order[step]!), before, {
    ...{ W, U, b, ...functions },
    drop: {},
    at: change,
  });
  return after.map((state) => state.shape[0] === samples ? repeated(state, runs) : state);
}

/** Where values of all runs meet values that the runs have in common, those are repeated. */
function withCommonRows(o: Ops<Tensor>, samples: number): Ops<Tensor> {
  const alike = (xs: readonly Tensor[]) => {
    const rows = Math.max(...xs.map(({ shape }) => shape[0]!));
    return xs.map((x) => x.shape[0] === samples ? repeated(x, rows / samples) : x);
  };
  return {
    ...o,
    affine: (terms, b) => {
      const xs = alike(terms.map(([x]) => x));
      return o.affine(terms.map(([, W], k) => [xs[k]!, W]), b);
    },
    sumOfProducts: (...pairs) => {
      const xs = alike(pairs.flat());
      return o.sumOfProducts(...pairs.map((_, k) => [xs[2 * k]!, xs[2 * k + 1]!] as const));
    },
    add: (...xs) => o.add(...alike(xs)),
  };
}
