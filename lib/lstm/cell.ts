import { add, dot, multiply } from "../tensor/arithmetic.ts";
import { formatShape, sameShape } from "../tensor/shape.ts";
import { asFloat64, Tensor, type TensorLike } from "../tensor/tensor.ts";
import { type Activation, type ActivationName, lstmActivation } from "./activations.ts";
import { type Gates, gatesOf, splitGates } from "./gates.ts";

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
  /** φ, of the candidate and of the cell state on its way out: `"tanh"` unless said. */
  readonly activation?: ActivationName | Activation;
  /** σ, of the three gates: `"sigmoid"` unless said. */
  readonly recurrentActivation?: ActivationName | Activation;
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
  { activation = "tanh", recurrentActivation = "sigmoid" }: LstmActivations = {},
): LstmStep {
  const input = asFloat64(x);
  if (input.shape.length !== 2) {
    throw new TypeError(
      `Cannot compute an LSTM step as the input must be [batch, inputSize]: ` +
        `current shape is ${formatShape(input.shape)}`,
    );
  }
  const { W, U, b, units } = checkLstmWeights(weights, input.shape[1]!);
  const { c, h } = checkState(state, [input.shape[0]!, units]);
  return step(
    input,
    c,
    h,
    W,
    U,
    b,
    lstmActivation(activation),
    lstmActivation(recurrentActivation),
  );
}

/** The equations. Everything faster in this package is judged against these lines. */
function step(
  x: Tensor, // [batch, inputSize]
  c: Tensor, // [batch, units]
  h: Tensor, // [batch, units]
  W: Tensor, // [inputSize, 4·units]
  U: Tensor, // [units, 4·units]
  b: Tensor, // [4·units], or the scalar 0
  φ: Activation,
  σ: Activation,
): LstmStep {
  const z = splitGates(add(dot(x, W), dot(h, U), b));

  const i = σ(z.input);
  const f = σ(z.forget);
  const o = σ(z.output);
  const c̃ = φ(z.candidate);

  const cNext = add(multiply(f, c), multiply(i, c̃));
  const hNext = multiply(o, φ(cNext));

  return {
    gates: gatesOf({ input: i, forget: f, candidate: c̃, output: o }),
    cellState: cNext,
    hiddenState: hNext,
  };
}

/** The weights in float64, their shapes checked against each other and the input. */
export function checkLstmWeights(
  { kernel, recurrentKernel, bias }: LstmWeights,
  inputSize: number,
): { W: Tensor; U: Tensor; b: Tensor; units: number } {
  const [W, U, b] = [asFloat64(kernel), asFloat64(recurrentKernel), asFloat64(bias ?? 0)];
  const units = U.shape[0] ?? 0;
  const wanted = [
    [inputSize, 4 * units],
    [units, 4 * units],
    bias === undefined ? [] : [4 * units],
  ];
  if (units === 0 || ![W, U, b].every(({ shape }, k) => sameShape(shape, wanted[k]!))) {
    throw new TypeError(
      `Cannot compute an LSTM as the weights of ${units} units on ${inputSize} inputs are ` +
        `[${inputSize}, ${4 * units}], [${units}, ${4 * units}] and [${
          4 * units
        }]: current shapes are ` +
        `kernel ${formatShape(W.shape)}, recurrentKernel ${formatShape(U.shape)}` +
        (bias === undefined ? "" : `, bias ${formatShape(b.shape)}`),
    );
  }
  return { W, U, b, units };
}

/** The state in float64, its shapes checked; zeros where there is none. */
export function checkState(
  state: LstmState | undefined,
  shape: readonly [batch: number, units: number],
): { c: Tensor; h: Tensor } {
  const zeros = new Tensor(new Float64Array(shape[0] * shape[1]), shape);
  if (state === undefined) return { c: zeros, h: zeros };
  const [c, h] = [asFloat64(state.cellState), asFloat64(state.hiddenState)];
  if (!sameShape(c.shape, shape) || !sameShape(h.shape, shape)) {
    throw new TypeError(
      `Cannot continue an LSTM as its state must be [batch, units], ${formatShape(shape)} here: ` +
        `current cellState is ${formatShape(c.shape)}, hiddenState ${formatShape(h.shape)}`,
    );
  }
  return { c, h };
}
