import { checkOptions, checkParts, type KeysOf } from "../base/options.ts";
import { formatShape, sameShape } from "../tensor/shape.ts";
import { asFloat64, Tensor, type TensorLike } from "../tensor/tensor.ts";
import { type Activation, type ActivationName, lstmActivation } from "../values/activations.ts";
import { numbers } from "../values/numbers.ts";
import {
  type Cell,
  type CellDropout,
  type CellFunctions,
  type CellWeights,
  preActivations,
} from "./cell.ts";
import { gateOrders, GATES, type Gates, gatesOf } from "./gates.ts";
import { type SiteName, siteNames } from "./sites.ts";

/** An LSTM's arrays, in Keras's layout: the gates i, f, c̃, o side by side. */
export interface LstmWeights {
  /** W `[inputSize, 4·units]` */
  readonly kernel: TensorLike;
  /** U `[units, 4·units]` */
  readonly recurrentKernel: TensorLike;
  /** b `[4·units]`; without it, no bias is added. */
  readonly bias?: TensorLike;
}

/** The two activations of an LSTM, by Keras's name or made by `getActivation`. */
export interface LstmActivations {
  /** φ, of the candidate and of the cell state on its way out. Default: `"tanh"`. */
  readonly activation?: ActivationName | Activation;
  /** σ, of the three gates. Default: `"sigmoid"`. */
  readonly recurrentActivation?: ActivationName | Activation;
}

/**
 * Dropout inside the cell, as factors: 0 where a value is dropped, 1/(1 − rate) where it stays. Each
 * gate may drop its own.
 */
export interface LstmDropout {
  /** Of x before W, `[batch, inputSize]` each. */
  readonly inputDropout?: Gates | undefined;
  /** Of h before U, `[batch, units]` each. */
  readonly recurrentDropout?: Gates | undefined;
}

/** What one step hands to the next. */
export interface LstmState {
  /** c `[batch, units]` */
  readonly cellState: TensorLike;
  /** h `[batch, units]` */
  readonly hiddenState: TensorLike;
}

/** One step of an LSTM: everything it computed, `[batch, units]` each. */
export interface LstmStep {
  /** After their activations. */
  readonly gates: Gates;
  /** c', for the next step. */
  readonly cellState: Tensor;
  /** h', the output and for the next step. */
  readonly hiddenState: Tensor;
}

export const LSTM_WEIGHTS: KeysOf<LstmWeights> = {
  kernel: "required",
  recurrentKernel: "required",
  bias: "optional",
};
/** A step is the next one's state, with the gates that it has besides. */
export const LSTM_STATE: KeysOf<LstmState & Partial<Pick<LstmStep, "gates">>> = {
  cellState: "required",
  hiddenState: "required",
  gates: "optional",
};
export const CELL_OPTIONS: KeysOf<LstmActivations & LstmDropout> = {
  activation: "optional",
  recurrentActivation: "optional",
  inputDropout: "optional",
  recurrentDropout: "optional",
};

/**
 * One step of an LSTM, in float64:
 *
 * ```txt
 * z  = x·W + h·U + b                split in z_i, z_f, z_c, z_o
 * i  = σ(z_i)    f = σ(z_f)    o = σ(z_o)
 * c̃  = φ(z_c)
 * c' = f ⊙ c + i ⊙ c̃
 * h' = o ⊙ φ(c')
 * ```
 *
 * Source: Hochreiter and Schmidhuber 1997 with the forget gate of Gers et al. 2000, in the form of
 * keras/src/layers/rnn/lstm.py (Keras 3.15.1).
 *
 * @param x `[batch, inputSize]`, the input of this step
 * @param state of the step before; undefined is zeros. A result is the next call's state.
 * @throws {TypeError} where a shape does not fit the others; the message names both.
 *
 * @example
 * ```ts
 * import { lstmCell } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const weights = { kernel: [[1, 2, 3, 4]], recurrentKernel: [[5, 6, 7, 8]] }; // 1 unit, no bias
 * const remembered = { cellState: [[1]], hiddenState: [[0]] };
 * const { gates, cellState, hiddenState } = lstmCell([[0]], remembered, weights);
 * assertEquals(gates.forget.item(0, 0), 0.5); // σ(0): half of what was remembered stays
 * assertEquals(cellState.item(0, 0), 0.5);
 * assertEquals(hiddenState.item(0, 0), 0.5 * Math.tanh(0.5));
 * ```
 */
export function lstmCell(
  x: TensorLike,
  state: LstmState | undefined,
  weights: LstmWeights,
  options: LstmActivations & LstmDropout = {},
): LstmStep {
  checkOptions("compute an LSTM step", options, CELL_OPTIONS);
  const input = asFloat64(x);
  if (input.shape.length !== 2) {
    throw new TypeError(
      `Cannot compute an LSTM step: the input must be [batch, inputSize], ` +
        `but the shape is ${formatShape(input.shape)}`,
    );
  }
  const { units, weights: arrays, functions, drop } = cellOf(weights, options, input.shape);
  const values: Record<string, Tensor> = {};
  const at = (site: string, value: Tensor) => values[site] = value;
  const before = checkState(state, [input.shape[0]!, units]);
  LSTM_CELL.step(numbers, input, before, { ...arrays, ...functions, drop, at });
  return lstmStepOf((site) => values[site]!);
}

/** All values of an LSTM by their names, from each site's. */
export function lstmStepOf(valueOf: (site: SiteName) => Tensor): LstmStep {
  return {
    gates: gatesOf({
      input: valueOf("gates.input"),
      forget: valueOf("gates.forget"),
      candidate: valueOf("gates.candidate"),
      output: valueOf("gates.output"),
    }),
    cellState: valueOf("cellState"),
    hiddenState: valueOf("hiddenState"),
  };
}

