// A recurrent layer of any gated cell: what LSTM, GRU and SimpleRNN have in common. Source:
// keras/src/layers/rnn/rnn.py (Keras 3.15.1).

import { blocksOf, type Cell, type CellFunctions } from "../cells/cell.ts";
import { cellWork } from "../cells/recurrence.ts";
import type { CellName } from "../compute/cell_kinds.ts";
import { formatShape, sameShape, sizeOf } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Activation, ActivationName } from "../values/activations.ts";
import { shapeOf, stackSteps, where } from "../values/arrange.ts";
import type { Ops } from "../values/ops.ts";
import { fastGated } from "./fast_form.ts";
import { glorotUniform, type Initializer, orthogonal } from "./initializers.ts";
import { given, type KerasConfig, type KerasReading, type LayerKind, numbered } from "./kind.ts";
import {
  defineLayer,
  formatOpenShape,
  inPieces,
  type Layer,
  type LayerContext,
  type OpenShape,
  type WeightSpec,
} from "./layer.ts";
import {
  activationConfig,
  activationRule,
  countRule,
  flagRule,
  layerActivation,
  type LayerName,
  rateRule,
} from "./layer_options.ts";
import { cellNoise } from "./noise.ts";

/** The options that all recurrent layers have, with Keras's defaults. */
export interface RecurrentOptions extends LayerName {
  /** How many cells, side by side. */
  readonly units: number;
  /** φ. Default: `"tanh"`. */
  readonly activation?: ActivationName | Activation;
  /** Whether a bias is added. Default: true. */
  readonly useBias?: boolean;
  /** All hidden states instead of the last one. Default: false. */
  readonly returnSequences?: boolean;
  /**
   * Whether the states after the last step computed are results of their own, after the first: of
   * `applyAll()`, in a model of any shape. Default: false.
   */
  readonly returnState?: boolean;
  /** From the last timestep to the first, the result in that order too. Default: false. */
  readonly goBackwards?: boolean;
  /** Whether each call starts where the one before ended. Default: false. */
  readonly stateful?: boolean;
  /** In training, the share of the inputs that is dropped. Default: 0. */
  readonly dropout?: number;
  /** In training, the share of the hidden state that is dropped before U. Default: 0. */
  readonly recurrentDropout?: number;
  /** Whether a masked step gives zeros instead of the last result again. Default: false. */
  readonly zeroOutputForMask?: boolean;
  /**
   * Whether a mask counts where the first states come in as inputs of their own: Keras 3 passes over
   * it there, Keras 2 and TF.js do not. Default: false.
   */
  readonly maskWithStates?: boolean;
}

/** A recurrent layer's definition. */
export interface RecurrentLayer extends Layer {
  /** The options it was made with, defaults in place. */
  readonly options: Required<RecurrentOptions>;
}

/** The rules of those options. */
export const recurrentRules = {
  units: countRule,
  activation: activationRule,
  useBias: flagRule,
  returnSequences: flagRule,
  returnState: flagRule,
  goBackwards: flagRule,
  stateful: flagRule,
  dropout: rateRule,
  recurrentDropout: rateRule,
  zeroOutputForMask: flagRule,
  maskWithStates: flagRule,
};

/** φ and σ of a layer that has both. */
export function gatedFunctions(
  owner: string,
  { activation, recurrentActivation }: {
    readonly activation: ActivationName | Activation;
    readonly recurrentActivation: ActivationName | Activation;
  },
): CellFunctions {
  return {
    φ: layerActivation(owner, activation),
    σ: layerActivation(owner, recurrentActivation),
  };
}

/** Their defaults. */
export const recurrentDefaults = {
  activation: "tanh",
  useBias: true,
  returnSequences: false,
  returnState: false,
  goBackwards: false,
  stateful: false,
  dropout: 0,
  recurrentDropout: 0,
  zeroOutputForMask: false,
  maskWithStates: false,
  name: undefined,
} as const;

/** What makes one recurrent layer another than the next. */
interface Recurrent<O extends RecurrentOptions> {
  readonly className: string;
  readonly cell: Cell;
  /** What it is called in errors: "an LSTM". */
  readonly owner: string;
  readonly options: Required<O>;
  readonly functions: CellFunctions;
  /** Keras's options that it has alone, `recurrent_activation` among them. */
  readonly config: KerasConfig;
  readonly startBias?: Initializer;
  /** Its arrays for inputs of that size. Default: W, U and b. */
  readonly arrays?: (inputSize: number) => readonly WeightSpec[];
  /** What lib/compute calls its cell, where it knows it. */
  readonly cellName?: CellName;
  /** Makes another one with these options. */
  readonly make: (options: O) => Layer;
}

