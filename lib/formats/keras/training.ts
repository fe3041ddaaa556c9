// How a model was compiled and how far it was trained, out of Keras's files. What is not known here
// is left out with a note: the prediction is the same without.

import { isRecord } from "../../files/json.ts";
import type { MetricName } from "../../model/training/compile.ts";
import { outputNames } from "../../model/graph.ts";
import { type Model, networkOf } from "../../model/model.ts";
import { adam } from "../../model/training/optimizers/adam.ts";
import type { Optimizer } from "../../model/training/optimizers/optimizer.ts";
import { rmsprop } from "../../model/training/optimizers/rmsprop.ts";
import { sgd } from "../../model/training/optimizers/sgd.ts";
import { sameShape } from "../../tensor/shape.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { KerasLayerConfig } from "./layers.ts";
import { lossesOf, lossWeightsOf } from "./losses.ts";
import { isKerasOwn } from "./options.ts";
import { isKeras1 } from "./version.ts";

/** What a file tells of training. */
export interface StoredTraining {
  /** The layers, whose configuration may change how they learn. */
  readonly layers: readonly KerasLayerConfig[];
  /** `compile_config`, or a legacy file's `training_config`. */
  readonly compiled: Readonly<Record<string, unknown>>;
  /** The optimizer's class and options. */
  readonly optimizer: unknown;
  /** Keras's version. */
  readonly version: string;
  /** The step, the learning rate, then the optimizer's arrays. */
  readonly variables: readonly Tensor[];
}

const numberOf = (value: unknown): number | undefined =>
  typeof value === "number" ? value : undefined;

type Config = Readonly<Record<string, unknown>>;
type MakeOptimizer = (config: Config, learningRate: number | undefined) => Optimizer;

/** Keras clips by nothing that is 0 or below. */
const limitOf = (value: unknown): number | undefined =>
  typeof value === "number" && value > 0 ? value : undefined;

const clippingOf = (config: Config) => ({
  clipnorm: limitOf(config.clipnorm),
  globalClipnorm: limitOf(config.global_clipnorm),
  clipvalue: limitOf(config.clipvalue),
});

const OPTIMIZERS: Readonly<Record<string, MakeOptimizer>> = {
  Adam: (config, learningRate) =>
    adam(defined({
      learningRate,
      beta1: numberOf(config.beta_1),
      beta2: numberOf(config.beta_2),
      epsilon: numberOf(config.epsilon),
      ...clippingOf(config),
    })),
  SGD: (config, learningRate) =>
    sgd(defined({
      learningRate,
      momentum: numberOf(config.momentum),
      nesterov: config.nesterov as boolean | undefined,
      ...clippingOf(config),
    })),
  RMSprop: (config, learningRate) =>
    rmsprop(defined({
      learningRate,
      rho: numberOf(config.rho),
      momentum: numberOf(config.momentum),
      epsilon: numberOf(config.epsilon),
      centered: config.centered as boolean | undefined,
      ...clippingOf(config),
    })),
};

/** Options that change a step, and the one value of each that is known here. */
const ONLY: Config = {
  weight_decay: null,
  decay: 0,
  use_ema: false,
  amsgrad: false,
  loss_scale_factor: null,
  gradient_accumulation_steps: null,
};

/**
 * Compiles a model as its file says, and goes on where its training stopped.
 *
 * @returns what had to be left out, for the log; nothing where all was taken over
 */
export function resumeTraining(model: Model, training: StoredTraining | undefined): string[] {
  if (training === undefined) return [];
  const { optimizer: given, compiled, layers, variables, version } = training;
  if (isKeras1(version)) return ["Not compiled: what Keras 1 keeps of training is not read"];
  try {
    layers.forEach(({ name, config }) => checkLearning(name, config));
    const rate = variables[1]?.shape.length === 0 ? variables[1].item() : undefined;
    const names = outputNames(networkOf(model));
    const { metrics, notes } = metricsOf(compiled.metrics, names.length);
    model.compile({
      optimizer: optimizerOf(given, rate, version),
      loss: lossesOf(compiled.loss, names),
      lossWeights: lossWeightsOf(compiled.loss_weights, names),
      metrics,
    });
    return [...notes, ...takeState(model, variables, version)];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return [`Not compiled: ${reason}`];
  }
}

