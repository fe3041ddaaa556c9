// What may go into training, checked before anything is computed.

import type { Layer } from "../../layers/layer.ts";
import { formatShape } from "../../tensor/shape.ts";
import { outputNames, shapesOf } from "../graph.ts";
import { type ModelInput, tensorsOf } from "../inputs.ts";
import type { Network } from "../network.ts";
import type { Loss } from "./losses/loss.ts";
import { countOf, type Samples } from "./samples.ts";

/** Inputs and targets, checked against the network and the losses. */
export function prepareSamples(
  network: Network,
  losses: readonly Loss[],
  x: ModelInput,
  y: ModelInput,
  action: string,
): Samples {
  const inputs = network.checkInputs(x, action, { batches: "any" });
  const names = outputNames(network).map((name) => ({ name }));
  const targets = tensorsOf(y, names, action, "targets");
  const other = targets.find(({ shape }) => shape[0] !== inputs[0]!.shape[0]);
  if (other !== undefined) {
    throw new TypeError(
      `Cannot ${action}: there must be a target for each sample, but the shapes are ` +
        `${formatShape(inputs[0]!.shape)} and ${formatShape(other.shape)}`,
    );
  }
  for (const { layer, inputs: [place] } of network.nodes) {
    if (place![0] === -1) network.layers[layer]!.layer.checkInput?.(inputs[place![1]]!);
  }
  const shapes = shapesOf(network, inputs.map(({ shape }) => shape.slice(1)));
  const shapeOf = (
    k: number,
  ) => [inputs[0]!.shape[0]!, ...shapes.at(network.outputs[k]!) as readonly number[]];
  return { x: inputs, y: losses.map((loss, k) => loss.prepare(targets[k]!, shapeOf(k))) };
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
    `Cannot fit: ${stateful.name} is stateful and all batches must be as large, but ` +
      `batchSize ${batchSize} does not divide ${countOf(samples)} samples`,
  );
}

/** Whether a layer goes on, with the next batch, where it ended. */
export function isStateful({ config, wrapped }: Layer): boolean {
  return config.stateful === true || wrapped !== undefined && isStateful(wrapped);
}
