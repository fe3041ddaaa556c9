// A run over again, for gradients with respect to its states.

import type { Work } from "../base/work.ts";
import { asFloat64, Tensor, type TensorLike } from "../tensor/tensor.ts";
import { lstmActivation } from "../values/activations.ts";
import { Gradients, type Variable } from "../values/gradients.ts";
import type { Product } from "../values/product.ts";
import { LSTM_CELL } from "./lstm.ts";
import { arraysOf } from "./cell_of_trace.ts";
import { cellWork, type Recurrence } from "./recurrence.ts";
import type { TracedRun } from "./traced_run.ts";

type ByName = Readonly<Record<string, TensorLike | undefined>>;

/**
 * The run of a trace on a tape, from states whose gradients are wanted: `values` of each step has them.
 *
 * @param product who multiplies
 */
export function* runAgain(
  { x, weights, options, cell = LSTM_CELL }: TracedRun,
  units: number,
  product: Product,
): Work<Recurrence<Variable> & { readonly tape: Gradients }> {
  const tape = new Gradients(product);
  const { activation = "tanh", recurrentActivation = "sigmoid", mask, goBackwards } = options;
  const given = (array: TensorLike) => tape.given(asFloat64(array));
  const byGate = (factors: object | undefined) =>
    factors && cell.gates.map((gate) => given((factors as Record<string, Tensor>)[gate]!));
  const all = arraysOf(cell).flatMap(([name]) => {
    const array = (weights as unknown as ByName)[name];
    return array === undefined ? [] : [given(array)];
  });
  const [W, U, b] = all as [Variable, Variable, Variable?];
  const start = options.initialState as ByName | undefined;
  const shape = [x.shape[0]!, units];
  const zeros = new Tensor(new Float64Array(shape[0]! * units), shape);
  const run = yield* cellWork(tape, cell, {
    x: given(x),
    weights: { W, U, b, all },
    functions: { φ: lstmActivation(activation), σ: lstmActivation(recurrentActivation) },
    start: cell.states.map((state) => tape.leaf(asFloat64(start?.[state] ?? zeros))),
    mask: mask === undefined ? undefined : asFloat64(mask),
    goBackwards,
    drop: { x: byGate(options.inputDropout), h: byGate(options.recurrentDropout) },
  });
  return { tape, ...run };
}
