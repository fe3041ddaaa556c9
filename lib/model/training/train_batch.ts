// One update: forward, loss, backward, and the optimizer's step.

import { randomFromState } from "../../tensor/random.ts";
import { asFloat32, type Tensor } from "../../tensor/tensor.ts";
import { type Accuracy, accuracyOf } from "./accuracy.ts";
import { lossOf, type Training } from "./compile.ts";
import type { Network } from "../network.ts";
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
 * progress as they were. In precision float32 the fast equations compute it; where these leave
 * float32's range, the batch is computed once more by the equations in float64, which decide.
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
  const fast = network.precision === "float32"
    ? updateOf(network, training, batch, true)
    : undefined;
  const update = fast === undefined || fast.problem !== undefined
    ? updateOf(network, training, batch, false)
    : fast;
  if (update.problem !== undefined) {
    const { problem, gradients, moved } = update;
    const { x, places } = batch;
    const culprit = findNonFinite(network, x, progress.dropout, places, gradients, moved);
    throw new RangeError(
      `Cannot go on with fit in ${where}: ${problem}; the weights are those before this batch: ` +
        `it began at ${culprit}`,
    );
  }
  const { loss, run, moved, state, dropout } = update;
  const { iteration, variables } = state;
  network.weights = moved;
  network.states = run.states;
  training.progress = Object.freeze({
    ...progress,
    optimizer: { iteration, variables: variables.map(keptIn(network)) },
    dropout,
  });
  const accuracy = training.measuresAccuracy
    ? accuracyOf(batch.y[0]!, run.output, run.masks[0])
    : undefined;
  return { loss, accuracy };
}

/** What would change, or what is not finite on the way. Nothing is changed yet. */
function updateOf(network: Network, training: Training, batch: Batch, fast: boolean) {
  const { progress } = training;
  const random = randomFromState(progress.dropout);
  const run = network.forwardOnTape(batch.x, { training: true, random, fast });
  const { value: loss, gradients: byOutput } = lossOf(
    training,
    batch.y,
    run.outputs,
    run.masks,
    batch.weights,
  );
  if (!Number.isFinite(loss)) return { problem: `the loss must be finite, but is ${loss}` };

  const gradients = run.backward(byOutput);
  const { trainable } = network;
  const moving = <T>(all: readonly T[]) => trainable.map((k) => all[k]!);
  if (!moving(gradients).every((g) => isUsable(g, network.precision))) {
    return { problem: "the gradients must be finite", gradients };
  }
  const weights = fast ? network.keptWeights : network.weights;
  const step = training.optimizer.step(moving(weights), moving(gradients), progress.optimizer);
  const moved = weights.map((weight, k) => run.updates[k] ?? weight);
  trainable.forEach((k, at) => moved[k] = step.weights[at]!);
  if (!moved.every((weight) => isUsable(weight, network.precision))) {
    return { problem: "the weights must stay finite", gradients, moved };
  }
  return { problem: undefined, loss, run, moved, state: step.state, dropout: random.getState() };
}

/** Moments are kept as the weights are, as in Keras. */
function keptIn({ precision }: Network): (moment: Tensor) => Tensor {
  return precision === "float64" ? (moment) => moment : asFloat32;
}
