import { kindOf } from "../base/kind.ts";
import { checkOptions, type KeysOf, refuseOptions } from "../base/options.ts";
import { shownAs } from "../base/shown.ts";
import type { Work } from "../base/work.ts";
import type { View } from "../display/view.ts";
import type { Source } from "../files/source.ts";
import { copyOf, type Tensor, type TensorLike } from "../tensor/tensor.ts";
import { type CompileOptions, Training } from "./training/compile.ts";
import { fit } from "./training/fit.ts";
import { checkFitOptions, type FitOptions } from "./training/fit_options.ts";
import { checkStateful, prepareSamples } from "./training/prepare_samples.ts";
import { evaluate, type Evaluation } from "./training/validate.ts";
import type { History } from "./training/history.ts";
import { Predictor } from "./fast/predictor.ts";
import type { Layer, OpenShape } from "../layers/layer.ts";
import { loadWeights } from "./load_weights.ts";
import { type ModelLayer, modelLayers } from "./model_layer.ts";
import { Network, type Precision } from "./network.ts";
import { checkArchitecture, type ModelOptions, type SequentialOptions } from "./architecture.ts";
import type { Connections } from "./graph.ts";
import type { ModelInput } from "./inputs.ts";
import { type Provenance, provenanceOf } from "./provenance.ts";
import { Stream, type StreamOptions } from "./stream.ts";
import { summaryView } from "./summary.ts";
import type { TrainingState } from "./training/training_state.ts";

/** How samples are evaluated. */
export type EvaluateOptions = Pick<FitOptions, "batchSize">;

const EVALUATE: KeysOf<EvaluateOptions> = { batchSize: "optional" };

let networkOfModel: (model: unknown) => Network | undefined;
let predictorOfModel: (model: Model) => Predictor;
let trainingOfModel: (model: Model, action: string) => Training;

/**
 * Layers with their weights: {@linkcode sequential} makes one of layers in a row, {@linkcode functional}
 * of any shape.
 *
 * It shows itself as its summary.
 */
export class Model {
  static {
    networkOfModel = (model) =>
      typeof model === "object" && model !== null && #network in model ? model.#network : undefined;
    predictorOfModel = (model) => model.#predictor;
    trainingOfModel = (model, action) => model.#compiled(action);
  }

  readonly #network: Network;
  readonly #predictor: Predictor;
  #training: Training | undefined;

  /**
   * A model of these layers, its weights started; what {@linkcode sequential} returns.
   *
   * @param parts layers in order, or inputs and outputs of layers connected by `apply`
   * @param options where chance starts, the precision, and of layers in a row the shape of a sample
   * @param weights in Keras's order and shapes, where they are not to be started anew
   * @throws {TypeError} where a layer does not fit the one before it.
   */
  constructor(
    parts: readonly Layer[] | Connections,
    options: ModelOptions & Partial<SequentialOptions>,
    weights?: readonly TensorLike[],
  ) {
    const { graph, seed, precision } = checkArchitecture(parts, options);
    this.#network = new Network(graph, { seed, precision });
    this.#predictor = new Predictor(this.#network);
    if (weights !== undefined) this.setWeights(weights);
  }

