// What an output makes of a small change of a gated layer's states, after some of its steps.

import { finish, type Work } from "../base/work.ts";
import { runCell } from "../cells/recurrence.ts";
import { isSmooth } from "../compute/activations.ts";
import type { FastGated } from "../layers/fast_form.ts";
import { equationsBy, type LayerWork } from "../layers/layer.ts";
import { zeroStates } from "../layers/recurrent.ts";
import { type Network, productOfRun } from "../model/network.ts";
import { Tensor } from "../tensor/tensor.ts";
import { Gradients, type Variable } from "../values/gradients.ts";
import { pickedSteps } from "../values/arrange.ts";
import { numbers } from "../values/numbers.ts";
import type { Fork } from "./fork.ts";

/** So many pieces share a tape, which packs the weights for itself and keeps what was computed. */
const TOGETHER = 8;

/** Slopes with respect to each state, `[samples, units]`. */
export type Slopes = readonly Tensor[];

/** Whether the output has them, from the layer's last hidden state alone: nothing on the way has a kink. */
export function hasSlopes({ nodes, layers }: Network, form: FastGated, { after }: Fork): boolean {
  const { activation, recurrentActivation, returnSequences, returnState } = form;
  return !returnSequences && !returnState && isSmooth(activation) &&
    isSmooth(recurrentActivation) && [...after].every((k) => {
      const behind = layers[nodes[k]!.layer]!.layer.fast?.();
      return behind?.kind === "identity" ||
        (behind?.kind === "dense" || behind?.kind === "activation") && isSmooth(behind.activation);
    });
}

/** ∂output/∂state after every `every`-th step, in the order of computation. */
export function* slopesEvery(
  every: number,
  network: Network,
  inputs: readonly Tensor[],
  { form, fork, target }: {
    readonly form: FastGated;
    readonly fork: Fork;
    readonly target: number;
  },
): Work<ReadonlyMap<number, Slopes>> {
  const { cell, functions, units } = form;
  const { order, x, states, weights } = fork;
  const product = productOfRun();
  const slopes = new Map<number, Slopes>();
  let slope = zeroStates(numbers, cell, [x.shape[0]!, units])
    .with(-1, slopeOfResult(network, inputs, fork, target));
  const { length } = order;
  const newTape = () => {
    const tape = new Gradients(product);
    const [W, U, b] = weights.map((one) => tape.given(one)) as [Variable, Variable, Variable?];
    return { tape, own: { W, U, b } };
  };
  let { tape, own } = newTape();
  for (let end = length, begin; end > every; end = begin) {
    begin = (Math.ceil(end / every) - 1) * every;
    if (slopes.size % TOGETHER === TOGETHER - 1) ({ tape, own } = newTape());
    const leaves = states.map((state) => tape.leaf(state.select(1, order[begin - 1]!)));
    const { end: after } = runCell(tape, cell, {
      x: tape.given(pickedSteps(numbers, x, order.slice(begin, end))), // as they are computed
      weights: own,
      functions,
      start: leaves,
    });
    tape.backward(after.map((state, s) => [state, slope[s]!]));
    slope = leaves.map((leaf) => tape.gradientOf(leaf));
    slopes.set(begin, slope);
    yield 1 - begin / length;
  }
  return slopes;
}

/** ∂output/∂ of what the layer hands on. */
function slopeOfResult(
  network: Network,
  inputs: readonly Tensor[],
  { node, results, after }: Fork,
  target: number,
): Tensor {
  const tape = new Gradients(productOfRun());
  const result = tape.leaf(results[node]![0]!);
  const names = network.nodes.map(({ name }) => name);
  const equations = equationsBy(tape);
  const work: LayerWork<Variable> = (...run) => {
    const k = names.indexOf(run[3].name);
    if (k === node) return { outputs: [result] };
    if (k === -1 || after.has(k)) return equations(...run);
    return { outputs: results[k]!.map((one) => tape.given(one)) };
  };
  const { outputs: [output] } = finish(network.walk(tape, inputs, { work }));
  const [samples, classes] = output!.value.shape as [number, number];
  const seed = new Float64Array(samples * classes);
  for (let n = 0; n < samples; n++) seed[n * classes + target] = 1;
  tape.backward([[output!, new Tensor(seed, [samples, classes])]]);
  return tape.gradientOf(result);
}
