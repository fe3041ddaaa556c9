// The layers in a row with their weights: what predicting, training and tracing all run. Shapes and
// numbers only; the public door in front of it is Model.

import type { LayerTrace } from "../lstm/sequence.ts";
import { type Random, seededRandom } from "../tensor/random.ts";
import { formatShape, sameShape, sizeOf } from "../tensor/shape.ts";
import { asFloat32, asFloat64, asTensor, type Tensor, type TensorLike } from "../tensor/tensor.ts";
import { LayerCompute } from "./fast/layer_compute.ts";
import type {
  Layer,
  LayerRun,
  LayerState,
  Mask,
  OpenShape,
  SiteListeners,
  WeightSpec,
} from "./layer.ts";
import { nameLayers } from "./layer_names.ts";

/** How the weights are kept and how a model computes. */
export type Precision = "float32" | "float64";

/** A layer in its place. */
export interface PlacedLayer {
  readonly name: string;
  readonly layer: Layer;
  readonly inputShape: OpenShape;
  readonly outputShape: OpenShape;
  /** The arrays it needs, of which the first is the network's weight `firstWeight`. */
  readonly weights: readonly WeightSpec[];
  readonly firstWeight: number;
}

/** What one run through all layers may depend on besides input and weights. */
export interface NetworkContext {
  /** Whether dropout drops. */
  readonly training?: boolean;
  /** Where dropout draws from; there in training. */
  readonly random?: Random;
  /** Whether lib/compute may compute, in precision float32; the equations in float64 otherwise. */
  readonly fast?: boolean;
  /** Whether a fast run has traces as well; the equations' always has. */
  readonly records?: boolean;
  /** Who sees the values inside, for each layer. */
  readonly listeners?: readonly (SiteListeners | undefined)[];
}

/** What one run through all layers gave. */
export interface NetworkRun {
  /** `[batch, …]`, in float64; a fast run's may be in float32. */
  readonly output: Tensor;
  /** Which steps of the output count; all where there is none. */
  readonly mask: Mask | undefined;
  /** What each layer gave. */
  readonly runs: readonly LayerRun[];
  /** What happened inside: a list for each layer, empty where it holds no LSTM. */
  readonly traces: readonly (readonly LayerTrace[])[];
  /** Where each stateful layer ended: `network.states` from now on, if the run is to count. */
  readonly states: NetworkStates;
  /** From the gradient of the loss by `output`: its gradient by each weight, in order. */
  readonly backward: (gradient: Tensor) => Tensor[];
}

/** What the stateful layers remember, by layer; undefined is zeros. */
export type NetworkStates = readonly (LayerState | undefined)[];

/** Layers in a row, with their weights. */
export class Network {
  readonly inputShape: OpenShape;
  readonly outputShape: OpenShape;
  readonly layers: readonly PlacedLayer[];
  readonly precision: Precision;
  readonly seed: number;
  /** What the stateful layers remember; who runs the network decides whether it takes the new. */
  states: NetworkStates;
  /**
   * How many samples a batch of a stateful network has, where its file tells: as in Keras, the next
   * batch goes on where this one ended, sample by sample.
   */
  batchSize: number | undefined;
  #kept: readonly Tensor[] | undefined; // float32 or float64, as the precision says
  #inFloat64: readonly Tensor[] | undefined;
  #computes: readonly LayerCompute[] | undefined;

  /** Places the layers; their weights start when they are first asked for. */
  constructor(
    layers: readonly Layer[],
    inputShape: OpenShape,
    { precision, seed }: { precision: Precision; seed: number },
  ) {
    this.inputShape = Object.freeze([...inputShape]);
    this.layers = placeLayers(layers, inputShape);
    this.outputShape = this.layers.at(-1)!.outputShape;
    this.precision = precision;
    this.seed = seed;
    this.states = this.layers.map(() => undefined);
  }

  /** What each weight is, layer by layer in Keras's order; `name` is `lstm/kernel`. */
  get weightSpecs(): readonly WeightSpec[] {
    return this.layers.flatMap(({ name, weights }) =>
      weights.map((weight) => ({ ...weight, name: `${name}/${weight.name}` }))
    );
  }

  /** The weights in float64 (their values float32's, in that precision); not to be written into. */
  get weights(): readonly Tensor[] {
    return this.#inFloat64 ??= this.keptWeights.map(asFloat64);
  }

  /** Takes these in their place; the shapes are known to fit. */
  set weights(weights: readonly Tensor[]) {
    this.#kept = weights.map(this.precision === "float64" ? asFloat64 : asFloat32);
    this.#inFloat64 = undefined;
  }

