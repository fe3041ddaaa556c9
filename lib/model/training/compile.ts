import { kindOf } from "../../base/kind.ts";
import { checkOptions, type KeysOf } from "../../base/options.ts";
import { Tensor } from "../../tensor/tensor.ts";
import { copyOf } from "../model_layer.ts";
import { getLoss, type LossIdentifier } from "./losses/get_loss.ts";
import type { Loss } from "./losses/loss.ts";
import type { Network } from "../network.ts";
import { getOptimizer, type OptimizerIdentifier } from "./optimizers/get_optimizer.ts";
import type { Optimizer } from "./optimizers/optimizer.ts";
import { checkTrainingState, startOfTraining, type TrainingState } from "./training_state.ts";

/** A metric, in Keras's spelling. */
export type MetricName = "accuracy" | "acc";

/** How a model is to learn. */
export interface CompileOptions {
  /** `"adam"`, `"sgd"`, `"rmsprop"` with Keras's defaults, or `adam({ … })` and its like. */
  readonly optimizer: OptimizerIdentifier;
  /** Keras's name, or `categoricalCrossentropy({ … })` and its like. */
  readonly loss: LossIdentifier;
  /** What else `fit` reports: `["accuracy"]`, or nothing. */
  readonly metrics?: readonly MetricName[];
}

const OPTIONS: KeysOf<CompileOptions> = {
  optimizer: "required",
  loss: "required",
  metrics: "optional",
};

/** What `compile` settled, and how far training has come. */
export class Training {
  readonly optimizer: Optimizer;
  readonly loss: Loss;
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
    this.loss = getLoss(loss!);
    this.measuresAccuracy = measuresAccuracy(metrics);
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
      `Cannot ${action} as the model is being trained: current fit is running`,
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
