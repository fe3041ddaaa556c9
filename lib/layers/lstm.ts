import { LSTM_CELL } from "../cells/lstm.ts";
import { runCell } from "../cells/recurrence.ts";
import { supportsLstm } from "../compute/supports.ts";
import { formatShape, sameShape, sizeOf } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Activation, ActivationName } from "../values/activations.ts";
import { shapeOf, stackSteps, where } from "../values/arrange.ts";
import { isBuiltIn } from "../values/built_in.ts";
import type { Ops } from "../values/ops.ts";
import type { FastForm } from "./fast_form.ts";
import { glorotUniform, orthogonal, unitForgetBias, zeros } from "./initializers.ts";
import {
  defineLayer,
  formatOpenShape,
  type Layer,
  type LayerContext,
  type OpenShape,
  type WeightSpec,
} from "./layer.ts";
import {
  activationConfig,
  activationRule,
  checkOptions,
  countRule,
  definedOptions,
  flagRule,
  layerActivation,
  type LayerName,
  rateRule,
} from "./layer_options.ts";
import { cellNoise } from "./noise.ts";
import { given, type LayerKind, names, numbered } from "./kind.ts";

/** The options of an LSTM, with Keras's defaults. */
export interface LstmLayerOptions extends LayerName {
  /** How many cells, side by side. */
  readonly units: number;
  /** φ, of the candidate and of the cell state on its way out. Default: `"tanh"`. */
  readonly activation?: ActivationName | Activation;
  /** σ, of the three gates. Default: `"sigmoid"`. */
  readonly recurrentActivation?: ActivationName | Activation;
  /** Whether a bias is added. Default: true. */
  readonly useBias?: boolean;
  /** Whether the forget gate's bias starts at 1. Default: true. */
  readonly unitForgetBias?: boolean;
  /** All hidden states instead of the last one. Default: false. */
  readonly returnSequences?: boolean;
  /**
   * Whether h and c after the last step computed are results of their own, after the first: of
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
}

/** An LSTM's definition. */
export interface LstmLayer extends Layer {
  /** The options it was made with, defaults in place. */
  readonly options: Required<LstmLayerOptions>;
}

const rules = {
  units: countRule,
  activation: activationRule,
  recurrentActivation: activationRule,
  useBias: flagRule,
  unitForgetBias: flagRule,
  returnSequences: flagRule,
  returnState: flagRule,
  goBackwards: flagRule,
  stateful: flagRule,
  dropout: rateRule,
  recurrentDropout: rateRule,
  zeroOutputForMask: flagRule,
};

const defaults = {
  activation: "tanh",
  recurrentActivation: "sigmoid",
  useBias: true,
  unitForgetBias: true,
  returnSequences: false,
  returnState: false,
  goBackwards: false,
  stateful: false,
  dropout: 0,
  recurrentDropout: 0,
  zeroOutputForMask: false,
  name: undefined,
} as const;

/**
 * An LSTM layer: `[timesteps, inputSize]` becomes `[units]`, or `[timesteps, units]` with
 * `returnSequences`. Source: keras/src/layers/rnn/lstm.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { dense, lstm, sequential } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const model = sequential([
 *   lstm({ units: 8, returnSequences: true }),
 *   lstm({ units: 4, activation: "relu" }),
 *   dense({ units: 1 }),
 * ], { inputShape: [null, 2] });
 * assertEquals(model.layers.map(({ name }) => name), ["lstm", "lstm_1", "dense"]);
 * ```
 */
export function lstm(options: LstmLayerOptions): LstmLayer {
  const chosen = { ...defaults, ...definedOptions("an LSTM", options) };
  checkOptions("an LSTM", chosen, rules);
  const { units, useBias, returnSequences, returnState, goBackwards, stateful } = chosen;
  const activation = layerActivation("an LSTM", chosen.activation);
  const recurrentActivation = layerActivation("an LSTM", chosen.recurrentActivation);

  const functions = { φ: activation, σ: recurrentActivation };
  const layer: LstmLayer = defineLayer({
    className: "LSTM",
    name: chosen.name,
    options: Object.freeze(chosen) as Required<LstmLayerOptions>,
    config: {
      units,
      activation: activationConfig(activation),
      recurrent_activation: activationConfig(recurrentActivation),
      use_bias: useBias,
      unit_forget_bias: chosen.unitForgetBias,
      return_sequences: returnSequences,
      return_state: returnState,
      go_backwards: goBackwards,
      stateful,
      dropout: chosen.dropout,
      recurrent_dropout: chosen.recurrentDropout,
      zero_output_for_mask: chosen.zeroOutputForMask,
    },
    cells: [""],
    inputCount: [1, 3] as const,
    outputShape: (input: OpenShape, ...states: OpenShape[]) => {
      checkStateShapes(states, units);
      const [timesteps] = checkSequenceShape(input);
      return returnSequences ? [timesteps, units] : [units];
    },
    ...(returnState && {
      resultShapes: (input: OpenShape, ...states: OpenShape[]) => [
        layer.outputShape(input, ...states),
        [units],
        [units],
      ],
    }),
    weights: (input: OpenShape): WeightSpec[] => {
      const [, inputSize] = checkSequenceShape(input);
      return [
        { name: "kernel", shape: [inputSize, 4 * units], initialize: glorotUniform },
        { name: "recurrent_kernel", shape: [units, 4 * units], initialize: orthogonal },
        ...(useBias
          ? [{
            name: "bias",
            shape: [4 * units],
            initialize: chosen.unitForgetBias ? unitForgetBias : zeros,
          }]
          : []),
      ];
    },
    fast: (): FastForm | undefined => {
      if (stateful || returnState || !isBuiltIn(activation) || !isBuiltIn(recurrentActivation)) {
        return undefined;
      }
      const { dropout, recurrentDropout, zeroOutputForMask } = chosen;
      const pair = supportsLstm(activation, recurrentActivation);
      const form = { units, returnSequences, goBackwards, functions };
      return pair &&
        { kind: "lstm", ...form, ...pair, dropout, recurrentDropout, zeroOutputForMask };
    },
    run<V>(o: Ops<V>, [x, h, c]: readonly V[], weights: readonly V[], context: LayerContext<V>) {
      const [batch, , inputSize] = shapeOf(o, x!) as [number, number, number];
      const { name } = context;
      const before = h !== undefined && c !== undefined
        ? [c, h]
        : rememberedStates(o, context, [batch, units]);
      const [W, U, b] = weights as [V, V, V?];
      const [mask] = context.masks;
      const run = {
        x: x!,
        weights: { W, U, b },
        functions,
        start: before ?? zeroStates(o, [batch, units]),
        goBackwards,
        mask,
        drop: cellNoise(o, chosen, [batch, inputSize], context),
        listen: context.listen?.(name),
        anchor: context.anchor?.(name),
      };
      const recurrence = runCell(o, LSTM_CELL, run);
      context.inside?.({ ...run, weights, name, recurrence, before, returnSequences });

      // Keras's result is in the order of computation.
      const { steps, order, end } = recurrence;
      const handedOn = (t: number) => {
        const { hiddenState } = steps[t]!.values;
        const zeroed = chosen.zeroOutputForMask && mask !== undefined;
        return zeroed ? where(o, mask.select(1, t), hiddenState!) : hiddenState!;
      };
      const result = returnSequences ? stackSteps(o, order.map(handedOn)) : handedOn(order.at(-1)!);
      return {
        outputs: returnState ? [result, ...end.toReversed()] : [result],
        mask: returnSequences ? mask : undefined, // with goBackwards too Keras leaves it as it was
        states: stateful ? [end] : undefined,
      };
    },
  });
  lstmLayers.add(layer);
  return layer;
}

/** Those that `lstm()` made: what takes an LSTM takes no other layer of that class. */
export const lstmLayers: WeakSet<Layer> = new WeakSet<Layer>();

function checkSequenceShape(input: OpenShape): [number | null, number] {
  const [timesteps = null, inputSize = null] = input;
  if (input.length !== 2 || inputSize === null) {
    throw new TypeError(
      `Cannot build an LSTM: its input must be [timesteps, inputSize], the inputSize known ` +
        `(returnSequences gives the next LSTM all timesteps), ` +
        `but the input is ${formatOpenShape(input)}, None the batch`,
    );
  }
  return [timesteps, inputSize];
}

/** Besides x, an LSTM takes its first h and c, `[units]` a sample each: in Keras's order. */
function checkStateShapes(states: readonly OpenShape[], units: number): void {
  const fits = states.length === 0 ||
    states.length === 2 && states.every((shape) => shape.length === 1 && shape[0] === units);
  if (fits) return;
  throw new TypeError(
    `Cannot build an LSTM: besides x it takes h and c, (None, ${units}) each, ` +
      `but they are ${states.map(formatOpenShape).join(" and ")}`,
  );
}

function zeroStates<V>(o: Ops<V>, shape: readonly number[]): readonly V[] {
  const zeros = o.given(new Tensor(new Float64Array(sizeOf(shape)), shape));
  return LSTM_CELL.states.map(() => zeros);
}

/** c and h of the call before, where there was one. */
function rememberedStates<V>(
  o: Ops<V>,
  { states }: LayerContext<V>,
  shape: readonly number[],
): readonly V[] | undefined {
  const [before] = states ?? [];
  if (before === undefined) return undefined;
  const found = shapeOf(o, before[0]!);
  if (sameShape(found, shape)) return before;
  throw new TypeError(
    `Cannot continue a stateful LSTM: it holds a state for each sample of its batch, until ` +
      `resetStates(), but its state is ${formatShape(found)} for a batch of ${shape[0]}`,
  );
}

/** Keras's LSTM. */
export const LSTM: LayerKind = {
  className: "LSTM",
  options: names(
    "units activation recurrent_activation use_bias kernel_initializer recurrent_initializer " +
      "bias_initializer unit_forget_bias kernel_regularizer recurrent_regularizer bias_regularizer " +
      "kernel_constraint recurrent_constraint bias_constraint dropout recurrent_dropout seed " +
      "implementation return_sequences return_state go_backwards stateful unroll time_major " +
      "zero_output_for_mask",
  ),
  only: { time_major: false },
  read: (config, reading) => {
    const { activation, recurrentActivation, version, refuse } = reading;
    if (config.recurrent_activation === undefined && recurrentActivation === undefined) {
      refuse(
        `Keras ${version} has several defaults of recurrent_activation`,
        "the configuration leaves it out",
      );
    }
    const options = { // null, as TF.js writes it, is the default
      units: config.units,
      activation: activation(given(config.activation, "tanh")),
      recurrentActivation: activation(given(config.recurrent_activation, recurrentActivation)),
      useBias: config.use_bias ?? undefined,
      unitForgetBias: config.unit_forget_bias ?? undefined,
      returnSequences: config.return_sequences ?? undefined,
      returnState: config.return_state ?? undefined,
      goBackwards: config.go_backwards ?? undefined,
      stateful: config.stateful ?? undefined,
      dropout: config.dropout ?? undefined,
      recurrentDropout: config.recurrent_dropout ?? undefined,
      zeroOutputForMask: config.zero_output_for_mask ?? undefined,
      name: config.name,
    };
    return lstm(options as Parameters<typeof lstm>[0]); // which checks each of them
  },
  paths: (_, count) => numbered("cell/", count),
  seeds: ({ config: { dropout, recurrent_dropout: recurrent } }) =>
    dropout !== 0 || recurrent !== 0 ? ["cell/seed_generator/vars/0"] : [],
};