/** A layer that runs a cell over all timesteps. */
export function recurrentLayer<O extends RecurrentOptions>(
  recurrent: Recurrent<O>,
): Layer & { readonly options: Required<O> } {
  const { className, cell, owner, options, functions, config, cellName, make } = recurrent;
  const shared: Required<RecurrentOptions> = options as Required<RecurrentOptions>;
  const { units, useBias, returnSequences, returnState, goBackwards, stateful } = shared;
  const isKeras = cell.arrays === undefined;
  const blocks = blocksOf(cell);
  const count = cell.states.length;
  const layer: Layer & { readonly options: Required<O> } = defineLayer({
    className,
    name: options.name,
    options: Object.freeze(options),
    config: {
      units,
      ...(isKeras && { activation: activationConfig(functions.φ) }),
      ...config,
      ...(isKeras && { use_bias: useBias }),
      return_sequences: returnSequences,
      return_state: returnState,
      go_backwards: goBackwards,
      stateful,
      ...(isKeras && {
        dropout: options.dropout,
        recurrent_dropout: options.recurrentDropout,
      }),
      zero_output_for_mask: options.zeroOutputForMask,
    },
    cells: [""],
    overTime: goBackwards ? undefined : "states",
    inputCount: [1, 1 + count] as const,
    outputShape: (input: OpenShape, ...states: OpenShape[]) => {
      checkStateShapes(owner, cell, states, units);
      const [timesteps] = checkSequenceShape(owner, className, input);
      return returnSequences ? [timesteps, units] : [units];
    },
    ...(returnState && {
      resultShapes: (input: OpenShape, ...states: OpenShape[]) => [
        layer.outputShape(input, ...states),
        ...cell.states.map(() => [units]),
      ],
    }),
    weights: (input: OpenShape): WeightSpec[] => {
      const [, inputSize] = checkSequenceShape(owner, className, input);
      if (recurrent.arrays !== undefined) return [...recurrent.arrays(inputSize)];
      const width = blocks * units;
      const bias = cell.biases === 2 ? [2, width] : [width];
      return [
        { name: "kernel", shape: [inputSize, width], initialize: glorotUniform },
        { name: "recurrent_kernel", shape: [units, width], initialize: orthogonal },
        ...(useBias ? [{ name: "bias", shape: bias, initialize: recurrent.startBias! }] : []),
      ];
    },
    fast: () => cellName && fastGated(cellName, { cell, functions }, shared),
    ...inPieces(function* <V>(
      o: Ops<V>,
      [x, ...more]: readonly V[],
      weights: readonly V[],
      context: LayerContext<V>,
    ) {
      const [batch, , inputSize] = shapeOf(o, x!) as [number, number, number];
      const { name } = context;
      const before = more.length === count
        ? more.toReversed() // Keras takes h first, which the cell hands on last
        : rememberedStates(o, owner, context, [batch, units]);
      const [W, U, b] = weights as [V, V, V?];
      const [given] = context.masks;
      const hasStates = more.length > 0;
      const mask = hasStates && !options.maskWithStates ? undefined : given;
      const run = {
        x: x!,
        weights: { W, U, b, all: weights },
        functions,
        start: before ?? zeroStates(o, cell, [batch, units]),
        goBackwards,
        mask,
        drop: cellNoise(o, { ...shared, blocks }, [batch, inputSize], context),
        listen: context.listen?.(name),
        anchor: context.anchor?.(name),
      };
      const recurrence = yield* cellWork(o, cell, run);
      context.inside?.({ ...run, cell, weights, name, recurrence, before, returnSequences });

      // Keras's result is in the order of computation.
      const { steps, order, end } = recurrence;
      const counted = mask && hasStates ? countedSoFar(mask, order) : undefined;
      const handedOn = (t: number) => {
        const hiddenState = steps[t]!.after.at(-1);
        const shown = options.zeroOutputForMask ? mask : counted;
        return shown === undefined ? hiddenState! : where(o, shown.select(1, t), hiddenState!);
      };
      const result = returnSequences ? stackSteps(o, order.map(handedOn)) : handedOn(order.at(-1)!);
      return {
        outputs: returnState ? [result, ...end.toReversed()] : [result],
        mask: returnSequences ? given : undefined, // with goBackwards too Keras leaves it as it was
        states: stateful || context.keepsStates ? [end] : undefined,
      };
    }),
  });
  recurrences.set(layer, { cell, make: make as unknown as Made["make"] });
  return layer;
}

interface Made {
  readonly cell: Cell;
  readonly make: (options: RecurrentOptions) => RecurrentLayer;
}

/** Those made here: what takes a recurrent layer takes no other of its class. */
const recurrences = new WeakMap<Layer, Made>();

/** Whether such a layer, or the two in a Bidirectional, heed a mask where states come in. */
export function masksWithStates(layer: Layer): boolean {
  const own = layer.wrapped ?? layer;
  return recurrences.has(own) && (own as RecurrentLayer).options.maskWithStates;
}

/** What a recurrent layer runs, and how another of its kind is made; undefined of any other value. */
export function recurrenceOf(value: unknown): Made | undefined {
  return recurrences.get(value as Layer);
}

/** The cell of a layer that has `cells`, or of the one inside of it. */
export function cellOfLayer(layer: Layer): Cell {
  return recurrences.get(layer)?.cell ?? cellOfLayer(layer.wrapped!);
}

