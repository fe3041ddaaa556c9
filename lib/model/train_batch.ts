// One update: forward, loss, backward, and the optimizer's step.

import { randomFromState } from "../tensor/random.ts";
import { Tensor } from "../tensor/tensor.ts";
import { type Accuracy, accuracyOf } from "./accuracy.ts";
import type { Training } from "./compile.ts";
import type { Network } from "./network.ts";
import { findNonFinite, isUsable } from "./non_finite.ts";
import type { Batch } from "./samples.ts";

/** What a batch came to, before its update. */
export interface BatchResult {
  readonly loss: number;
  readonly accuracy: Accuracy | undefined;
}

/**
 * Updates the weights by one batch.
 *
 * Everything is computed before anything is replaced, so that a batch that fails leaves weights and
 * progress as they were.
 *
 * @param where names the batch in an error, as `epoch 3, batch 2`
 * @throws {RangeError} where a number is not finite any more, naming where it began.
 */
export function trainBatch(
  network: Network,
  training: Training,
  batch: Batch,
  where: string,
): BatchResult {
  const { progress } = training;
  const random = randomFromState(progress.dropout);
  const run = network.forward(batch.x, { training: true, random });
  const { value: loss, gradient } = training.loss.compute(batch.y, run.output, run.mask);
  const refuse = (what: string, gradients?: readonly Tensor[], moved?: readonly Tensor[]) => {
    const { x, places } = batch;
    const culprit = findNonFinite(network, x, progress.dropout, places, gradients, moved);
    return new RangeError(
      `Cannot go on with fit in ${where} as ${what}; the weights are those before this batch: ` +
        `it began at ${culprit}`,
    );
  };
  if (!Number.isFinite(loss)) throw refuse(`the loss must be finite but is ${loss}`);

  const gradients = run.backward(gradient);
  if (!gradients.every((g) => isUsable(g, network.precision))) {
    throw refuse("the gradients must be finite", gradients);
  }
  const step = training.optimizer.step(network.weights, gradients, progress.optimizer);
  if (!step.weights.every((weight) => isUsable(weight, network.precision))) {
    throw refuse("the weights must stay finite", gradients, step.weights);
  }
  const { iteration, variables } = step.state;
  network.weights = step.weights;
  network.states = run.states;
  training.progress = Object.freeze({
    ...progress,
    optimizer: { iteration, variables: variables.map(keptIn(network)) },
    dropout: random.getState(),
  });
  const accuracy = training.measuresAccuracy
    ? accuracyOf(batch.y, run.output, run.mask)
    : undefined;
  return { loss, accuracy };
}

/** Moments are kept as the weights are, as in Keras. */
function keptIn({ precision }: Network): (moment: Tensor) => Tensor {
  return precision === "float64"
    ? (moment) => moment
    : ({ data, shape }) => new Tensor(Float32Array.from(data), shape);
}
