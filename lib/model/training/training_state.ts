// How far training has come: all that a run needs, besides the weights, to go on where it stopped.

import { formatShape, sameShape } from "../../tensor/shape.ts";
import { randomFromState, seededRandom } from "../../tensor/random.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { LayerState } from "../../layers/layer.ts";
import type { Network } from "../network.ts";
import type { Optimizer, OptimizerState } from "./optimizers/optimizer.ts";

/** An epoch that was stopped between two batches. */
export interface RunningEpoch {
  /** How many samples the epoch has, those for validation left out. */
  readonly samples: number;
  /** How many samples a batch has. */
  readonly batchSize: number;
  /** Whether the samples were put in a new order. */
  readonly shuffle: boolean;
  /** How many samples are done. */
  readonly done: number;
  /** The sum of their losses, each taken before its batch's update. */
  readonly lossSum: number;
  /** How many predictions were right. */
  readonly correct: number;
  /** Of how many. */
  readonly counted: number;
}

/**
 * How far training has come. Plain values and tensors, which nothing changes later; together with
 * the weights it is all that a new model needs to go on as if it had never stopped.
 *
 * @example A run that goes on in another model
 * ```ts
 * import { arange, dense, lstm, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const newModel = () => {
 *   const model = sequential([lstm({ units: 3 }), dense({ units: 1 })], { inputShape: [3, 2] });
 *   model.compile({ optimizer: "adam", loss: "mse" });
 *   return model;
 * };
 * const [x, y] = [arange(24).reshape([4, 3, 2]), [0, 1, 2, 3]];
 * const model = newModel();
 * await model.fit(x, y, { epochs: 2, batchSize: 2 });
 *
 * const other = newModel();
 * other.setWeights(model.getWeights());
 * other.setTrainingState(model.getTrainingState());
 * const options = { epochs: 4, initialEpoch: 2, batchSize: 2 };
 * assertEquals((await other.fit(x, y, options)).loss, (await model.fit(x, y, options)).loss);
 * ```
 */
export interface TrainingState {
  /**
   * The optimizer's steps and arrays in Keras's order (for Adam m and v of the first weight, m and
   * v of the second, …); float32 in that precision.
   */
  readonly optimizer: OptimizerState;
  /** How many epochs were finished since `compile`. */
  readonly epoch: number;
  /** The epoch that was stopped in the middle, where one was. */
  readonly running?: RunningEpoch | undefined;
  /** The generator that orders the samples, at the beginning of the epoch. */
  readonly shuffle: readonly number[];
  /** The generator that dropout draws from. */
  readonly dropout: readonly number[];
  /** What stateful layers remember, by layer; undefined is zeros. */
  readonly layerStates: readonly (LayerState | undefined)[];
}

/** Where training begins; stream 0 of the seed made the weights. */
export function startOfTraining(
  network: Network,
  optimizer: Optimizer,
): Omit<TrainingState, "layerStates"> {
  return Object.freeze({
    optimizer: optimizer.start(network.trainable.map((k) => network.weights[k]!)),
    epoch: 0,
    shuffle: seededRandom(network.seed, 1).getState(),
    dropout: seededRandom(network.seed, 2).getState(),
  });
}

/** Throws where a state is none of this model's, compiled with this optimizer. */
export function checkTrainingState(
  state: TrainingState,
  network: Network,
  optimizer: Optimizer,
): void {
  const action = "set the training state";
  const variables: readonly Tensor[] | undefined = state?.optimizer?.variables;
  const { variables: wanted } = optimizer.start(network.trainable.map((k) => network.weights[k]!));
  if (!Array.isArray(variables) || !variables.every((x) => x instanceof Tensor)) {
    throw new TypeError(
      `Cannot ${action}: it must be what getTrainingState() returned, ` +
        `but it has no optimizer variables`,
    );
  }
  if (variables.length !== wanted.length) {
    throw new TypeError(
      `Cannot ${action}: ${optimizer.name} remembers ${wanted.length} arrays for this model, ` +
        `but the count is ${variables.length}`,
    );
  }
  const wrong = wanted.findIndex(({ shape }, k) => !sameShape(shape, variables[k]!.shape));
  if (wrong !== -1) {
    throw new TypeError(
      `Cannot ${action}: the optimizer's array ${wrong} must be ` +
        `${formatShape(wanted[wrong]!.shape)}, but the shape is ` +
        formatShape(variables[wrong]!.shape),
    );
  }
  for (const [what, count] of [["iteration", state.optimizer.iteration], ["epoch", state.epoch]]) {
    if (!Number.isSafeInteger(count) || count as number < 0) {
      throw new RangeError(
        `Cannot ${action}: ${what} must be a whole number from 0, but it is ${count}`,
      );
    }
  }
  randomFromState(state.shuffle);
  randomFromState(state.dropout);
  if (state.layerStates?.length !== network.layers.length) {
    throw new TypeError(
      `Cannot ${action}: the model has ${network.layers.length} layers, but layerStates ` +
        `are of ${state.layerStates?.length}`,
    );
  }
}
