import { checkOptions, checkParts, type KeysOf } from "../base/options.ts";
import { add } from "../tensor/arithmetic.ts";
import { formatShape, sameShape } from "../tensor/shape.ts";
import { asFloat64, Tensor, type TensorLike } from "../tensor/tensor.ts";
import { type CellState, type LstmWeights, preActivations } from "./cell.ts";
import { throughCell } from "./cell_gradient.ts";
import type { Gates } from "./gates.ts";
import { byGate, productGradientByInput, productGradientByKernel, sumRows } from "./product.ts";
import {
  checkSequence,
  chooseRows,
  type LayerTrace,
  LSTM_OPTIONS,
  type LstmOptions,
  stackTimesteps,
} from "./sequence.ts";

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

/** The gradients of the loss by what went into an LSTM. */
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
 * Backpropagation through time: the gradients of the loss by an LSTM's input and weights, in
 * float64, from its gradient by every hidden state.
 *
 * From the step computed last to the first, with dh' and dc' the gradients by what a step gave:
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
 * @param gradient of the loss by `trace.hiddenState`, `[batch, timesteps, units]`; zeros where a
 * step's hidden state is used by the next step alone
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
  const { sequence, cell, start, mask, order } = checkSequence(x, weights, options);
  checkSameRun(trace, options);
  const dOutputs = checkGradient(gradient, trace);
  const { W, U, dropX, dropH } = cell;
  const [transposedW, transposedU] = [W.transpose(), U.transpose()]; // once, not at each step
  const zeros = new Tensor(new Float64Array(start.c.data.length), start.c.shape);
  let [dh, dc] = [zeros, zeros];
  const [hs, dzs]: [Tensor[], Tensor[]] = [[], []]; // of every timestep: h before it, and dz
  for (const [k, t] of [...order.entries()].reverse()) {
    const { c, h } = k === 0 ? start : stateAt(trace, order[k - 1]!);
    dh = add(dh, dOutputs.select(1, t));
    const m = mask?.select(1, t);
    const next = m === undefined
      ? { dh, dc }
      : { dh: chooseRows(m, dh, zeros), dc: chooseRows(m, dc, zeros) };
    const through = throughCell(preActivations(sequence.select(1, t), h, cell), c, next, cell);
    const before = {
      dh: productGradientByInput(through.dz, transposedU, dropH),
      dc: through.dc,
    };
    dh = m === undefined ? before.dh : chooseRows(m, before.dh, dh);
    dc = m === undefined ? before.dc : chooseRows(m, before.dc, dc);
    [hs[t], dzs[t]] = [h, through.dz];
  }

  // what is a sum over the steps, over all of them at once: [batch, timesteps, …]
  const [h, dz] = [stackTimesteps(hs), stackTimesteps(dzs)];
  const [dropXs, dropHs] = [atEachStep(dropX, order.length), atEachStep(dropH, order.length)];
  return {
    x: productGradientByInput(dz, transposedW, dropXs),
    kernel: productGradientByKernel(dz, sequence, dropXs),
    recurrentKernel: productGradientByKernel(dz, h, dropHs),
    ...(weights.bias === undefined ? {} : { bias: sumRows(dz) }),
    initialState: { cellState: dc, hiddenState: dh },
  };
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

/** The factors of a dropout, `[batch, n]`, are the same at each step. */
function atEachStep(drop: Gates | undefined, timesteps: number): Gates | undefined {
  return drop && byGate((k) => stackTimesteps(new Array(timesteps).fill(drop[k])));
}

function stateAt({ cellState, hiddenState }: LayerTrace, t: number): CellState {
  return { c: cellState.select(1, t), h: hiddenState.select(1, t) };
}

function checkGradient(gradient: TensorLike, { hiddenState }: LayerTrace): Tensor {
  const given = asFloat64(gradient);
  if (!sameShape(given.shape, hiddenState.shape)) {
    throw new TypeError(
      `Cannot go backward through an LSTM as the gradient must have the hidden states' shape ` +
        `${formatShape(hiddenState.shape)}: current shape is ${formatShape(given.shape)}`,
    );
  }
  return given;
}
