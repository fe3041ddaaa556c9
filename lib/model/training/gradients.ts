import { checkOptions, type KeysOf } from "../../base/options.ts";
import { part, type Work } from "../../base/work.ts";
import { type AtOnce, atOnceOrInTurns, IN_TURNS, type InTurns } from "../../display/in_turns.ts";
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

const OPTIONS: KeysOf<GradientsOptions & AtOnce> = { loss: "optional", ...IN_TURNS };

/**
 * As a promise, which takes turns with other code: a signal stops it, a line says how far it is.
 *
 * @throws {DOMException} where the signal stopped it; or whatever its reason is.
 *
 * @example
 * ```ts
 * import { dense, gradients, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([dense({ units: 1 })], { inputShape: [1] });
 * model.setWeights([[[2]], [0]]);
 * const signal = AbortSignal.timeout(60_000);
 * const [kernel] = await gradients(model, [[3]], [[5]], { loss: "mse", signal });
 * assertEquals(kernel!.toArray(), [[6]]); // 2 · (2 · 3 − 5) · 3
 * ```
 */
export function gradients(
  model: Model,
  x: ModelInput,
  y: ModelInput,
  options: GradientsOptions & InTurns,
): Promise<Tensor[]>;
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
  options?: GradientsOptions & AtOnce,
): Tensor[];
export function gradients(
  model: Model,
  x: ModelInput,
  y: ModelInput,
  options: GradientsOptions & (AtOnce | InTurns) = {},
): Tensor[] | Promise<Tensor[]> {
  return atOnceOrInTurns("take gradients", gradientsWork(model, x, y, options), options);
}

/** What is done, about, when the equations have run. */
const RUN = 0.2;

function* gradientsWork(
  model: Model,
  x: ModelInput,
  y: ModelInput,
  options: GradientsOptions,
): Work<Tensor[]> {
  const network = networkOf(model, "take gradients");
  checkOptions("take gradients", options, OPTIONS);
  const losses = options.loss === undefined
    ? trainingOf(model, "take gradients")
    : ofOneOutput(getLoss(options.loss), network);
  const samples = prepareSamples(network, losses.losses, x, y, "take gradients");
  const run = yield* part(network.tapeWork(samples.x), 0, RUN);
  const loss = lossOf(losses, samples.y, run.outputs, run.masks);
  return yield* part(run.backwardWork(loss.gradients), RUN, 1);
}

function ofOneOutput(loss: Loss, { outputs }: Network) {
  if (outputs.length === 1) return { losses: [loss], lossWeights: [1] };
  throw new TypeError(
    `Cannot take gradients: of a model with ${outputs.length} outputs, compile takes a loss for each, ` +
      `but one was given`,
  );
}
