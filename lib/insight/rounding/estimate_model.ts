// A model's run with the error of each value: layer by layer, as each layer's `forward` has it.

import type { Activation } from "../../lstm/activations.ts";
import { isBuiltIn } from "../../lstm/built_in.ts";
import type { LstmState } from "../../lstm/cell.ts";
import type { Layer, LayerState, Mask } from "../../model/layer.ts";
import { activationOf } from "../../model/layer_options.ts";
import type { Network } from "../../model/network.ts";
import { asFloat64, Tensor } from "../../tensor/tensor.ts";
import { nameOf } from "../../trace/places.ts";
import type { Estimate, Floats, Matrix } from "./estimate.ts";
import {
  type EstimatedStep,
  estimateLstm,
  type LstmParts,
  type LstmValue,
} from "./estimate_lstm.ts";
import { UNIT_ROUNDOFF } from "./float32.ts";
import { Tape } from "./tape.ts";

/** One value inside: `[batch, units]` at one timestep of the LSTM that is `trace.layers[lstm]`. */
export interface Site {
  readonly lstm: number;
  readonly value: LstmValue;
  readonly timestep: number;
  /** Which samples' steps count; all where there is none. */
  readonly mask: Floats | undefined;
}

/** An LSTM of the run. */
export interface EstimatedLstm {
  /** As in `trace.names`. */
  readonly name: string;
  readonly parts: LstmParts;
  /** Whether it hands on all hidden states, not the last one alone. */
  readonly returnsSequences: boolean;
  readonly steps: readonly EstimatedStep[];
}

/** An affine map with its activation: what a prediction was computed from. */
export interface EstimatedDense {
  readonly x: Estimate;
  readonly W: Matrix;
  readonly b: Floats | undefined;
  readonly z: Estimate;
  readonly φ: Activation;
}

/** A run of all layers. */
export interface EstimatedRun {
  readonly tape: Tape;
  readonly result: Estimate;
  readonly lstms: readonly EstimatedLstm[];
  /** The dense layer whose output the prediction is; undefined where another layer comes last. */
  readonly dense: EstimatedDense | undefined;
  /** The first activation whose rounding nobody knows, and its layer; undefined where there is none. */
  readonly unknown: UnknownActivation | undefined;
}

/** A function that `getActivation` did not make, in its place. */
export interface UnknownActivation {
  readonly layer: string;
  readonly activationName: string;
}

/** What a stateful layer got from the call before is known to this, relative where above 1. */
const STATE_ERROR = 16 * UNIT_ROUNDOFF;

type Observe = (site: Site, estimate: Estimate) => ArrayLike<number> | undefined;

/** Runs the network as it predicts; it is left as it was. */
export function estimateRun(network: Network, x: Tensor, observe: Observe): EstimatedRun {
  const run = new Run(observe);
  let [output, mask] = [run.tape.given(x), undefined as Mask | undefined];
  for (const [k, placed] of network.layers.entries()) {
    const { layer, firstWeight, weights } = placed;
    const own = network.weights.slice(firstWeight, firstWeight + weights.length);
    run.names = [nameOf(placed, 0), nameOf(placed, 1)];
    run.dense = undefined;
    ({ output, mask } = run.layer(layer, own, output, mask, network.states[k]));
  }
  return {
    tape: run.tape,
    result: output,
    lstms: run.lstms,
    dense: run.dense,
    unknown: run.unknown,
  };
}

interface Step {
  readonly output: Estimate;
  readonly mask: Mask | undefined;
}

class Run {
  readonly tape = new Tape();
  readonly lstms: EstimatedLstm[] = [];
  names: readonly string[] = [];
  dense: EstimatedDense | undefined;
  unknown: UnknownActivation | undefined;
  readonly #observe: Observe;

  constructor(observe: Observe) {
    this.#observe = observe;
  }

