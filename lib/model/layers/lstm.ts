import { supportsLstm } from "../../compute/supports.ts";
import type { Activation, ActivationName } from "../../lstm/activations.ts";
import { isBuiltIn } from "../../lstm/built_in.ts";
import type { LstmWeights } from "../../lstm/cell.ts";
import { layerTraceOf, lstmForward, type LstmOptions } from "../../lstm/sequence.ts";
import { lstmBackward } from "../../lstm/sequence_gradient.ts";
import { formatShape } from "../../tensor/shape.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { FastForm } from "../fast/fast_form.ts";
import { fastLstm } from "../fast/fast_lstm.ts";
import { glorotUniform, orthogonal, unitForgetBias, zeros } from "../initializers.ts";
import {
  formatOpenShape,
  type Layer,
  type LayerContext,
  type LayerRun,
  type OpenShape,
  type WeightSpec,
} from "../layer.ts";
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
} from "../layer_options.ts";
import { cellNoise } from "../noise.ts";
import { lastStep, lastStepGradient, reverseTimesteps, zeroMasked } from "../timesteps.ts";

/** The options of an LSTM, with Keras's defaults. */
export interface LstmLayerOptions extends LayerName {
  /** How many cells, side by side. */
  readonly units: number;
  /** φ, of the candidate and of the cell state on its way out: `"tanh"` unless said. */
  readonly activation?: ActivationName | Activation;
  /** σ, of the three gates: `"sigmoid"` unless said. */
  readonly recurrentActivation?: ActivationName | Activation;
  /** Whether a bias is added: true unless said. */
  readonly useBias?: boolean;
  /** Whether the forget gate's bias starts at 1: true unless said. */
  readonly unitForgetBias?: boolean;
  /** All hidden states instead of the last one: false unless said. */
  readonly returnSequences?: boolean;
  /** From the last timestep to the first, the result in that order too: false unless said. */
  readonly goBackwards?: boolean;
  /** Whether each call starts where the one before ended: false unless said. */
  readonly stateful?: boolean;
  /** In training, the share of the inputs that is dropped: 0 unless said. */
  readonly dropout?: number;
  /** In training, the share of the hidden state that is dropped before U: 0 unless said. */
  readonly recurrentDropout?: number;
  /** Whether a masked step gives zeros instead of the last result again: false unless said. */
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
  const { units, useBias, returnSequences, goBackwards, stateful } = chosen;
  const activation = layerActivation("an LSTM", chosen.activation);
  const recurrentActivation = layerActivation("an LSTM", chosen.recurrentActivation);

  const fast = () => {
    if (stateful || !isBuiltIn(activation) || !isBuiltIn(recurrentActivation)) return undefined;
    const pair = supportsLstm(activation, recurrentActivation);
    return pair && { kind: "lstm", units, ...pair, returnSequences, goBackwards } as const;
  };

  const forward = (x: Tensor, arrays: readonly Tensor[], context: LayerContext): LayerRun => {
    const [kernel, recurrentKernel, bias] = arrays as [Tensor, Tensor, Tensor?];
    const weights: LstmWeights = { kernel, recurrentKernel, ...(bias && { bias }) };
    const form = context.compute && fast();
    const run = form &&
      fastLstm({ ...chosen, ...form }, x, arrays, context, { activation, recurrentActivation });
    if (run !== undefined) {
      const { mask } = context;
      const given = { x, weights, options: { activation, recurrentActivation, goBackwards, mask } };
      return { ...run, traces: run.trace && [layerTraceOf(run.trace, given)] };
    }
    const { mask } = context;
    const [batch, timesteps, inputSize] = x.shape as [number, number, number];
    const lstmOptions: LstmOptions = {
      activation,
      recurrentActivation,
      goBackwards,
      mask,
      initialState: initialState(context, [batch, units]),
      listen: context.listeners?.[0],
      ...cellNoise(chosen, [batch, inputSize], context),
    };
    const trace = lstmForward(x, weights, lstmOptions);

    // Keras's result is in the order of computation, the trace in the input's.
    const zeroed = chosen.zeroOutputForMask && mask !== undefined;
    const inInputOrder = zeroed ? zeroMasked(trace.hiddenState, mask) : trace.hiddenState;
    const sequence = goBackwards ? reverseTimesteps(inInputOrder) : inInputOrder;
    const end = goBackwards ? 0 : timesteps - 1;
    return {
      output: returnSequences ? sequence : lastStep(sequence),
      mask: returnSequences ? mask : undefined, // with goBackwards too Keras leaves it as it was
      traces: [trace],
      state: stateful
        ? [{
          cellState: trace.cellState.select(1, end),
          hiddenState: trace.hiddenState.select(1, end),
        }]
        : undefined,
      backward: (gradient) => {
        const bySequence = returnSequences ? gradient : lastStepGradient(gradient, timesteps);
        const byInputOrder = goBackwards ? reverseTimesteps(bySequence) : bySequence;
        const byHiddenState = zeroed ? zeroMasked(byInputOrder, mask) : byInputOrder;
        const g = lstmBackward({ x, weights, trace }, byHiddenState, lstmOptions);
        return {
          input: g.x,
          weights: [g.kernel, g.recurrentKernel, ...(g.bias === undefined ? [] : [g.bias])],
        };
      },
    };
  };

  return Object.freeze({
    className: "LSTM",
    name: chosen.name,
    options: Object.freeze(chosen) as Required<LstmLayerOptions>,
    config: Object.freeze({
      units,
      activation: activationConfig(activation),
      recurrent_activation: activationConfig(recurrentActivation),
      use_bias: useBias,
      unit_forget_bias: chosen.unitForgetBias,
      return_sequences: returnSequences,
      go_backwards: goBackwards,
      stateful,
      dropout: chosen.dropout,
      recurrent_dropout: chosen.recurrentDropout,
      zero_output_for_mask: chosen.zeroOutputForMask,
    }),
    outputShape: (input: OpenShape) => {
      const [timesteps] = checkSequenceShape(input);
      return returnSequences ? [timesteps, units] : [units];
    },
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
    fast: (): FastForm | undefined => fast(),
    forward,
  });
}

function checkSequenceShape(input: OpenShape): [number | null, number] {
  const [timesteps = null, inputSize = null] = input;
  if (input.length !== 2 || inputSize === null) {
    throw new TypeError(
      `Cannot build an LSTM as its input must be [timesteps, inputSize], the inputSize known ` +
        `(returnSequences gives the next LSTM all timesteps): ` +
        `current input is ${formatOpenShape(input)}, None the batch`,
    );
  }
  return [timesteps, inputSize];
}

function initialState({ state }: LayerContext, shape: readonly number[]) {
  const hidden = state?.[0]?.hiddenState;
  if (hidden instanceof Tensor && hidden.shape[0] !== shape[0]) {
    throw new TypeError(
      `Cannot continue a stateful LSTM as it holds a state for each sample of its batch, until ` +
        `resetStates(): current state is ${formatShape(hidden.shape)} for a batch of ${shape[0]}`,
    );
  }
  return state?.[0];
}
