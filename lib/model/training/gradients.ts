import { checkOptions, type KeysOf } from "../../base/options.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { getLoss, type LossIdentifier } from "./losses/get_loss.ts";
import { type Model, networkOf, trainingOf } from "../model.ts";
import { prepareSamples } from "./prepare_samples.ts";
import type { ModelInput } from "../inputs.ts";
import type { Network } from "../network.ts";
import type { Loss } from "./losses/loss.ts";
import { lossOf } from "./compile.ts";

/** What the gradients are of. */
export interface GradientsOptions {
  /** The loss. Default: the compiled one. */
  readonly loss?: LossIdentifier;
}

const OPTIONS: KeysOf<GradientsOptions> = {
  loss: "optional",
};

/**
 * The gradient of the loss with respect to each weight: backpropagation through all layers and
 * timesteps, in float64. All samples are one batch; dropout drops nothing, and no weight changes.
 *
 * @param model a model
 * @param x `[samples, …]`, as for `predict`
 * @param y a target for each sample, as the loss wants them
 * @param options the loss, where it is not the compiled one
 * @returns ∂L/∂w for each weight, in the order and shapes of `getWeights()`; an LSTM's are fused as
 * its weights are, so `splitGates` splits them
 * @throws {TypeError} where a shape does not fit, or there is no loss.
 * @throws {RangeError} where a label is no class, or the loss is unknown.
 *
 * @example How much the loss depends on each gate's recurrent weights
 * ```ts
 * import { arange, dense, gradients, lstm, sequential, splitGates } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const layers = [lstm({ units: 8 }), dense({ units: 2, activation: "softmax" })];
 * const model = sequential(layers, { inputShape: [3, 2], seed: 1 });
 * const loss = "sparse_categorical_crossentropy";
 * const [, recurrent] = gradients(model, arange(24).reshape([4, 3, 2]), [0, 1, 0, 1], { loss });
 * assertEquals(splitGates(recurrent!).forget.shape, [8, 8]);
 * ```
 */
export function gradients(
  model: Model,
  x: ModelInput,
  y: ModelInput,
  options: GradientsOptions = {},
): Tensor[] {
  const network = networkOf(model, "take gradients");
  checkOptions("take gradients", options, OPTIONS);
  const losses = options.loss === undefined
    ? trainingOf(model, "take gradients")
    : ofOneOutput(getLoss(options.loss), network);
  const samples = prepareSamples(network, losses.losses, x, y, "take gradients");
  const run = network.forwardOnTape(samples.x);
  return run.backward(lossOf(losses, samples.y, run.outputs, run.masks).gradients);
}

function ofOneOutput(loss: Loss, { outputs }: Network) {
  if (outputs.length === 1) return { losses: [loss], lossWeights: [1] };
  throw new TypeError(
    `Cannot take gradients: of a model with ${outputs.length} outputs, compile takes a loss for each, ` +
      `but one was given`,
  );
}