/**
 * The equations. Everything faster in this package is judged against these lines. Each value passes
 * its named site before it is used, and may be looked at or changed there.
 */
export const LSTM_CELL: Cell = {
  kind: "LSTM",
  gates: gateOrders.keras,
  states: ["cellState", "hiddenState"],
  sites: siteNames,
  biases: 1,
  functions: ["φ", "σ"],
  step(o, x, [c, h], cell) {
    const { φ, σ, at } = cell;
    const [z_i, z_f, z_c, z_o] = preActivations(o, x, h!, cell, 4);

    const i = at("gates.input", o.apply(σ, z_i!));
    const f = at("gates.forget", o.apply(σ, z_f!));
    const out = at("gates.output", o.apply(σ, z_o!));
    const c̃ = at("gates.candidate", o.apply(φ, z_c!));

    const cNext = at("cellState", o.sumOfProducts([f, c!], [i, c̃]));
    const hNext = at("hiddenState", o.sumOfProducts([out, o.apply(φ, cNext)]));
    return [cNext, hNext];
  },
};

/** What can be looked at inside of an LSTM: a site. */
export type LstmValue = SiteName;

/** All of them, the gates as Keras's arrays have them. */
export const lstmValues: readonly LstmValue[] = [
  ...LSTM_CELL.gates.map((gate) => `gates.${gate}` as LstmValue),
  ...LSTM_CELL.states as LstmValue[],
];

/** A cell's weights and functions, checked once for all steps. */
export interface CheckedCell {
  readonly weights: CellWeights<Tensor>;
  readonly functions: CellFunctions;
  readonly drop: CellDropout<Tensor>;
  readonly units: number;
}

/** A cell for an input of this shape, `[batch, inputSize]`; throws where weights do not fit it. */
export function cellOf(
  weights: LstmWeights,
  { activation = "tanh", recurrentActivation = "sigmoid", inputDropout, recurrentDropout }:
    & LstmActivations
    & LstmDropout,
  [batch, inputSize]: readonly number[],
): CheckedCell {
  const { W, U, b, units } = checkLstmWeights(weights, inputSize!);
  return {
    weights: { W, U, b },
    units,
    functions: { φ: lstmActivation(activation), σ: lstmActivation(recurrentActivation) },
    drop: {
      x: checkDropout("inputDropout", inputDropout, [batch!, inputSize!]),
      h: checkDropout("recurrentDropout", recurrentDropout, [batch!, units]),
    },
  };
}

/** The weights in float64, their shapes checked against each other and the input. */
export function checkLstmWeights(
  weights: LstmWeights,
  inputSize: number,
): CellWeights<Tensor> & { readonly units: number } {
  checkParts("compute an LSTM", "the weights", weights, LSTM_WEIGHTS);
  const { kernel, recurrentKernel, bias } = weights;
  const [W, U] = [asFloat64(kernel), asFloat64(recurrentKernel)];
  const b = bias === undefined ? undefined : asFloat64(bias);
  const units = U.shape[0] ?? 0;
  const wanted = [[inputSize, 4 * units], [units, 4 * units], [4 * units]];
  if (units === 0 || ![W, U, b].every((x, k) => !x || sameShape(x.shape, wanted[k]!))) {
    throw new TypeError(
      `Cannot compute an LSTM: the weights of ${units} units on ${inputSize} inputs are ` +
        `[${inputSize}, ${4 * units}], [${units}, ${4 * units}] and [${
          4 * units
        }], but the shapes are ` +
        `kernel ${formatShape(W.shape)}, recurrentKernel ${formatShape(U.shape)}` +
        (b === undefined ? "" : `, bias ${formatShape(b.shape)}`),
    );
  }
  return { W, U, b, units };
}

/** The state in float64, its shapes checked; zeros where there is none. */
export function checkState(
  state: LstmState | undefined,
  shape: readonly [batch: number, units: number],
): [c: Tensor, h: Tensor] {
  const zeros = new Tensor(new Float64Array(shape[0] * shape[1]), shape);
  if (state === undefined) return [zeros, zeros];
  checkParts("continue an LSTM", "its state", state, LSTM_STATE);
  const [c, h] = [asFloat64(state.cellState), asFloat64(state.hiddenState)];
  if (!sameShape(c.shape, shape) || !sameShape(h.shape, shape)) {
    throw new TypeError(
      `Cannot continue an LSTM: its state must be [batch, units], ${formatShape(shape)} here, ` +
        `but cellState is ${formatShape(c.shape)}, hiddenState ${formatShape(h.shape)}`,
    );
  }
  return [c, h];
}

/** A dropout's factors in the order of the fused blocks. */
function checkDropout(
  name: keyof LstmDropout,
  dropout: Gates | undefined,
  shape: readonly number[],
): Tensor[] | undefined {
  if (dropout === undefined) return undefined;
  checkParts("compute an LSTM", `the gates of ${name}`, dropout, GATES);
  for (const gate of gateOrders.keras) {
    if (!sameShape(dropout[gate].shape, shape)) {
      throw new TypeError(
        `Cannot compute an LSTM: ${name} must be ${formatShape(shape)} for each gate, ` +
          `but the shape of ${gate} is ${formatShape(dropout[gate].shape)}`,
      );
    }
  }
  return gateOrders.keras.map((gate) => asFloat64(dropout[gate]));
}