function checkSequenceShape(
  owner: string,
  className: string,
  input: OpenShape,
): [number | null, number] {
  const [timesteps = null, inputSize = null] = input;
  if (input.length !== 2 || inputSize === null) {
    throw new TypeError(
      `Cannot build ${owner}: its input must be [timesteps, inputSize], the inputSize known ` +
        `(returnSequences gives the next ${className} all timesteps), ` +
        `but the input is ${formatOpenShape(input)}, None the batch`,
    );
  }
  return [timesteps, inputSize];
}

/** Besides x, it takes its first states, `[units]` a sample each: in Keras's order. */
function checkStateShapes(
  owner: string,
  { states: own }: Cell,
  states: readonly OpenShape[],
  units: number,
): void {
  const fits = states.length === 0 || states.length === own.length &&
      states.every((shape) => shape.length === 1 && shape[0] === units);
  if (fits) return;
  const symbols: Readonly<Record<string, string>> = { hiddenState: "h", cellState: "c" };
  const wanted = own.map((state) => symbols[state] ?? state).reverse().join(" and ");
  throw new TypeError(
    `Cannot build ${owner}: besides x it takes ` +
      `${wanted}, (None, ${units})${own.length === 1 ? "" : " each"}, but ` +
      (own.length === 1 ? "it is given " : "they are ") +
      states.map(formatOpenShape).join(" and "),
  );
}

/** 1 from the first step on that counts, in the order of computation: before it, results are zeros. */
function countedSoFar(mask: Tensor, order: readonly number[]): Tensor {
  const [batch, timesteps] = mask.shape as [number, number];
  const data = new Float64Array(batch * timesteps);
  for (let n = 0; n < batch; n++) {
    let counts = 0;
    for (const t of order) {
      if (mask.data[n * timesteps + t] !== 0) counts = 1;
      data[n * timesteps + t] = counts;
    }
  }
  return new Tensor(data, mask.shape);
}

/** What a cell starts from where nothing else is said, `[batch, units]` each. */
export function zeroStates<V>(o: Ops<V>, cell: Cell, shape: readonly number[]): readonly V[] {
  const zeros = o.given(new Tensor(new Float64Array(sizeOf(shape)), shape));
  return cell.states.map(() => zeros);
}

/** The states of the call before, where there was one. */
function rememberedStates<V>(
  o: Ops<V>,
  owner: string,
  { states }: LayerContext<V>,
  shape: readonly number[],
): readonly V[] | undefined {
  const [before] = states ?? [];
  if (before === undefined) return undefined;
  const found = shapeOf(o, before[0]!);
  if (sameShape(found, shape)) return before;
  throw new TypeError(
    `Cannot continue a stateful ${
      owner.replace(/^an? /, "")
    }: it holds a state for each sample of ` +
      `its batch, until resetStates(), but its state is ${formatShape(found)} for a batch of ` +
      `${shape[0]}`,
  );
}

/** Keras's names of the options that all recurrent layers have, in every version. */
export const RECURRENT_NAMES = "units activation use_bias kernel_initializer " +
  "recurrent_initializer bias_initializer kernel_regularizer recurrent_regularizer " +
  "bias_regularizer kernel_constraint recurrent_constraint bias_constraint dropout " +
  "recurrent_dropout seed implementation return_sequences return_state go_backwards stateful " +
  "unroll time_major zero_output_for_mask";

/** The options of a configuration; null, as TF.js writes it, is the default. */
export function recurrentOptions(
  config: KerasConfig & { readonly name: string },
  { activation, generation }: KerasReading,
): RecurrentOptions {
  const options = {
    units: config.units,
    activation: activation(given(config.activation, "tanh")),
    useBias: config.use_bias ?? undefined,
    returnSequences: config.return_sequences ?? undefined,
    returnState: config.return_state ?? undefined,
    goBackwards: config.go_backwards ?? undefined,
    stateful: config.stateful ?? undefined,
    dropout: config.dropout ?? undefined,
    recurrentDropout: config.recurrent_dropout ?? undefined,
    zeroOutputForMask: config.zero_output_for_mask ?? undefined,
    maskWithStates: generation === "keras2",
    name: config.name,
  };
  return options as RecurrentOptions; // the layer's function checks each of them
}

/** The recurrent activation of a configuration; throws where it has none and versions differ. */
export function recurrentActivationOf(config: KerasConfig, reading: KerasReading): Activation {
  const { activation, recurrentActivation, version, refuse } = reading;
  if (config.recurrent_activation === undefined && recurrentActivation === undefined) {
    refuse(
      `Keras ${version} has several defaults of recurrent_activation`,
      "the configuration leaves it out",
    );
  }
  return activation(given(config.recurrent_activation, recurrentActivation));
}

/** How Keras's files name what a recurrent layer has. */
export const recurrentFiles: Pick<LayerKind, "only" | "moreInputs" | "paths" | "seeds"> = {
  only: { time_major: false },
  moreInputs: "initial_state",
  paths: (_, count) => numbered("cell/", count),
  seeds: ({ config: { dropout, recurrent_dropout: recurrent } }) =>
    dropout !== 0 || recurrent !== 0 ? ["cell/seed_generator/vars/0"] : [],
};
