// Where the runs of a model with one value changed leave the model's own run.

import { orderOf } from "../cells/recurrence.ts";
import { valueAt } from "../cells/sites.ts";
import { availableBuild } from "../compute/engine.ts";
import type { FastGated } from "../layers/fast_form.ts";
import { recurrenceOf, type RecurrentLayer } from "../layers/recurrent.ts";
import type { LayerRun } from "../layers/layer.ts";
import type { Network } from "../model/network.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { LstmPlace } from "../trace/places.ts";
import { join } from "../values/arrange.ts";
import { numbers } from "../values/numbers.ts";

/** A recurrent layer in a run without patches: what it got, and what all layers gave. */
export interface Fork {
  readonly node: number;
  /** In float64. */
  readonly weights: readonly Tensor[];
  readonly x: Tensor;
  readonly order: readonly number[];
  /** Its states after each step, `[batch, timesteps, units]` each. */
  readonly states: readonly Tensor[];
  readonly results: readonly (readonly Tensor[])[];
  /** The nodes that anything reaches from it. */
  readonly after: ReadonlySet<number>;
  /** What else those read: nodes, and inputs of the model. */
  readonly beside: ReadonlySet<number>;
  readonly besideInputs: ReadonlySet<number>;
}

/** The run without patches, and where the others leave it. */
export function unpatched(
  network: Network,
  inputs: readonly Tensor[],
  place: LstmPlace,
): { readonly output: Tensor; readonly fork?: Fork } {
  let [x, masked] = [undefined as Tensor | undefined, false];
  const around = (run: LayerRun<Tensor>): LayerRun<Tensor> => (layer, given, own, context) => {
    const result = run(layer, given, own, context);
    masked ||= result.mask !== undefined || context.masks.some((mask) => mask !== undefined);
    if (context.name === place.name && given.length === 1) x = given[0]!;
    return result;
  };
  const { output, results, traces } = network.forward(inputs, { around });
  const node = network.nodes.findIndex(({ name }) => name === place.name);
  if (x === undefined || masked || node === -1) return { output };
  const { layer, firstWeight, weights: { length } } = network.layers[network.nodes[node]!.layer]!;
  const weights = network.weights.slice(firstWeight, firstWeight + length);
  const made = recurrenceOf(layer);
  if (made === undefined) return { output };
  const { trace } = traces.find(({ name }) => name === place.name)!;
  const { goBackwards } = (layer as RecurrentLayer).options;
  const states = made.cell.states.map((state) => valueAt(trace, state));
  const order = orderOf(place.timesteps, goBackwards);
  return { output, fork: { node, weights, x, order, states, results, ...reached(network, node) } };
}

/** What a node's result reaches, and what meets it there. */
function reached(
  { nodes }: Network,
  node: number,
): Pick<Fork, "after" | "beside" | "besideInputs"> {
  const after = new Set<number>();
  nodes.forEach(({ inputs }, k) => {
    if (inputs.some(([from]) => from === node || after.has(from))) after.add(k);
  });
  const places = [...after].flatMap((k) => nodes[k]!.inputs);
  return {
    after,
    beside: new Set(places.map(([from]) => from).filter((from) => !after.has(from))),
    besideInputs: new Set(places.flatMap(([from, input]) => from === -1 ? [input] : [])),
  };
}

/** The form of a node's layer that runs in float32, where one does. */
export function fastFormOf(
  { precision, nodes, layers }: Network,
  node: number,
): FastGated | undefined {
  const { layer } = layers[nodes[node]!.layer]!;
  if (precision !== "float32" || availableBuild() === undefined) return undefined;
  const form = layer.fast?.();
  return form?.kind === "gated" ? form : undefined;
}

/** A sample's x of some steps of the layer, in the order of computation. */
export function inputOf(
  { order, x: { data, shape } }: Fork,
  sample: number,
  from: number,
  to: number,
): Float64Array<ArrayBuffer> {
  const [, timesteps, size] = shape as [number, number, number];
  const input = new Float64Array((to - from) * size);
  for (let k = from; k < to; k++) {
    const at = (sample * timesteps + order[k]!) * size;
    input.set(data.subarray(at, at + size), (k - from) * size);
  }
  return input;
}

/** The samples so many times, one after the other. */
export function repeated(x: Tensor, count: number): Tensor {
  return count === 1 ? x : join(numbers, new Array<Tensor>(count).fill(x), 0);
}
