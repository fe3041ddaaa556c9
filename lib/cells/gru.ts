import { checkOptions, type KeysOf } from "../base/options.ts";
import type { Tensor, TensorLike } from "../tensor/tensor.ts";
import type { Activation, ActivationName } from "../values/activations.ts";
import { shapeOf } from "../values/arrange.ts";
import type { Ops } from "../values/ops.ts";
import { type Cell, type CellStep, dropped, projections } from "./cell.ts";
import { type CellRunOptions, cellStep, cellTrace, RUN_OPTIONS } from "./cell_run.ts";
import { type GruGates, gruGatesOf, gruOrders } from "./gru_gates.ts";
import type { CellWeightsLike } from "./cell_run.ts";
import type { TraceSource } from "./traced_run.ts";

/** A GRU's arrays, in Keras's layout: the gates z, r, h̃ side by side. */
export interface GruWeights extends CellWeightsLike {
  /** W `[inputSize, 3·units]` */
  readonly kernel: TensorLike;
  /** U `[units, 3·units]` */
  readonly recurrentKernel: TensorLike;
  /**
   * b `[2, 3·units]`, the input's and the recurrent one; `[3·units]` with `resetAfter: false`. Without
   * it, no bias is added.
   */
  readonly bias?: TensorLike;
}

/** How a GRU computes a step. */
export interface GruCellOptions {
  /** φ, of the candidate. Default: `"tanh"`. */
  readonly activation?: ActivationName | Activation;
  /** σ, of the two gates. Default: `"sigmoid"`. */
  readonly recurrentActivation?: ActivationName | Activation;
  /** Whether r meets h after its product with U, as in Keras and PyTorch. Default: true. */
  readonly resetAfter?: boolean;
}

/** What one step hands to the next. */
export interface GruState {
  /** h `[batch, units]` */
  readonly hiddenState: TensorLike;
}

/** One step of a GRU: everything it computed, `[batch, units]` each. */
export interface GruStep {
  /** After their activations. */
  readonly gates: GruGates;
  /** h', the output and for the next step. */
  readonly hiddenState: Tensor;
}

/** How a GRU goes through its timesteps. */
export interface GruOptions extends GruCellOptions, CellRunOptions {
  /** Where it starts. Default: zeros. */
  readonly initialState?: GruState | undefined;
}

/** Everything a GRU computed, `[batch, timesteps, units]` each. */
export interface GruTrace extends GruStep {
  /** In which order and with which mask it was computed. */
  readonly source?: TraceSource;
}

const CELL_OPTIONS: KeysOf<GruCellOptions> = {
  activation: "optional",
  recurrentActivation: "optional",
  resetAfter: "optional",
};
const OPTIONS: KeysOf<GruOptions> = { ...CELL_OPTIONS, ...RUN_OPTIONS };

const parts = {
  gates: gruOrders.keras,
  states: ["hiddenState"],
  sites: ["gates.update", "gates.reset", "gates.candidate", "hiddenState"],
  functions: ["φ", "σ"],
} as const;

/**
 * Keras's GRU, r after the product with U: z, r = σ(x·W + h·U + b), h̃ = φ(x·W_h + b_h +
 * r ⊙ (h·U_h + bR_h)), h' = z ⊙ h + (1 − z) ⊙ h̃. Source: keras/src/layers/rnn/gru.py (Keras 3.15.1);
 * Cho et al. 2014, in the form of cuDNN.
 */
export const GRU_CELL: Cell = {
  kind: "GRU",
  ...parts,
  biases: 2,
  step(o, x, [h], cell) {
    const { W, U, b, drop, φ, σ, at } = cell;
    const [b_x, b_h] = b === undefined ? [] : twoBiases(o, b);
    const [x_z, x_r, x_h] = projections(o, [{ x, W, drop: drop.x }], b_x, 3);
    const [h_z, h_r, h_h] = projections(o, [{ x: h!, W: U, drop: drop.h }], b_h, 3);

    const z = at("gates.update", o.apply(σ, o.add(x_z!, h_z!)));
    const r = at("gates.reset", o.apply(σ, o.add(x_r!, h_r!)));
    const h̃ = at("gates.candidate", o.apply(φ, o.add(x_h!, o.sumOfProducts([r, h_h!]))));
    return [at("hiddenState", o.sumOfProducts([z, h!], [o.oneMinus(z), h̃]))];
  },
};