  /** The weights in their precision; another array after each change, not to be written into. */
  get keptWeights(): readonly Tensor[] {
    if (this.#kept === undefined) {
      const random = seededRandom(this.seed);
      this.weights = this.weightSpecs.map(({ shape, initialize }) => initialize(shape, random));
    }
    return this.#kept!;
  }

  /** The input in float64, its shape checked; of a stateful network one batch, or several. */
  checkInput(x: TensorLike, action: string, { batches = 1 }: { batches?: 1 | "any" } = {}): Tensor {
    const given = asFloat64(x);
    const [batch, ...rest] = given.shape;
    const fits = rest.length === this.inputShape.length &&
      rest.every((length, axis) => (this.inputShape[axis] ?? length) === length);
    if (!fits || batch === 0 || sizeOf(rest) === 0) {
      const wanted = ["batch", ...this.inputShape.map((length) => length ?? "timesteps")];
      throw new TypeError(
        `Cannot ${action} as the input must be [${wanted.join(", ")}] and not empty: ` +
          `current shape is ${formatShape(given.shape)}`,
      );
    }
    const { batchSize } = this;
    const isWhole = batchSize === undefined || batch === batchSize ||
      batches === "any" && batch! % batchSize === 0;
    if (!isWhole) {
      throw new TypeError(
        `Cannot ${action}: a stateful model's file tells its batch, and ` +
          (batches === "any" ? `the samples must be whole batches of ` : `the samples must be `) +
          `${batchSize}, but the input has ${batch}`,
      );
    }
    return given;
  }

  /** As many arrays as it has, of their shapes; throws where they are others. */
  checkWeights(weights: readonly TensorLike[]): Tensor[] {
    const specs = this.weightSpecs;
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
    return given;
  }

  /** Runs all layers on a checked input. Changes nothing: not even what stateful layers remember. */
  forward(
    x: Tensor,
    { training = false, random, fast = false, records, listeners }: NetworkContext = {},
  ): NetworkRun {
    const isFast = fast && this.precision === "float32";
    const weights = isFast ? this.keptWeights : this.weights;
    if (isFast) this.#computes ??= this.layers.map(() => new LayerCompute());
    const runs: LayerRun[] = [];
    let [output, mask] = [x, undefined as Mask | undefined];
    for (const [k, placed] of this.layers.entries()) {
      const state = this.states[k];
      const { firstWeight, weights: { length } } = placed;
      const own = weights.slice(firstWeight, firstWeight + length);
      const run = placed.layer.forward(output, own, {
        training,
        random,
        mask,
        state,
        compute: isFast ? this.#computes?.[k] : undefined,
        records,
        listeners: listeners?.[k],
      });
      runs.push(run);
      [output, mask] = [run.output, run.mask];
    }
    return {
      output,
      mask,
      runs,
      traces: runs.map(({ traces = [] }) => traces),
      states: runs.map(({ state }) => state),
      backward: (gradient) => backward(runs, this.layers, gradient),
    };
  }
}

/** From the last layer to the first, each handing the gradient by its input to the one before. */
function backward(
  runs: readonly LayerRun[],
  layers: readonly PlacedLayer[],
  gradient: Tensor,
): Tensor[] {
  const { output } = runs.at(-1)!;
  if (!sameShape(gradient.shape, output.shape)) {
    throw new TypeError(
      `Cannot go backward as the gradient must have the output's shape ` +
        `${formatShape(output.shape)}: current shape is ${formatShape(gradient.shape)}`,
    );
  }
  const gradients: Tensor[][] = [];
  let incoming: Tensor | undefined = asFloat64(gradient);
  const first = layers.findIndex(({ weights }) => weights.length > 0);
  for (const [k, run] of [...runs.entries()].reverse()) {
    if (incoming === undefined) break; // nothing to learn came before
    const { input, weights } = run.backward(incoming, { byInput: k > first });
    gradients.unshift([...weights]);
    incoming = input;
  }
  return gradients.flat();
}

function placeLayers(layers: readonly Layer[], inputShape: OpenShape): readonly PlacedLayer[] {
  const names = nameLayers(layers);
  let [shape, firstWeight] = [inputShape, 0];
  return layers.map((layer, k) => {
    if (layer.className === "Embedding" && k > 0) {
      throw new TypeError(
        `Cannot build a model as an Embedding looks up the model's own input: ` +
          `current layer ${k} is ${names[k]}, after ${names[k - 1]}`,
      );
    }
    const placed = {
      name: names[k]!,
      layer,
      inputShape: shape,
      outputShape: Object.freeze([...layer.outputShape(shape)]),
      weights: layer.weights(shape),
      firstWeight,
    };
    shape = placed.outputShape;
    firstWeight += placed.weights.length;
    return Object.freeze(placed);
  });
}
