// A cell on its own arrays: what it is given checked, one step of it or all, and the trace.

import { checkParts, type KeysOf } from "../base/options.ts";
import { shownAs } from "../base/shown.ts";
import { formatShape, sameShape } from "../tensor/shape.ts";
import { asFloat64, Tensor, type TensorLike } from "../tensor/tensor.ts";
import { type Activation, type ActivationName, lstmActivation } from "../values/activations.ts";
import { stackSteps } from "../values/arrange.ts";
import { numbers } from "../values/numbers.ts";
import { blocksOf, type Cell, type CellWeights } from "./cell.ts";
import type { Gates } from "./gates.ts";
import { type GruGates, gruGatesOf } from "./gru_gates.ts";
import { type RecurrentStep, runCell } from "./recurrence.ts";
import { rememberRun, type TracedRun, type TraceSource, traceSourceOf } from "./traced_run.ts";
import type { LayerTrace } from "./lstm_forward.ts";

/** A cell's arrays, in Keras's layout. */
export interface CellWeightsLike {
  /** W `[inputSize, blocks·units]` */
  readonly kernel: TensorLike;
  /** U `[units, blocks·units]` */
  readonly recurrentKernel: TensorLike;
  /** b; without it, no bias is added. */
  readonly bias?: TensorLike;
}

/** How a cell goes through its timesteps. */
export interface CellRunOptions {
  /** From the last timestep to the first. Default: false. */
  readonly goBackwards?: boolean;
  /**
   * Which steps count, `[batch, timesteps]`: at a step of 0, a sample keeps its state and hands it
   * on. Default: all count.
   */
  readonly mask?: TensorLike | undefined;
}

export const RUN_OPTIONS: KeysOf<CellRunOptions & { initialState?: unknown }> = {
  goBackwards: "optional",
  mask: "optional",
  initialState: "optional",
};

export const WEIGHTS: KeysOf<CellWeightsLike> = {
  kernel: "required",
  recurrentKernel: "required",
  bias: "optional",
};
const STATE: KeysOf<{ hiddenState: TensorLike; gates?: unknown; source?: unknown }> = {
  hiddenState: "required",
  gates: "optional",
  source: "optional",
};

/**
 * Everything a recurrent layer of any cell computed, `[batch, timesteps, units]` each; of a cell of
 * one's own, its other states as well.
 */
export interface CellTrace {
  /** By their names, after their activations. */
  readonly gates: Gates | GruGates | Readonly<Record<string, Tensor>>;
  /** c after each step, of an LSTM. */
  readonly cellState?: Tensor;
  /** h after each step. */
  readonly hiddenState: Tensor;
  /** In which order and with which mask it was computed. */
  readonly source?: TraceSource;
}

/** What a cell is given. */
interface Given {
  readonly x: TensorLike;
  readonly state: { readonly hiddenState: TensorLike } | undefined;
  readonly weights: CellWeightsLike;
  readonly options: CellRunOptions & {
    readonly activation?: ActivationName | Activation;
    readonly recurrentActivation?: ActivationName | Activation;
  };
}

/** One step. `owner` is what it is called in errors: "a GRU". */
export function cellStep(owner: string, cell: Cell, given: Given): CellTrace {
  const x = asFloat64(given.x);
  const { shape } = x;
  if (shape.length !== 2 || shape.includes(0)) {
    throw new TypeError(
      `Cannot compute ${owner} step: the input must be [batch, inputSize], none of them 0, but the ` +
        `shape is ${formatShape(shape)}`,
    );
  }
  const { weights, functions, before } = checked(owner, cell, given, shape[0]!, shape[1]!);
  const values: Record<string, Tensor> = {};
  const at = (site: string, value: Tensor) => values[site] = value;
  cell.step(numbers, x, before, { ...weights, ...functions, drop: {}, at });
  return cellValues(cell, (site) => values[site]!);
}