/** The same with r before the product: h̃ = φ(x·W_h + (r ⊙ h)·U_h + b_h); Cho et al. 2014. */
export const GRU_BEFORE_CELL: Cell = {
  kind: "GRU",
  traceName: "GRU, reset before",
  ...parts,
  biases: 1,
  step<V>(o: Ops<V>, x: V, [h]: readonly V[], cell: CellStep<V>) {
    const { W, U, b, drop, φ, σ, at } = cell;
    const [x_z, x_r, x_h] = projections(o, [{ x, W, drop: drop.x }], b, 3);
    const [U_z, U_r, U_h] = o.blocks(U, 3);
    const own = (k: number) => dropped(o, h!, drop.h, k);

    const z = at("gates.update", o.apply(σ, o.add(x_z!, o.affine([[own(0), U_z!]]))));
    const r = at("gates.reset", o.apply(σ, o.add(x_r!, o.affine([[own(1), U_r!]]))));
    const rh = o.sumOfProducts([r, own(2)]);
    const h̃ = at("gates.candidate", o.apply(φ, o.add(x_h!, o.affine([[rh, U_h!]]))));
    return [at("hiddenState", o.sumOfProducts([z, h!], [o.oneMinus(z), h̃]))];
  },
};

/** `[2, n]` as its two rows. */
function twoBiases<V>(o: Ops<V>, b: V): V[] {
  const [, width] = shapeOf(o, b) as [number, number];
  return o.blocks(o.reshape(b, [2 * width]), 2);
}

/** The cell that `resetAfter` asks for. */
export function gruCellOf(resetAfter = true): Cell {
  return resetAfter ? GRU_CELL : GRU_BEFORE_CELL;
}

/**
 * One step of a GRU, in float64: how it gets from h to h'.
 *
 * ```txt
 * z = σ(x·W_z + b_z + h·U_z + bR_z)     r = σ(x·W_r + b_r + h·U_r + bR_r)
 * h̃ = φ(x·W_h + b_h + r ⊙ (h·U_h + bR_h))            reset before: φ(x·W_h + (r ⊙ h)·U_h + b_h)
 * h' = z ⊙ h + (1 − z) ⊙ h̃
 * ```
 *
 * Source: keras/src/layers/rnn/gru.py (Keras 3.15.1).
 *
 * @param x `[batch, inputSize]`
 * @param state the step before, or its h; undefined is zeros
 * @param weights Keras's kernel, recurrent kernel and bias
 * @throws {TypeError} where a shape does not fit the others.
 *
 * @example
 * ```ts
 * import { gruCell } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const weights = {
 *   kernel: [[0.1, 0.2, 0.3]],
 *   recurrentKernel: [[0.4, 0.5, 0.6]],
 *   bias: [[0, 0, 0], [0, 0, 0.1]],
 * };
 * const { gates, hiddenState } = gruCell([[1]], undefined, weights);
 * assertEquals(Object.keys(gates), ["update", "reset", "candidate"]);
 * assertEquals(hiddenState.shape, [1, 1]); // batch, units
 * ```
 */
export function gruCell(
  x: TensorLike,
  state: GruState | undefined,
  weights: GruWeights,
  options: GruCellOptions = {},
): GruStep {
  checkOptions("compute a GRU step", options, CELL_OPTIONS);
  const { gates, hiddenState } = cellStep("a GRU", gruCellOf(options.resetAfter), {
    x,
    state,
    weights,
    options,
  });
  return { gates: gruGatesOf(gates as unknown as GruGates), hiddenState };
}

/**
 * A GRU over all timesteps, {@linkcode gruCell} again and again, in float64.
 *
 * Timestep t of the result belongs to timestep t of the input, with `goBackwards` too. Source:
 * keras/src/backend/jax/rnn.py (Keras 3.15.1).
 *
 * @param x `[batch, timesteps, inputSize]`
 * @param weights Keras's kernel, recurrent kernel and bias
 * @returns gates and h after every step, `[batch, timesteps, units]` each
 * @throws {TypeError} where a shape does not fit the others.
 *
 * @example
 * ```ts
 * import { arange, gruForward } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const weights = { kernel: [[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], recurrentKernel: [[0.1, 0.2, 0.3]] };
 * const { gates, hiddenState } = gruForward(arange(6).reshape([1, 3, 2]), weights);
 * assertEquals([gates.update.shape, hiddenState.shape], [[1, 3, 1], [1, 3, 1]]);
 * ```
 */
export function gruForward(
  x: TensorLike,
  weights: GruWeights,
  options: GruOptions = {},
): GruTrace {
  checkOptions("run a GRU", options, OPTIONS);
  const { initialState: state, resetAfter } = options;
  return cellTrace("a GRU", gruCellOf(resetAfter), {
    x,
    state,
    weights,
    options,
  }) as unknown as GruTrace;
}
