import { nearestNames } from "../../display/nearest_names.ts";
import { asTensor } from "../../tensor/tensor.ts";
import { getLoss, type LossIdentifier } from "./losses/get_loss.ts";
import type { Loss } from "./losses/loss.ts";
import type { LayerState } from "../layer.ts";
import { copyOf as copyOfTensor } from "../model_layer.ts";
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
    const { optimizer, loss, metrics = [] } = checkOptions(options);
    this.optimizer = getOptimizer(optimizer);
    this.loss = getLoss(loss);
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
    return Object.freeze({
      ...copyOf(this.progress),
      layerStates: Object.freeze(network.states.map(copyOfState)),
    });
  }

  /** Goes on from there. */
  setState(state: TrainingState, network: Network): void {
    checkTrainingState(state, network, this.optimizer);
    const { layerStates, ...progress } = state;
    this.progress = copyOf(progress);
    network.states = layerStates.map(copyOfState);
  }
}

/** A copy into which nobody else writes. */
function copyOf(
  { optimizer: { iteration, variables }, shuffle, dropout, running, ...rest }: Training["progress"],
): Training["progress"] {
  const copies = Object.freeze(variables.map(copyOfTensor));
  return Object.freeze({
    ...rest,
    optimizer: Object.freeze({ iteration, variables: copies }),
    shuffle: Object.freeze([...shuffle]),
    dropout: Object.freeze([...dropout]),
    ...(running === undefined ? {} : { running: Object.freeze({ ...running }) }),
  });
}

function copyOfState(state: LayerState | undefined): LayerState | undefined {
  return state && Object.freeze(state.map(({ cellState, hiddenState }) =>
    Object.freeze({
      cellState: copyOfTensor(asTensor(cellState)),
      hiddenState: copyOfTensor(asTensor(hiddenState)),
    })
  ));
}

function checkOptions(options: CompileOptions): CompileOptions {
  const known = ["optimizer", "loss", "metrics"];
  for (const name of Object.keys(options ?? {})) {
    if (!known.includes(name)) {
      throw new TypeError(
        `Cannot compile as its options are ${nearestNames(name, known)}: current option is ${name}`,
      );
    }
  }
  return options ?? {};
}

function measuresAccuracy(metrics: readonly MetricName[]): boolean {
  if (!Array.isArray(metrics)) {
    throw new TypeError(
      `Cannot compile as metrics must be a list: current metrics are ${JSON.stringify(metrics)}`,
    );
  }
  const unknown = metrics.find((metric) => metric !== "accuracy" && metric !== "acc");
  if (unknown !== undefined) {
    throw new RangeError(
      `Cannot compile as the only metric is accuracy: current metric is ${JSON.stringify(unknown)}`,
    );
  }
  return metrics.length > 0;
}
