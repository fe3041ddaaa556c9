import { checkOptions, checkParts, type KeysOf } from "../base/options.ts";
import { formatShape, sameShape } from "../tensor/shape.ts";
import { asFloat64, type Tensor, type TensorLike } from "../tensor/tensor.ts";
import { Gradients, type Variable } from "../values/gradients.ts";
import { type CheckedCell, LSTM_CELL, type LstmWeights } from "./lstm.ts";
import { checkSequence, type LayerTrace, LSTM_OPTIONS, type LstmOptions } from "./lstm_forward.ts";
import { type Recurrence, type RecurrenceInput, runCell } from "./recurrence.ts";

/** What {@linkcode lstmForward} was given, and what it gave. */
export interface LstmRun {
  /** `[batch, timesteps, inputSize]` */
  readonly x: TensorLike;
  /** Keras's kernel, recurrent kernel and bias. */
  readonly weights: LstmWeights;
  /** What `lstmForward(x, weights, options)` returned. */
  readonly trace: LayerTrace;
}

const RUN: KeysOf<LstmRun> = { x: "required", weights: "required", trace: "required" };

/** The gradients of the loss with respect to what went into an LSTM. */
export interface LstmGradients {
  /** `[batch, timesteps, inputSize]` */
  readonly x: Tensor;
  /** `[inputSize, 4·units]`; `splitGates` tells the gates' parts. */
  readonly kernel: Tensor;
  /** `[units, 4·units]` */
  readonly recurrentKernel: Tensor;
  /** `[4·units]`; there where the weights have a bias. */
  readonly bias?: Tensor;
  /** `[batch, units]` each */
  readonly initialState: { readonly cellState: Tensor; readonly hiddenState: Tensor };
}

/**
 * Backpropagation through time: the gradients of the loss with respect to an LSTM's input and
 * weights, in float64, from its gradient with respect to every hidden state.
 *
 * From the step computed last to the first, with dh' and dc' the gradients with respect to what a
 * step gave:
 *
 * ```txt
 * dh'  = ∂loss/∂h' + dh of the step after
 * dc'  = dc of the step after + φ'(c') ⊙ (dh' ⊙ o)
 * dz_i = σ'(z_i) ⊙ dc' ⊙ c̃      dz_f = σ'(z_f) ⊙ dc' ⊙ c
 * dz_c = φ'(z_c) ⊙ dc' ⊙ i       dz_o = σ'(z_o) ⊙ dh' ⊙ φ(c')
 * dx   = dz·Wᵀ    dh = dz·Uᵀ    dc = dc' ⊙ f
 * dW   = Σ xᵀ·dz  dU = Σ hᵀ·dz  db = Σ dz          over the steps, and the samples
 * ```
 *
 * At a masked step, a sample's dh' and dc' pass on as dh and dc. Source: Werbos 1990,
 * "Backpropagation through time", on the equations of {@linkcode lstmCell}.
 *
 * @param run input and weights of the forward run, and its trace
 * @param gradient of the loss with respect to `trace.hiddenState`, `[batch, timesteps, units]`;
 * zeros where a step's hidden state is used by the next step alone
 * @param options the same as in the forward run
 * @throws {TypeError} where a shape does not fit the others, or a listener may have changed the run.
 *
 * @example
 * ```ts
 * import { lstmBackward, lstmForward } from "@gatescope/lstm";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const x = [[[0.5], [-1]]];
 * const weights = { kernel: [[1, 2, 3, 4]], recurrentKernel: [[0.5, 0.6, 0.7, 0.8]] };
 * const trace = lstmForward(x, weights);
 * const { kernel } = lstmBackward({ x, weights, trace }, [[[0], [1]]]); // loss = last h
 *
 * const moved = lstmForward(x, { ...weights, kernel: [[1 + 1e-6, 2, 3, 4]] });
 * const slope = (moved.hiddenState.item(0, 1, 0) - trace.hiddenState.item(0, 1, 0)) / 1e-6;
 * assertAlmostEquals(kernel.item(0, 0), slope, 1e-6);
 * ```
 */
export function lstmBackward(
  run: LstmRun,
  gradient: TensorLike,
  options: LstmOptions = {},
): LstmGradients {
  checkParts("go backward through an LSTM", "the run", run, RUN);
  checkOptions("go backward through an LSTM", options, LSTM_OPTIONS);
  const { x, weights, trace } = run;
  if (options.listen !== undefined) {
    throw new TypeError(
      "Cannot go backward through an LSTM: what a listener put there has no known slope, " +
        "but listen was given",
    );
  }
  const input = checkSequence(x, weights, options);
  checkSameRun(trace, options);
  const tape = new Gradients();
  const { x: sequence, weights: { W, U, b }, start, steps } = runOnTape(tape, input);
  const dh = checkGradient(gradient, trace);
  tape.backward(steps.map(({ values }, t) => [values.hiddenState!, dh.select(1, t)]));
  const [cellState, hiddenState] = start.map((state) => tape.gradientOf(state));
  return {
    x: tape.gradientOf(sequence),
    kernel: tape.gradientOf(W),
    recurrentKernel: tape.gradientOf(U),
    ...(b && { bias: tape.gradientOf(b) }),
    initialState: { cellState: cellState!, hiddenState: hiddenState! },
  };
}

/** A checked run over again on a tape: all that it was given are values whose gradients are wanted. */
function runOnTape(
  tape: Gradients,
  { x, weights: { W, U, b }, drop = {}, start, functions, mask, goBackwards }:
    & CheckedCell
    & RecurrenceInput<Tensor>,
): RecurrenceInput<Variable> & Recurrence<Variable> {
  const constants = (factors: readonly Tensor[] | undefined) => factors?.map((f) => tape.given(f));
  const input = {
    x: tape.leaf(x),
    weights: { W: tape.leaf(W), U: tape.leaf(U), b: b && tape.leaf(b) },
    drop: { x: constants(drop.x), h: constants(drop.h) },
    start: start.map((state) => tape.leaf(state)),
    functions,
    mask,
    goBackwards,
  };
  return { ...input, ...runCell(tape, LSTM_CELL, input) };
}

/** What the trace says of its direction and mask is what the options say. */
function checkSameRun({ source }: LayerTrace, { goBackwards = false, mask }: LstmOptions): void {
  if (source === undefined) return; // put together elsewhere
  const told = { backward: source.direction === "backward", masked: source.mask !== undefined };
  if (told.backward === goBackwards && told.masked === (mask !== undefined)) return;
  throw new TypeError(
    `Cannot go backward through an LSTM: the options must be those of the forward run, but it went ` +
      `${source.direction} ${told.masked ? "with" : "without"} a mask, and they say ` +
      `${goBackwards ? "backward" : "forward"} ${mask === undefined ? "without" : "with"} one`,
  );
}

function checkGradient(gradient: TensorLike, { hiddenState }: LayerTrace): Tensor {
  const given = asFloat64(gradient);
  if (!sameShape(given.shape, hiddenState.shape)) {
    throw new TypeError(
      `Cannot go backward through an LSTM: the gradient must have the hidden states' shape ` +
        `${formatShape(hiddenState.shape)}, but its shape is ${formatShape(given.shape)}`,
    );
  }
  return given;
}
