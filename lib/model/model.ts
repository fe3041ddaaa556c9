import { showAs, type View } from "../display/view.ts";
import { formatShape, sameShape } from "../tensor/shape.ts";
import { asTensor, Tensor, type TensorLike } from "../tensor/tensor.ts";
import type { Layer, OpenShape } from "./layer.ts";
import { Network, type Precision } from "./network.ts";
import { checkArchitecture } from "./architecture.ts";
import { summaryView } from "./summary.ts";

/** How a model starts. */
export interface SequentialOptions {
  /**
   * A sample's shape, without the batch: `[timesteps, inputSize]`, or `[timesteps]` before an
   * embedding; timesteps may be null, so that each call chooses its own.
   */
  readonly inputShape: OpenShape;
  /** Where chance starts, a whole number: the same seed gives the same weights. Any unless said. */
  readonly seed?: number;
  /**
   * `"float32"` as in Keras unless said; `"float64"` keeps the weights in float64 and computes by
   * the equations.
   */
  readonly precision?: Precision;
}

/** A layer of a model. */
export interface ModelLayer {
  /** Keras's name of it, unique in the model: `lstm`, `lstm_1`, … */
  readonly name: string;
  /** Its definition, as it was made by `lstm()`, `dense()`, … */
  readonly layer: Layer;
  /** The shape that it gets, without the batch. */
  readonly inputShape: OpenShape;
  /** The shape that it gives, without the batch. */
  readonly outputShape: OpenShape;
  /** How many numbers it learns. */
  readonly parameters: number;
  /** Its weights, in Keras's order and shapes; copies. */
  readonly getWeights: () => Tensor[];
}

let networkOfModel: (model: Model) => Network;

/**
 * Layers in a row, as Keras's Sequential model: {@linkcode sequential} makes one.
 *
 * It shows itself as its summary.
 */
export class Model {
  static {
    networkOfModel = (model) => model.#network;
  }

  readonly #network: Network;

  /**
   * A model of these layers, its weights started; what {@linkcode sequential} returns.
   *
   * @throws {TypeError} where a layer does not fit the one before it.
   */
  constructor(layers: readonly Layer[], options: SequentialOptions) {
    const { inputShape, seed, precision } = checkArchitecture(layers, options);
    this.#network = new Network(layers, inputShape, { seed, precision });
  }

  /** The layers, in order. */
  get layers(): readonly ModelLayer[] {
    const network = this.#network;
    return network.layers.map((placed) => {
      const { name, layer, inputShape, outputShape, firstWeight, weights } = placed;
      const own = () => network.weights.slice(firstWeight, firstWeight + weights.length);
      const parameters = own().reduce((sum, { data }) => sum + data.length, 0);
      const getWeights = () => own().map((weight) => this.#copy(weight));
      return Object.freeze({ name, layer, inputShape, outputShape, parameters, getWeights });
    });
  }

  /** A sample's shape, null where each call may choose the length. */
  get inputShape(): OpenShape {
    return this.#network.inputShape;
  }

  /** The prediction's shape for one sample. */
  get outputShape(): OpenShape {
    return this.#network.outputShape;
  }

  /** How the weights are kept and the model computes. */
  get precision(): Precision {
    return this.#network.precision;
  }

  /** The layers, their output shapes and parameters, as Keras prints them. */
  summary(): View {
    return summaryView(this.#network);
  }

  /**
   * The prediction, all samples at once.
   *
   * @param x `[batch, timesteps, inputSize]`, or `[batch, timesteps]` of whole numbers before an
   * embedding
   * @returns `[batch, …]`, the last layer's output in float32
   * @throws {TypeError} where the shape is not the model's.
   */
  predict(x: TensorLike): Tensor {
    const run = this.#network.forward(this.#network.checkInput(x, "predict"));
    this.#network.states = run.states;
    return toFloat32(run.output);
  }

  /** All weights, in Keras's order and shapes; copies, float32 unless the precision is float64. */
  getWeights(): Tensor[] {
    return this.#network.weights.map((weight) => this.#copy(weight));
  }

  /**
   * Replaces all weights by copies of these, in Keras's order and shapes.
   *
   * @param weights as {@linkcode Model.getWeights} gives them
   * @throws {TypeError} where the count or a shape differs; no weight has changed then.
   */
  setWeights(weights: readonly TensorLike[]): void {
    const specs = this.#network.weightSpecs;
    if (!Array.isArray(weights) || weights.length !== specs.length) {
      const current = Array.isArray(weights) ? `count is ${weights.length}` : "value is no array";
      throw new TypeError(
        `Cannot set the weights as the model has ${specs.length}: current ${current}`,
      );
    }
    const given = weights.map((weight) => asTensor(weight));
    for (const [k, { name, shape }] of specs.entries()) {
      if (!sameShape(given[k]!.shape, shape)) {
        throw new TypeError(
          `Cannot set the weights as weight ${k}, ${name}, must be ${formatShape(shape)}: ` +
            `current shape is ${formatShape(given[k]!.shape)}`,
        );
      }
    }
    this.#network.weights = given.map((weight) => new Tensor(weight.data.slice(), weight.shape));
  }

  /** Lets stateful layers start from zeros again. */
  resetStates(): void {
    this.#network.states = this.#network.states.map(() => undefined);
  }

  #copy({ data, shape }: Tensor): Tensor {
    return this.precision === "float64"
      ? new Tensor(data.slice(), shape)
      : toFloat32(new Tensor(data, shape));
  }
}
showAs(Model.prototype, (model) => model.summary());

/** What is behind a model's public door: for this package's own rooms, not exported by mod.ts. */
export function networkOf(model: Model): Network {
  return networkOfModel(model);
}

function toFloat32({ data, shape }: Tensor): Tensor {
  return new Tensor(Float32Array.from(data), shape);
}
