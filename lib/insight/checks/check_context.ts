// What the checks look at: one run of a model, layer by layer, with every cell's values and slopes.

import type { Cell } from "../../cells/cell.ts";
import { arraysOf } from "../../cells/cell_of_trace.ts";
import type { CellTrace } from "../../cells/cell_run.ts";
import { type SiteName, valueAt } from "../../cells/sites.ts";
import { type Activation, lstmActivation } from "../../values/activations.ts";
import { isNamed } from "../../values/built_in.ts";
import { runOf, type TracedRun } from "../../cells/traced_run.ts";
import { asFloat64, Tensor, type TensorLike } from "../../tensor/tensor.ts";
import type { FitStart } from "../../model/training/history.ts";
import type { PlacedLayer } from "../../model/graph.ts";
import type { Network } from "../../model/network.ts";
import { numbers } from "../../values/numbers.ts";
import type { Ops } from "../../values/ops.ts";
import { type Ledger, ledgerOf, valueBefore } from "../ledger.ts";

/** What each check looks at: a model and a run of it. */
export interface CheckContext {
  readonly network: Network;
  /** What each layer got and gave. */
  readonly layers: readonly LayerVisit[];
  readonly recurrents: readonly RecurrentVisit[];
  /** What went into each softmax that is no gate's. */
  readonly softmaxes: readonly { readonly layer: string; readonly logits: Tensor }[];
  /** Where its training began, where a history says so. */
  readonly start: FitStart | undefined;
}

/** One layer in the run. */
export interface LayerVisit {
  readonly name: string;
  readonly placed: PlacedLayer;
  readonly outputs: readonly Tensor[];
  readonly weights: readonly Tensor[];
}

/** One recurrent layer in the run. */
export interface RecurrentVisit {
  readonly name: string;
  readonly placed: PlacedLayer;
  readonly trace: CellTrace;
  readonly ledger: Ledger;
  readonly run: TracedRun;
  /**
   * The slope of each site that an activation gives, at its pre-activation, `[batch, timesteps,
   * units]`: of the gates, and of a SimpleRNN's hidden state.
   */
  readonly slopes: ReadonlyMap<SiteName, Tensor>;
  /** Units whose hidden state is 0 at every step of every sample. */
  readonly dead: readonly number[];
}

/** |h| that float32 cannot tell from 0 beside a hidden state of 1. */
const DEAD = 2 ** -24;

/** Runs a model, and looks into each of its recurrent layers. */
export function examine(
  network: Network,
  inputs: readonly Tensor[],
  start: FitStart | undefined,
): CheckContext {
  const softmaxes: CheckContext["softmaxes"][number][] = [];
  let layer = "";
  const looking: Ops<Tensor> = {
    ...numbers,
    apply: (f, x) => {
      if (isNamed(f, "softmax")) softmaxes.push({ layer, logits: x });
      return f(x);
    },
  };
  const { results, traces } = network.forward(inputs, {
    ops: looking,
    onLayer: (name) => layer = name,
  });
  const layers = network.nodes.map(({ name, layer }, k) => {
    const placed = network.layers[layer]!;
    const { firstWeight, weights: { length } } = placed;
    const weights = network.weights.slice(firstWeight, firstWeight + length);
    return { name, placed, outputs: results[k]!, weights };
  });
  const recurrents = layers.flatMap(({ name, placed }) =>
    traces.filter((one) => one.name === name || one.name.startsWith(`${name}/`))
      .map(({ name, trace }) => visitOf(placed, name, trace))
  );
  const inGates = new Set(recurrents.map(({ name }) => name));
  return {
    network,
    layers,
    recurrents,
    softmaxes: softmaxes.filter((one) => !inGates.has(one.layer)),
    start,
  };
}

function visitOf(placed: PlacedLayer, name: string, trace: CellTrace): RecurrentVisit {
  const run = runOf(trace)!; // a walk of the equations made it
  const ledger = ledgerOf(trace, "examine a model");
  return {
    name,
    placed,
    trace,
    ledger,
    run,
    slopes: slopesOf(run, trace, ledger),
    dead: deadUnits(trace),
  };
}

/** All steps of the cell at once, each from the states that the trace has before it. */
function slopesOf(
  { x, weights, options }: TracedRun,
  trace: CellTrace,
  { cell, order }: Ledger,
): Map<SiteName, Tensor> {
  const slopes = new Map<SiteName, Tensor>();
  const applied = new Map<Tensor, Tensor>();
  const looking: Ops<Tensor> = {
    ...numbers,
    apply: (f, z) => {
      const value = f(z);
      applied.set(value, slope(f, z));
      return value;
    },
  };
  const { shape } = trace.hiddenState;
  const rows = (x: Tensor) => x.reshape([shape[0]! * shape[1]!, x.shape[2]!]);
  const named = weights as unknown as Readonly<Record<string, TensorLike | undefined>>;
  const all = arraysOf(cell).flatMap(([name]) =>
    named[name] === undefined ? [] : asFloat64(named[name])
  );
  const [W, U, b] = all as [Tensor, Tensor, Tensor?];
  const start = options.initialState as typeof named | undefined;
  const before = cell.states.map((state) =>
    rows(valueBefore(valueAt(trace, state), order, start?.[state]))
  );
  cell.step(looking, rows(x), before, {
    ...{ W, U, b, all, drop: {} },
    φ: lstmActivation(options.activation ?? "tanh"),
    σ: lstmActivation(options.recurrentActivation ?? "sigmoid"),
    at: (site, value) => {
      const found = applied.get(value);
      if (found !== undefined) slopes.set(site, found.reshape(shape));
      return value;
    },
  });
  return slopes;
}

/** Of an activation of one number at a time; a row's softmax has none by unit, and counts as 1. */
function slope(f: Activation, z: Tensor): Tensor {
  const ones = new Tensor(new Float64Array(z.data.length).fill(1), z.shape);
  return isNamed(f, "softmax", "log_softmax", "sparsemax") ? ones : f.backward(z, ones);
}

function deadUnits({ hiddenState }: CellTrace): number[] {
  const units = hiddenState.shape[2]!;
  const largest = new Float64Array(units);
  hiddenState.data.forEach((h, k) => {
    largest[k % units] = Math.max(largest[k % units]!, Math.abs(h)); // NaN stays
  });
  return Array.from(largest.keys()).filter((unit) => largest[unit]! <= DEAD);
}

/** The gate by which one of Keras's cells keeps its state, as a name: undefined where it has none. */
export function keeperOf({ gates, arrays }: Cell): string | undefined {
  return arrays === undefined
    ? ["forget", "update"].find((gate) => gates.includes(gate))
    : undefined;
}

/** `unit 3`, `units 1, 2, 5`, `units 0, 1, 2, … (40)` */
export function unitNames(units: readonly number[]): string {
  const listed = units.slice(0, 6).join(", ");
  if (units.length === 1) return `unit ${listed}`;
  return units.length > 6 ? `units ${listed}, … (${units.length})` : `units ${listed}`;
}
