// Where the LSTMs of a model are: their names and sizes, known before anything runs.

import type { Layer } from "../model/layer.ts";
import type { Network, PlacedLayer } from "../model/network.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** One LSTM of a model, and the shape of its trace for an input. */
export interface LstmPlace {
  /** `lstm`, `bidirectional/forward_layer`, … */
  readonly name: string;
  /** Which of the network's layers it is in. */
  readonly layer: number;
  /** Which of that layer's: 1 for a Bidirectional's backward layer. */
  readonly direction: number;
  readonly samples: number;
  readonly timesteps: number;
  readonly units: number;
}

/** The LSTMs in the order of `trace.layers`, for an input `[batch, …]`. */
export function lstmPlaces(network: Network, x: Tensor): LstmPlace[] {
  return network.layers.flatMap((placed, layer) => {
    // inside TimeDistributed, each timestep is a sample of its own
    const outer = timeDistributions(placed.layer);
    const lengthOf = (axis: number) => placed.inputShape[axis] ?? x.shape[axis + 1]!;
    let samples = x.shape[0]!;
    for (let axis = 0; axis < outer; axis++) samples *= lengthOf(axis);
    return recurrentKernels(placed).map(({ shape }, direction) => ({
      name: nameOf(placed, direction),
      layer,
      direction,
      samples,
      timesteps: lengthOf(outer),
      units: shape[0]!,
    }));
  });
}

/** How many TimeDistributed layers stand around one. */
function timeDistributions({ className, wrapped }: Layer): number {
  return className === "TimeDistributed" ? 1 + timeDistributions(wrapped!) : 0;
}

/** One for each LSTM of a layer. */
function recurrentKernels({ weights }: PlacedLayer) {
  return weights.filter(({ name }) => /(^|\/)recurrent_kernel$/.test(name));
}

/** An LSTM's name: its layer's, and inside Bidirectional its own after it. */
export function nameOf({ name, layer }: PlacedLayer, direction: number): string {
  let inner = layer;
  while (inner.className === "TimeDistributed") inner = inner.wrapped!;
  if (inner.className !== "Bidirectional") return name;
  return `${name}/${direction === 0 ? "forward_layer" : "backward_layer"}`;
}
