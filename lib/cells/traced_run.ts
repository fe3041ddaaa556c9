// What a trace was computed from. What its numbers mean (direction, mask, activations) it carries
// itself, as plain data; what made them (input and weights) is remembered beside its tensors.

import { asFloat64, Tensor } from "../tensor/tensor.ts";
import type { Activation, ActivationName } from "../values/activations.ts";
import { isBuiltIn } from "../values/built_in.ts";
import type { Cell } from "./cell.ts";
import type { LstmWeights } from "./lstm.ts";
import type { CellTrace } from "./cell_run.ts";
import type { LstmOptions } from "./lstm_forward.ts";
import { sitesOf, valueIfAt } from "./sites.ts";

/** What an LSTM was given when it computed a trace. */
export interface TracedRun {
  readonly x: Tensor; // [batch, timesteps, inputSize]
  readonly weights: LstmWeights;
  readonly options: LstmOptions;
  /** Whose equations those are, where it is no LSTM's. */
  readonly cell?: Cell;
}

/** How a trace's numbers follow from each other. */
export interface TraceSource {
  /** From the first timestep to the last, or from the last to the first. */
  readonly direction: "forward" | "backward";
  /** Which steps count, `[batch, timesteps]`; a step of 0 keeps the states. Default: all count. */
  readonly mask?: Tensor;
  /** The activation's name. */
  readonly activation?: string;
  /** The recurrent activation's name. */
  readonly recurrentActivation?: string;
  /** Whose equations those are, where gates and states do not say it: of a cell of one's own its `kind`. */
  readonly cell?: string;
}

/** What a run says of the trace it makes. */
export function traceSourceOf({ options, cell }: TracedRun): TraceSource {
  const has = (f: "φ" | "σ") => cell?.functions.includes(f) ?? true;
  return Object.freeze({
    direction: options.goBackwards === true ? "backward" : "forward",
    ...(options.mask === undefined ? {} : { mask: asFloat64(options.mask) }),
    ...(has("φ") && { activation: nameOf(options.activation ?? "tanh") }),
    ...(has("σ") && { recurrentActivation: nameOf(options.recurrentActivation ?? "sigmoid") }),
    ...(cell?.traceName && { cell: cell.traceName }),
  });
}

function nameOf(activation: ActivationName | Activation): string {
  if (typeof activation === "string") return activation;
  const { activationName } = activation; // σ stands for the one function
  return isBuiltIn(activation)
    ? activationName
    : activationName.replace(/^sigmoid$/, "own sigmoid");
}

/** By the hidden state, which a copy of the trace shares with it. */
const runs = new WeakMap<Tensor, { readonly trace: CellTrace; readonly run: TracedRun }>();

/** Remembers how a trace was computed. */
export function rememberRun<T extends CellTrace>(trace: T, run: TracedRun): T {
  runs.set(trace.hiddenState, { trace, run });
  return trace;
}

/** How a trace, or a copy with the same tensors, was computed; undefined where one is another's. */
export function runOf(trace: CellTrace): TracedRun | undefined {
  const found = runs.get(trace.hiddenState);
  const isSame = found &&
    sitesOf(found.trace).every((site) => valueIfAt(found.trace, site) === valueIfAt(trace, site));
  return isSame ? found.run : undefined;
}

/**
 * A trace with its tensors: a copy by `structuredClone` or JSON has only what they held.
 *
 * @param action for the error: "compare the traces"
 * @throws {TypeError} where a value is no tensor, and was none.
 */
export function withTensors(trace: CellTrace, action: string): CellTrace {
  const { gates, source, ...rest } = trace;
  const mask = source?.mask;
  const states = Object.fromEntries(Object.entries(rest).filter(([, state]) => state));
  const all = [...Object.values(gates), ...Object.values(states), ...(mask ? [mask] : [])];
  if (all.every((value) => value instanceof Tensor)) return trace;
  const tensors = (values: object) =>
    Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, revived(value, action)]),
    );
  return {
    gates: tensors(gates),
    ...tensors(states) as unknown as Pick<CellTrace, "hiddenState">,
    ...(source && { source: { ...source, ...(mask && { mask: revived(mask, action) }) } }),
  };
}

/** The tensor that `{ data, shape }` was; JSON writes its data by index, and what is not finite as null. */
export function revived(value: Tensor, action: string): Tensor {
  if (value instanceof Tensor) return value;
  const { data, shape } = (value ?? {}) as Partial<Tensor>;
  const numbers = Object.values(data ?? {});
  const isWhole = Array.isArray(shape) && numbers.every((number) => typeof number === "number") &&
    numbers.length === shape.reduce((product, length) => product * length, 1);
  if (isWhole) return new Tensor(Float64Array.from(numbers), shape);
  throw new TypeError(
    `Cannot ${action}: each value of a trace is a tensor, or a copy { data, shape } of one with all ` +
      `its numbers, but one is neither; take the trace again by trace() or lstmForward()`,
  );
}

/**
 * How the numbers of a trace follow from each other.
 *
 * @param action for the error: "read the memory"
 * @throws {TypeError} where the trace does not say.
 */
export function sourceOf({ source }: CellTrace, action: string): TraceSource {
  if (source?.direction === "forward" || source?.direction === "backward") return source;
  throw new TypeError(
    `Cannot ${action}: a trace says in its source in which direction and with which mask it was ` +
      `computed, but this one ${
        source === undefined ? "has none" : "names no direction"
      }; take it ` +
      `again by trace() or lstmForward(), or add source: { direction: "forward" }`,
  );
}
