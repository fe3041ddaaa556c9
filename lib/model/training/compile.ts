import { kindOf } from "../../base/kind.ts";
import { checkOptions, type KeysOf } from "../../base/options.ts";
import { copyOf, Tensor } from "../../tensor/tensor.ts";
import { getLoss, type LossIdentifier } from "./losses/get_loss.ts";
import type { Loss, LossResult } from "./losses/loss.ts";
import type { Network } from "../network.ts";
import { getOptimizer, type OptimizerIdentifier } from "./optimizers/get_optimizer.ts";
import type { Optimizer } from "./optimizers/optimizer.ts";
import { checkTrainingState, startOfTraining, type TrainingState } from "./training_state.ts";
import { amongNames } from "../../base/names.ts";
import { multiply } from "../../tensor/arithmetic.ts";
import { outputNames } from "../graph.ts";

/** A metric, in Keras's spelling. */
export type MetricName = "accuracy" | "acc";

/** How a model is to learn. */
export interface CompileOptions {
  /** `"adam"`, `"sgd"`, `"rmsprop"` with Keras's defaults, or `adam({ … })` and its like. */
  readonly optimizer: OptimizerIdentifier;
  /**
   * Keras's name, or `categoricalCrossentropy({ … })` and its like; of several outputs one for each,
   * in their order or by the names of their layers.
   */
  readonly loss:
    | LossIdentifier
    | readonly LossIdentifier[]
    | Readonly<Record<string, LossIdentifier>>;
  /** What each output's loss counts in the sum. Default: 1 each. */
  readonly lossWeights?: readonly number[];
  /** What else `fit` reports: `["accuracy"]`, or nothing. */
  readonly metrics?: readonly MetricName[];
}

const OPTIONS: KeysOf<CompileOptions> = {
  optimizer: "required",
  loss: "required",
  lossWeights: "optional",
  metrics: "optional",
};

/** What `compile` settled, and how far training has come. */
export class Training {
  readonly optimizer: Optimizer;
  /** One for each output. */
  readonly losses: readonly Loss[];
  readonly lossWeights: readonly number[];
  readonly measuresAccuracy: boolean;
  /** How far training has come; `fit` replaces it with every batch. */
  progress: Omit<TrainingState, "layerStates">;
  /** Whether `fit` is running: it must not run twice at a time. */
  isRunning = false;

  /** Everything is checked before a model takes it. */
  constructor(network: Network, options: CompileOptions) {
    checkOptions("compile", options, OPTIONS);
    const { optimizer, loss, metrics = [] }: Partial<CompileOptions> = options ?? {};
    this.optimizer = getOptimizer(optimizer!);
    this.losses = lossesOf(loss!, outputNames(network));
    this.lossWeights = weightsOf(options?.lossWeights, this.losses.length);
    this.measuresAccuracy = measuresAccuracy(metrics);
    if (this.measuresAccuracy && this.losses.length > 1) {
      throw new RangeError(
        `Cannot compile: accuracy is measured of one output, but the model has ${this.losses.length}`,
      );
    }
    this.progress = startOfTraining(network, this.optimizer);
  }

  /** How many numbers Keras counts as the optimizer's: its step, its learning rate, its arrays. */
  get optimizerParameters(): number {
    const { iteration, variables } = this.progress.optimizer;
    return iteration === 0 ? 0 : variables.reduce((sum, { data }) => sum + data.length, 2);
  }

  /** Throws where `fit` is running. */
  checkIdle(action: string): void {
    if (!this.isRunning) return;
    throw new TypeError(
      `Cannot ${action}: it must wait for the end of fit, but one is running`,
    );
  }

  /** How far training has come, with what the network's stateful layers remember. */
  getState(network: Network): TrainingState {
    return frozenCopy({ ...this.progress, layerStates: network.states });
  }

  /** Goes on from there. */
  setState(state: TrainingState, network: Network): void {
    checkTrainingState(state, network, this.optimizer);
    const { layerStates, ...progress } = frozenCopy(state);
    this.progress = Object.freeze(progress);
    network.states = layerStates;
  }
}

/** The losses of all outputs together, and the gradient with respect to each. */
export function lossOf(
  { losses, lossWeights }: Pick<Training, "losses" | "lossWeights">,
  targets: readonly Tensor[],
  outputs: readonly Tensor[],
  masks: readonly (Tensor | undefined)[],
  weights?: Tensor,
): { value: number; gradients: Tensor[] } {
  const all = losses.map((loss, k) => loss.compute(targets[k]!, outputs[k]!, masks[k], weights));
  const [{ value, gradient }] = all as [LossResult];
  if (all.length === 1 && lossWeights[0] === 1) return { value, gradients: [gradient] };
  return {
    value: all.reduce((sum, { value }, k) => sum + lossWeights[k]! * value, 0),
    gradients: all.map(({ gradient }, k) => multiply(gradient, lossWeights[k]!)),
  };
}

function lossesOf(given: CompileOptions["loss"], names: readonly string[]): Loss[] {
  const isOne = typeof given !== "object" || given === null || "compute" in given;
  if (isOne && names.length === 1) return [getLoss(given as LossIdentifier)];
  const byName = given as Readonly<Record<string, LossIdentifier>>;
  const isList = Array.isArray(given);
  const keys = isList || isOne ? [] : Object.keys(byName);
  const stray = keys.find((key) => !names.includes(key));
  if (stray !== undefined) {
    throw new RangeError(`Cannot compile: each loss must be of ${amongNames(stray, names)}`);
  }
  if (isList ? given.length === names.length : keys.length === names.length) {
    return names.map((name, k) => getLoss(isList ? given[k] : byName[name]!));
  }
  throw new TypeError(
    `Cannot compile: there must be a loss for each output, ${names.join(", ")}, but ` +
      `${isOne ? "one" : isList ? given.length : keys.join(", ")} was given`,
  );
}

function weightsOf(given: readonly number[] | undefined, count: number): readonly number[] {
  if (given === undefined) return new Array(count).fill(1);
  if (Array.isArray(given) && given.length === count && given.every(Number.isFinite)) {
    return Object.freeze([...given]);
  }
  throw new TypeError(
    `Cannot compile: lossWeights must be a number for each of ${count} outputs, but they are ` +
      JSON.stringify(given),
  );
}

/** Plain values and tensors through and through, so that nobody writes into what another one keeps. */
function frozenCopy<T>(value: T): T {
  if (value instanceof Tensor) return copyOf(value) as T;
  if (Array.isArray(value)) return Object.freeze(value.map(frozenCopy)) as T;
  if (typeof value !== "object" || value === null) return value;
  const copies = Object.entries(value).map(([key, part]) => [key, frozenCopy(part)]);
  return Object.freeze(Object.fromEntries(copies));
}

function measuresAccuracy(metrics: readonly MetricName[]): boolean {
  if (!Array.isArray(metrics)) {
    throw new TypeError(
      `Cannot compile: metrics must be a list, but ${kindOf(metrics)} was given`,
    );
  }
  const unknown = metrics.find((metric) => metric !== "accuracy" && metric !== "acc");
  if (unknown !== undefined) {
    throw new RangeError(
      `Cannot compile: the only metric is accuracy, but ${JSON.stringify(unknown)} was given`,
    );
  }
  return metrics.length > 0;
}