/** Throws where a layer learns otherwise than here: frozen, regularized or constrained. */
function checkLearning(name: string, config: Config): void {
  for (const [key, value] of Object.entries(config)) {
    const changes = key === "trainable"
      ? value === false
      : /_(regularizer|constraint)$|^noise_shape$/.test(key);
    if (changes && value !== null) {
      throw new RangeError(`layer ${JSON.stringify(name)} has ${key} ${JSON.stringify(value)}`);
    }
    if (/layer$/.test(key) && isRecord(value) && isRecord(value.config)) {
      checkLearning(name, value.config); // within Bidirectional or TimeDistributed
    }
  }
}

function optimizerOf(given: unknown, rate: number | undefined, version: string): Optimizer {
  const { class_name: told, config } = isRecord(given) ? given : {};
  // Keras 2 keeps the text that compile() was given, or the name under which it registers its own
  const className = typeof given === "string"
    ? Object.keys(OPTIMIZERS).find((name) => name.toLowerCase() === given.toLowerCase())
    : typeof told === "string" && version.startsWith("2.")
    ? told.replace(/^Custom>/, "")
    : told;
  const options = typeof given === "string" ? {} : config;
  if (
    typeof className !== "string" || !isRecord(options) || !Object.hasOwn(OPTIMIZERS, className)
  ) {
    const known = Object.keys(OPTIMIZERS).join(", ");
    throw new RangeError(`the optimizer is none of ${known}: ${JSON.stringify(told ?? given)}`);
  }
  if (isRecord(given) && className === told && !isKerasOwn(given)) {
    throw new RangeError(`the optimizer ${className} is not Keras's own`);
  }
  for (const [option, only] of Object.entries(ONLY)) {
    const value = options[option] ?? only;
    if (value !== only && value !== false && value !== null) {
      throw new RangeError(`${className} has ${option} ${JSON.stringify(value)}`);
    }
  }
  const learningRate = rate ?? numberOf(options.learning_rate ?? options.lr); // lr: before Keras 2.3
  if (learningRate === undefined && typeof given !== "string") {
    throw new RangeError("the learning rate follows a schedule");
  }
  return OPTIMIZERS[className]!(options, learningRate);
}

/** Accuracy is measured of one output alone; what else there is, is left out. */
function metricsOf(given: unknown, outputs: number) {
  const each = isRecord(given) ? Object.values(given) : Array.isArray(given) ? given : [];
  const all = each.flat().filter((metric) => metric !== null);
  const isKnown = (metric: unknown) => outputs === 1 && (metric === "accuracy" || metric === "acc");
  const others = all.filter((metric) => !isKnown(metric));
  const notes = others.length === 0
    ? []
    : [`Metrics left out: ${JSON.stringify(others).slice(0, 200)}`];
  return { metrics: all.filter(isKnown) as MetricName[], notes };
}

/** The optimizer's arrays, where they are in the order of Keras 3. */
function takeState(model: Model, variables: readonly Tensor[], version: string): string[] {
  const [iteration, , ...arrays] = variables;
  if (iteration === undefined) return [];
  if (arrays.length === 0 && iteration.shape.length === 0 && iteration.item() === 0) return []; // not begun
  const state = model.getTrainingState();
  const wanted = state.optimizer.variables;
  const fits = wanted.length === arrays.length &&
    wanted.every(({ shape }, k) => sameShape(shape, arrays[k]!.shape));
  if (!/^[3-9]/.test(version) || !fits || iteration.shape.length !== 0) {
    return [`The optimizer starts anew: its arrays are not in Keras 3's order`];
  }
  model.setTrainingState({
    ...state,
    optimizer: { iteration: iteration.item(), variables: arrays },
  });
  return [];
}

function defined<T extends object>(options: T): { [K in keyof T]: NonNullable<T[K]> } {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as { [K in keyof T]: NonNullable<T[K]> };
}
