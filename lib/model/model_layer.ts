// What a model tells of its layers.

import { sizeOf } from "../tensor/shape.ts";
import { copyOf, type Tensor } from "../tensor/tensor.ts";
import type { Layer, OpenShape } from "../layers/layer.ts";
import type { Network } from "./network.ts";

/** A layer of a model. */
export interface ModelLayer {
  /** Keras's name of it, unique in the model: `lstm`, `lstm_1`, … */
  readonly name: string;
  /** Its definition, as it was made by `lstm()`, `dense()`, … */
  readonly layer: Layer;
  /** The shape that it gets, without the batch. */
  readonly inputShape: OpenShape;
  /** The shape that it gives, without the batch. */
  readonly outputShape: OpenShape;
  /** How many numbers it learns. */
  readonly parameters: number;
  /** Its weights, in Keras's order and shapes; copies. */
  readonly getWeights: () => Tensor[];
}

/** The layers of a network; their weights are read when they are asked for. */
export function modelLayers(network: Network): readonly ModelLayer[] {
  return network.layers.map((placed) => {
    const { name, layer, inputShape, outputShape, firstWeight, weights } = placed;
    const own = () => network.keptWeights.slice(firstWeight, firstWeight + weights.length);
    const parameters = weights.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    const getWeights = () => own().map(copyOf);
    return Object.freeze({ name, layer, inputShape, outputShape, parameters, getWeights });
  });
}
