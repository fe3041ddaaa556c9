// What the checks look at: one run of a model, layer by layer, with every LSTM's values and slopes.

import { requireLstmTrace } from "../../cells/choose_lstm.ts";
import { type Activation, lstmActivation } from "../../values/activations.ts";
import { isNamed } from "../../values/built_in.ts";
import { cellOf } from "../../cells/lstm.ts";
import { type Gates, splitGates } from "../../cells/gates.ts";
import type { LayerTrace } from "../../cells/lstm_forward.ts";
import { runOf, type TracedRun } from "../../cells/traced_run.ts";
import { add, dot } from "../../tensor/arithmetic.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { FitStart } from "../../model/training/history.ts";
import type { PlacedLayer } from "../../model/graph.ts";
import type { Network } from "../../model/network.ts";
import { numbers } from "../../values/numbers.ts";
import type { Ops } from "../../values/ops.ts";
import { hiddenBefore, type Ledger, ledgerOf } from "../ledger.ts";

/** What each check looks at: a model and a run of it. */
export interface CheckContext {
  readonly network: Network;
  /** What each layer got and gave. */
  readonly layers: readonly LayerVisit[];
  readonly lstms: readonly LstmVisit[];
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

/** One LSTM in the run. */
export interface LstmVisit {
  readonly name: string;
  readonly placed: PlacedLayer;
  readonly trace: LayerTrace;
  readonly ledger: Ledger;
  readonly run: TracedRun;
  /** Each gate's slope at its own pre-activation, `[batch, timesteps, units]`. */
  readonly slopes: Gates;
  /** Units whose hidden state is 0 at every step of every sample. */
  readonly dead: readonly number[];
}

/** |h| that float32 cannot tell from 0 beside a hidden state of 1. */
const DEAD = 2 ** -24;

/** Runs a model, and looks into each of its LSTMs. */
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
  const lstms = layers.flatMap(({ name, placed }) =>
    traces.filter((one) => one.name === name || one.name.startsWith(`${name}/`))
      .map(({ name, trace }) => visitOf(placed, name, trace))
  );
  const inGates = new Set(lstms.map(({ name }) => name));
  return {
    network,
    layers,
    lstms,
    softmaxes: softmaxes.filter((one) => !inGates.has(one.layer)),
    start,
  };
}

function visitOf(placed: PlacedLayer, name: string, trace: LayerTrace): LstmVisit {
  requireLstmTrace(trace, "examine a model");
  const run = runOf(trace)!; // lstmForward made it
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

function slopesOf({ x, weights, options }: TracedRun, trace: LayerTrace, ledger: Ledger): Gates {
  const { weights: { W, U, b } } = cellOf(weights, options, [x.shape[0]!, x.shape[2]!]);
  const before = hiddenBefore(trace, ledger, options.initialState?.hiddenState);
  const z = splitGates(add(dot(x, W), dot(before, U), b ?? 0));
  const σ = lstmActivation(options.recurrentActivation ?? "sigmoid");
  const φ = lstmActivation(options.activation ?? "tanh");
  return {
    input: slope(σ, z.input),
    forget: slope(σ, z.forget),
    candidate: slope(φ, z.candidate),
    output: slope(σ, z.output),
  };
}

/** Of an activation of one number at a time; a row's softmax has none by unit, and counts as 1. */
function slope(f: Activation, z: Tensor): Tensor {
  const ones = new Tensor(new Float64Array(z.data.length).fill(1), z.shape);
  return isNamed(f, "softmax", "log_softmax", "sparsemax") ? ones : f.backward(z, ones);
}

function deadUnits({ hiddenState }: LayerTrace): number[] {
  const units = hiddenState.shape[2]!;
  const largest = new Float64Array(units);
  hiddenState.data.forEach((h, k) => {
    largest[k % units] = Math.max(largest[k % units]!, Math.abs(h)); // NaN stays
  });
  return Array.from(largest.keys()).filter((unit) => largest[unit]! <= DEAD);
}

/** `unit 3`, `units 1, 2, 5`, `units 0, 1, 2, … (40)` */
export function unitNames(units: readonly number[]): string {
  const listed = units.slice(0, 6).join(", ");
  if (units.length === 1) return `unit ${listed}`;
  return units.length > 6 ? `units ${listed}, … (${units.length})` : `units ${listed}`;
}