  /** The layers, in order. */
  get layers(): readonly ModelLayer[] {
    return modelLayers(this.#network);
  }

  /** The inputs' names and shapes of a sample, in order. */
  get inputs(): readonly { readonly name: string; readonly shape: OpenShape }[] {
    return this.#network.inputs;
  }

  /** The shape of a sample, null where each call may choose the length; of the first input. */
  get inputShape(): OpenShape {
    return this.#network.inputs[0]!.shape;
  }

  /** The prediction's shape for one sample; of the first output. */
  get outputShape(): OpenShape {
    return this.#network.outputShapes[0]!;
  }

  /** How the weights are kept and the model computes. */
  get precision(): Precision {
    return this.#network.precision;
  }

  /** The layers, their output shapes and parameters, as Keras prints them. */
  summary(): View {
    refuseOptions("summarize a model", arguments, 0);
    return summaryView(this.#network, this.#training?.optimizerParameters);
  }

  /**
   * The prediction, all samples at once. In precision float32 it is computed in float32 by
   * WebAssembly: LSTM and dense layers in a row by one call, prepared for the input's shape; a
   * stateful layer, an activation that is rarely used, and a machine without SIMD by the equations.
   *
   * The eight shapes used last stay prepared, each with a copy of the weights and `batch · timesteps`
   * times the sizes of its input and of each layer whose sequence goes on, 4 bytes a number; where
   * that is more than 64 MiB, the samples go through in parts. All models together hold 256 MiB, or
   * what the largest shape needs.
   *
   * Large batches are split over the cores in the Deno kernel, elsewhere by {@linkcode useThreads}; the
   * result has the same bits.
   *
   * A stateful model goes on where the call before ended. One that Keras saved takes whole batches of
   * the size that its file tells, and goes on from one to the next.
   *
   * @param x `[batch, timesteps, inputSize]`, or `[batch, timesteps]` of whole numbers before an
   * embedding; of several inputs a list in their order, or an object by their names
   * @returns `[batch, …]`, the last layer's output in float32
   * @throws {TypeError} where the shape is not the model's, or the model has several outputs.
   */
  predict(x: ModelInput): Tensor {
    if (arguments.length > 1) refuseOptions("predict", arguments, 1);
    const { outputs } = this.#network;
    if (outputs.length === 1) return this.#predictor.predict(x)[0]!;
    throw new TypeError(
      `Cannot predict: predict gives the one output of a model, but this one has ` +
        `${outputs.length}; predictAll gives all`,
    );
  }

  /**
   * The predictions of all outputs, in their order; else as {@linkcode Model.predict}.
   *
   * @throws {TypeError} where a shape is not the model's.
   */
  predictAll(x: ModelInput): Tensor[] {
    refuseOptions("predict", arguments, 1);
    return this.#predictor.predict(x);
  }

  /**
   * Settles how the model learns. What an optimizer before it remembered is gone; the weights stay.
   *
   * @throws {RangeError} where the optimizer, the loss or a metric is unknown.
   *
   * @example
   * ```ts
   * import { adam, dense, lstm, sequential } from "@gatescope/lstm";
   *
   * const layers = [lstm({ units: 8 }), dense({ units: 2, activation: "softmax" })];
   * const model = sequential(layers, { inputShape: [3, 2], seed: 1 });
   * model.compile({ optimizer: adam({ learningRate: 0.01 }), loss: "categorical_crossentropy" });
   * ```
   */
  compile(options: CompileOptions): void {
    this.#training?.checkIdle("compile");
    this.#training = new Training(this.#network, options);
  }

  /**
   * Trains: each batch's loss, its gradient through all layers and timesteps, and one step of the
   * optimizer. In precision float32 the layers and Adam are computed in float32 by WebAssembly where
   * they can be, all else in float64 and rounded once per layer and step. Large batches are split over
   * the threads, as in {@linkcode Model.predict}; each number of threads adds gradients in its own order.
   *
   * Everything is checked before a weight changes. A signal stops the run between two batches; the
   * history then holds the finished epochs and says `aborted`, and weights and progress are kept: a
   * further `fit` on as many samples, with the same batch size and shuffling, finishes the epoch
   * first, bit for bit as if it had not been stopped. `getTrainingState()` carries that to another
   * model.
   *
   * @param x `[samples, …]`, as for `predict`
   * @param y a target for each sample, as the loss wants them; of several outputs a list in their
   * order, or an object by their names
   * @param options epochs, batches, validation, and what is seen of it
   * @returns loss and metrics of each epoch, as Keras reports them
   * @throws {TypeError} where a shape does not fit, the model is not compiled, or `fit` is running.
   * @throws {RangeError} where an option is out of range or a label is no class; or where a number
   * is not finite any more, naming the epoch, the layer and the value where it began, with the
   * weights as before that batch.
   *
   * @example
   * ```ts
   * import { arange, dense, lstm, sequential } from "@gatescope/lstm";
   * import { assert } from "@std/assert";
   *
   * const layers = [lstm({ units: 8 }), dense({ units: 2, activation: "softmax" })];
   * const model = sequential(layers, { inputShape: [3, 2], seed: 1 });
   * model.compile({ optimizer: "adam", loss: "categorical_crossentropy", metrics: ["accuracy"] });
   * const x = arange(24).reshape([4, 3, 2]);
   * const y = [[1, 0], [0, 1], [1, 0], [0, 1]];
   * const { loss, accuracy } = await model.fit(x, y, { epochs: 2 });
   * assert(loss[1]! < loss[0]! && accuracy?.length === 2);
   * ```
   */
  async fit(x: ModelInput, y: ModelInput, options: FitOptions = {}): Promise<History> {
    return await fit(this.#network, this.#compiled("fit"), x, y, options);
  }

  /**
   * The loss of samples, and the accuracy where it is measured, without learning from them: Keras's
   * `evaluate`.
   *
   * @param x `[samples, …]`, as for `predict`
   * @param y a target for each sample, as for `fit`
   * @param options how many samples are computed at a time. Default: 32
   * @throws {TypeError} where a shape does not fit, or the model is not compiled.
   *
   * @example
   * ```ts
   * import { dense, sequential } from "@gatescope/lstm";
   * import { assertEquals } from "@std/assert";
   *
   * const model = sequential([dense({ units: 1 })], { inputShape: [1] });
   * model.setWeights([[[2]], [0]]);
   * model.compile({ optimizer: "sgd", loss: "mse" });
   * assertEquals(model.evaluate([[1], [2]], [[2], [5]]), { loss: 0.5 });
   * ```
   */
  evaluate(x: ModelInput, y: ModelInput, options: EvaluateOptions = {}): Evaluation {
    const training = this.#compiled("evaluate");
    checkOptions("evaluate", options, EVALUATE);
    const { batchSize } = checkFitOptions(options);
    const samples = prepareSamples(this.#network, training.losses, x, y, "evaluate");
    checkStateful(this.#network, samples, batchSize);
    return evaluate(this.#network, training, samples, { batchSize });
  }

  /**
   * How far training has come; with `getWeights()` it is all that another model needs to go on.
   *
   * @throws {TypeError} where the model is not compiled.
   */
  getTrainingState(): TrainingState {
    return this.#compiled("get the training state").getState(this.#network);
  }

  /**
   * Goes on where that state was taken; the weights belong to it and are set by `setWeights()`.
   *
   * @throws {TypeError} where the model is not compiled, or the state is none of its own.
   * @throws {RangeError} where one of the state's numbers is out of range.
   */
  setTrainingState(state: TrainingState): void {
    const training = this.#compiled("set the training state");
    training.checkIdle("set the training state");
    training.setState(state, this.#network);
  }

  /** All weights, in Keras's order and shapes; copies, float32 unless the precision is float64. */
  getWeights(): Tensor[] {
    return this.#network.keptWeights.map(copyOf);
  }

  /**
   * Replaces all weights by copies of these, in Keras's order and shapes.
   *
   * @param weights as {@linkcode Model.getWeights} gives them
   * @throws {TypeError} where the count or a shape differs; no weight has changed then.
   */
  setWeights(weights: readonly TensorLike[]): void {
    const given = this.#network.checkWeights(weights);
    this.#network.weights = given.map(copyOf);
  }

  /**
   * Replaces all weights by those of a file: `.weights.h5`, `.npz` of `model.get_weights()`,
   * PyTorch's `.pth` and `.safetensors`, or any file that {@linkcode loadModel} opens.
   *
   * @param source a path, a URL or the bytes
   * @throws {UnreadableFileError} where the file cannot be read, or its arrays are not this model's;
   * no weight has changed then.
   *
   * @example
   * ```ts
   * import { dense, lstm, saveNpz, sequential } from "@gatescope/lstm";
   * import { assertEquals } from "@std/assert";
   *
   * const layers = [lstm({ units: 4 }), dense({ units: 2 })];
   * const [model, other] = [1, 2].map((seed) => sequential(layers, { inputShape: [3, 2], seed }));
   * const file = await Deno.makeTempFile({ suffix: ".npz" });
   * await saveNpz(file, model!.getWeights()); // in Python: np.savez(file, *model.get_weights())
   *
   * await other!.loadWeights(file);
   * assertEquals(other!.getWeights(), model!.getWeights());
   * await Deno.remove(file);
   * ```
   */
  async loadWeights(source: Source): Promise<void> {
    refuseOptions("load weights", arguments, 1);
    await loadWeights(this, source);
  }

  /** Where the weights came from, array by array; undefined where no file was read. */
  get provenance(): Provenance | undefined {
    return provenanceOf(this);
  }

  /**
   * The model along a sequence that comes bit by bit: one timestep in, one out, by `step`, or pieces
   * of any length, by `push`; the states are carried on. In precision float64 the pieces together give
   * bit for bit what `predict` gives of the whole; in float32 the same but for rounding.
   *
   * Recurrent layers that go forward, of cells of your own too, convolutions with padding causal, and
   * all that looks at each timestep by itself can do that. An LSTM without `returnSequences` gives its
   * result so far. The model itself remembers nothing of it.
   *
   * @param options how many sequences go side by side
   * @throws {TypeError} where a layer needs the whole sequence: it is named.
   *
   * @example
   * ```ts
   * import { arange, dense, lstm, sequential } from "@gatescope/lstm";
   * import { assertEquals } from "@std/assert";
   *
   * const layers = [lstm({ units: 4 }), dense({ units: 1 })];
   * const model = sequential(layers, { inputShape: [null, 2], seed: 1, precision: "float64" });
   * const stream = model.stream();
   * stream.step([[0, 1]]); // [batch, size]
   * stream.step([[2, 3]]);
   * assertEquals(stream.step([[4, 5]]), model.predict(arange(6).reshape([1, 3, 2])));
   * ```
   */
  stream(options: StreamOptions = {}): Stream {
    return new Stream(this.#network, options);
  }

  /** Lets stateful layers start from zeros again. */
  resetStates(): void {
    this.#network.states = this.#network.states.map(() => undefined);
  }

  #compiled(action: string): Training {
    if (this.#training === undefined) {
      throw new TypeError(
        `Cannot ${action}: the model must be compiled first, but it has no optimizer and loss yet`,
      );
    }
    return this.#training;
  }
}
shownAs("Model", Model.prototype);

/**
 * What is behind a model's public door: for this package's own rooms, not exported by mod.ts.
 *
 * @throws {TypeError} where it is no model.
 */
export function networkOf(model: Model, action = "look into a model"): Network {
  const network = networkOfModel(model);
  if (network !== undefined) return network;
  throw new TypeError(
    `Cannot ${action}: the model must be one made by sequential() or loadModel(), ` +
      `but ${kindOf(model)} was given`,
  );
}

/** What `predict` gives of one batch, in pieces; stateful layers remember nothing of it. */
export function predictionWork(model: Model, x: ModelInput): Work<Tensor[]> {
  return predictorOfModel(model).work(x);
}

/** What `compile` settled, and how far training has come; throws where there is none. */
export function trainingOf(model: Model, action: string): Training {
  return trainingOfModel(model, action);
}
