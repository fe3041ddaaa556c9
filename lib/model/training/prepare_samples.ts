// What may go into training, checked before anything is computed.

import { formatShape } from "../../tensor/shape.ts";
import { asTensor, type TensorLike } from "../../tensor/tensor.ts";
import type { Layer } from "../layer.ts";
import type { Loss } from "./losses/loss.ts";
import type { Network } from "../network.ts";
import { countOf, type Samples } from "./samples.ts";

/** Inputs and targets, checked against the network and the loss. */
export function prepareSamples(
  network: Network,
  loss: Loss,
  x: TensorLike,
  y: TensorLike,
  action: string,
): Samples {
  const inputs = network.checkInput(x, action, { batches: "any" });
  const targets = asTensor(y);
  if (targets.shape[0] !== inputs.shape[0]) {
    throw new TypeError(
      `Cannot ${action} as there must be a target for each sample: current shapes are ` +
        `${formatShape(inputs.shape)} and ${formatShape(targets.shape)}`,
    );
  }
  network.layers[0]!.layer.checkInput?.(inputs);
  const outputShape = network.layers.reduce(
    (shape, { layer }) => layer.outputShape(shape) as number[],
    inputs.shape.slice(1) as readonly number[],
  );
  return { x: inputs, y: loss.prepare(targets, [inputs.shape[0]!, ...outputShape]) };
}

/** A stateful layer remembers one state a place in the batch: all batches must be as large. */
export function checkStateful(network: Network, samples: Samples, batchSize: number): void {
  const stateful = network.layers.find(({ layer }) => isStateful(layer));
  if (stateful === undefined) return;
  if (network.batchSize !== undefined && batchSize !== network.batchSize) {
    throw new RangeError(
      `Cannot fit: ${stateful.name} is stateful and its file tells batches of ` +
        `${network.batchSize}, but batchSize is ${batchSize}`,
    );
  }
  if (countOf(samples) % batchSize === 0) return;
  throw new RangeError(
    `Cannot fit as ${stateful.name} is stateful and all batches must be as large: current ` +
      `batchSize ${batchSize} does not divide ${countOf(samples)} samples`,
  );
}

/** Whether a layer goes on, with the next batch, where it ended. */
export function isStateful({ config, wrapped }: Layer): boolean {
  return config.stateful === true || wrapped !== undefined && isStateful(wrapped);
}