/** All steps. */
export function cellTrace(owner: string, cell: Cell, given: Given): CellTrace {
  const x = asFloat64(given.x);
  const [batch, timesteps, inputSize] = x.shape as [number, number, number];
  if (x.shape.length !== 3 || x.shape.includes(0)) {
    throw new TypeError(
      `Cannot run ${owner}: the input must be [batch, timesteps, inputSize], none of them 0, but the ` +
        `shape is ${formatShape(x.shape)}`,
    );
  }
  const { weights, functions, before } = checked(owner, cell, given, batch, inputSize);
  const { goBackwards, mask: steps } = given.options;
  const mask = steps === undefined ? undefined : asFloat64(steps);
  if (mask !== undefined && !sameShape(mask.shape, [batch, timesteps])) {
    throw new TypeError(
      `Cannot run ${owner}: the mask must be [batch, timesteps], ` +
        `${formatShape([batch, timesteps])} here, but its shape is ${formatShape(mask.shape)}`,
    );
  }
  const input = { x, weights, functions, start: before, mask, goBackwards };
  const run = { x, weights: given.weights, options: given.options, cell };
  const { steps: ran } = runCell(numbers, cell, input);
  return cellTraceOf(cell, (site) => valuesOfSite(ran, site), run as TracedRun);
}

/** A site's values over the timesteps. */
export function valuesOfSite(steps: readonly RecurrentStep<Tensor>[], site: string): Tensor {
  return stackSteps(numbers, steps.map(({ values }) => values[site]!));
}

/** The trace of a run, from each site's values: it shows itself and remembers what it was computed from. */
export function cellTraceOf(
  cell: Cell,
  valueOf: (site: string) => Tensor,
  run: TracedRun,
): CellTrace {
  const values = cellValues(cell, valueOf);
  const whole = shownAs("LayerTrace", { ...values, source: traceSourceOf(run) });
  return Object.freeze(rememberRun(whole as unknown as LayerTrace, run)) as unknown as CellTrace;
}

/** A cell's values by their names, from each site's. */
function cellValues({ kind, gates, states }: Cell, valueOf: (site: string) => Tensor): CellTrace {
  const named = Object.fromEntries(gates.map((gate) => [gate, valueOf(`gates.${gate}`)]));
  return {
    gates: kind === "GRU" ? gruGatesOf(named as unknown as GruGates) : named,
    ...Object.fromEntries(states.map((state) => [state, valueOf(state)])),
  } as unknown as CellTrace;
}

function checked(
  owner: string,
  cell: Cell,
  { state, weights, options }: Given,
  batch: number,
  inputSize: number,
) {
  const arrays = checkCellWeights(owner, cell, weights, inputSize);
  const shape = [batch, arrays.units];
  const zeros = new Tensor(new Float64Array(batch * arrays.units), shape);
  if (state !== undefined) checkParts(`continue ${owner}`, "its state", state, STATE);
  const h = state === undefined ? zeros : asFloat64(state.hiddenState);
  if (!sameShape(h.shape, shape)) {
    throw new TypeError(
      `Cannot continue ${owner}: its state must be [batch, units], ${formatShape(shape)} here, ` +
        `but its shape is ${formatShape(h.shape)}`,
    );
  }
  const { activation = "tanh", recurrentActivation = "sigmoid" } = options;
  return {
    weights: arrays,
    functions: { φ: lstmActivation(activation), σ: lstmActivation(recurrentActivation) },
    before: [h],
  };
}

function checkCellWeights(
  owner: string,
  cell: Cell,
  weights: CellWeightsLike,
  inputSize: number,
): CellWeights<Tensor> & { readonly units: number } {
  checkParts(`compute ${owner}`, "the weights", weights, WEIGHTS);
  const [W, U] = [asFloat64(weights.kernel), asFloat64(weights.recurrentKernel)];
  const b = weights.bias === undefined ? undefined : asFloat64(weights.bias);
  const units = U.shape[0] ?? 0;
  const width = blocksOf(cell) * units;
  const wanted = [[inputSize, width], [units, width], cell.biases === 2 ? [2, width] : [width]];
  if (units === 0 || ![W, U, b].every((x, k) => !x || sameShape(x.shape, wanted[k]!))) {
    throw new TypeError(
      `Cannot compute ${owner}: the weights of ${units} units on ${inputSize} inputs must be ` +
        `${wanted.slice(0, 2).map(formatShape).join(", ")} and ${formatShape(wanted[2]!)}, but ` +
        `the shapes are kernel ${formatShape(W.shape)}, recurrentKernel ${formatShape(U.shape)}` +
        (b === undefined ? "" : `, bias ${formatShape(b.shape)}`),
    );
  }
  return { W, U, b, units };
}