  layer(
    { className, config, wrapped, forward }: Pick<
      Layer,
      "className" | "config" | "wrapped" | "forward"
    >,
    weights: readonly Tensor[],
    x: Estimate,
    mask: Mask | undefined,
    state: LayerState | undefined,
  ): Step {
    switch (className) {
      case "Dropout": // nothing is dropped in prediction
        return { output: x, mask };
      case "Activation":
        return { output: this.tape.activation(this.#activation(config.activation, 0), x), mask };
      case "Dense":
        return { output: this.#dense(config, weights, x), mask };
      case "Embedding": {
        const run = forward(new Tensor(x.value, x.shape), weights, { training: false });
        return { output: this.tape.given(run.output), mask: run.mask };
      }
      case "Masking": {
        const { mask } = forward(new Tensor(x.value, x.shape), weights, { training: false });
        const size = x.shape.at(-1)!;
        const place = (k: number) =>
          mask!.data[Math.floor(k / size)] === 0 ? undefined : [0, k] as const;
        return { output: this.tape.moved(x.shape, [x], place), mask };
      }
      case "LSTM":
        return this.#lstm(config, weights, x, mask, state?.[0], 0);
      case "Bidirectional":
        return this.#bidirectional(config, weights, x, mask, state);
      case "TimeDistributed": {
        const [batch, timesteps, ...rest] = x.shape as [number, number, ...number[]];
        const steps = this.tape.reshaped(x, [batch * timesteps, ...rest]);
        const { output } = this.layer(wrapped!, weights, steps, undefined, undefined);
        const shape = [batch, timesteps, ...output.shape.slice(1)];
        return { output: this.tape.reshaped(output, shape), mask };
      }
      default:
        throw new TypeError(
          `Cannot prove as each layer must be one of this package's: current layer is ${className}`,
        );
    }
  }

  #activation(config: unknown, direction: number): Activation {
    const activation = activationOf(config);
    const { activationName } = activation;
    if (!isBuiltIn(activation)) this.unknown ??= { layer: this.names[direction]!, activationName };
    return activation;
  }

  #dense(config: Layer["config"], [kernel, bias]: readonly Tensor[], x: Estimate): Estimate {
    const [W, φ] = [matrixOf(kernel!), this.#activation(config.activation, 0)];
    const b = bias && asFloat64(bias).data;
    const z = this.tape.affine([[x, W]], b);
    this.dense = { x, W, b, z, φ };
    return this.tape.activation(φ, z);
  }

  #lstm(
    config: Layer["config"],
    [kernel, recurrentKernel, bias]: readonly Tensor[],
    x: Estimate,
    mask: Mask | undefined,
    state: LstmState | undefined,
    direction: number,
  ): Step {
    const { tape } = this;
    const parts: LstmParts = {
      W: matrixOf(kernel!),
      U: matrixOf(recurrentKernel!),
      b: bias && asFloat64(bias).data,
      φ: this.#activation(config.activation, direction),
      σ: this.#activation(config.recurrent_activation, direction),
      goBackwards: config.go_backwards === true,
    };
    const [batch, timesteps] = x.shape as [number, number, number];
    const units = parts.U.rows;
    const zeros = new Tensor(new Float64Array(batch * units), [batch, units]);
    const start = {
      c: this.#state(state && asFloat64(state.cellState), zeros),
      h: this.#state(state && asFloat64(state.hiddenState), zeros),
    };
    const lstm = this.lstms.length;
    const name = this.names[direction]!;
    const steps = estimateLstm(
      tape,
      x,
      parts,
      start,
      mask,
      (site, estimate) => this.#observe({ lstm, ...site }, estimate),
    );
    const returnsSequences = config.return_sequences === true;
    this.lstms.push({ name, parts, returnsSequences, steps });

    const hidden = steps.map(({ used }) => used.hiddenState);
    const zeroed = config.zero_output_for_mask === true ? mask?.data : undefined;
    const place = (n: number, t: number, unit: number) =>
      zeroed?.[n * timesteps + t] === 0 ? undefined : [t, n * units + unit] as const;
    const inOrder = (t: number) => parts.goBackwards ? timesteps - 1 - t : t;
    if (!returnsSequences) {
      const t = inOrder(timesteps - 1);
      const last = (k: number) => place(Math.floor(k / units), t, k % units);
      return { output: tape.moved([batch, units], hidden, last), mask: undefined };
    }
    const all = (k: number) => {
      const row = Math.floor(k / units);
      return place(Math.floor(row / timesteps), inOrder(row % timesteps), k % units);
    };
    return { output: tape.moved([batch, timesteps, units], hidden, all), mask };
  }

  #state(given: Tensor | undefined, zeros: Tensor): Estimate {
    return given === undefined ? this.tape.given(zeros) : this.tape.given(given, STATE_ERROR);
  }

  #bidirectional(
    config: Layer["config"],
    weights: readonly Tensor[],
    x: Estimate,
    mask: Mask | undefined,
    state: LayerState | undefined,
  ): Step {
    type Inner = { readonly config: Layer["config"] };
    const [ahead, back] = [config.layer, config.backward_layer] as [Inner, Inner];
    const count = ahead.config.use_bias === true ? 3 : 2;
    const one = this.#lstm(ahead.config, weights.slice(0, count), x, mask, state?.[0], 0);
    const two = this.#lstm(back.config, weights.slice(count), x, mask, state?.[1], 1);
    const reversed = ahead.config.return_sequences === true
      ? reverseSteps(this.tape, two.output)
      : two.output;
    return { output: this.#merged(config.merge_mode, one.output, reversed), mask: one.mask };
  }

  #merged(mode: unknown, a: Estimate, b: Estimate): Estimate {
    if (mode === "sum") return this.tape.sum(a, b);
    if (mode === "ave") return this.tape.sum(a, b, 0.5);
    if (mode === "mul") return this.tape.sumOfProducts([a, b]);
    const [m, n] = [a.shape.at(-1)!, b.shape.at(-1)!];
    return this.tape.moved(a.shape.with(-1, m + n), [a, b], (k) => {
      const [row, column] = [Math.floor(k / (m + n)), k % (m + n)];
      return column < m ? [0, row * m + column] : [1, row * n + column - m];
    });
  }
}

function reverseSteps(tape: Tape, x: Estimate): Estimate {
  const [, timesteps, size] = x.shape as [number, number, number];
  return tape.moved(x.shape, [x], (k) => {
    const [row, column] = [Math.floor(k / size), k % size];
    const [n, t] = [Math.floor(row / timesteps), row % timesteps];
    return [0, (n * timesteps + timesteps - 1 - t) * size + column];
  });
}

function matrixOf(kernel: Tensor): Matrix {
  const [rows, columns] = kernel.shape as [number, number];
  return { data: asFloat64(kernel).data, rows, columns };
}
