// What the checks look at: one run of a model, layer by layer, with every LSTM's values and slopes.

import { type Activation, lstmActivation } from "../../lstm/activations.ts";
import { isNamed } from "../../lstm/built_in.ts";
import { cellOf } from "../../lstm/cell.ts";
import { type Gates, splitGates } from "../../lstm/gates.ts";
import type { LayerTrace } from "../../lstm/sequence.ts";
import { runOf, type TracedRun } from "../../lstm/traced_run.ts";
import { add, dot } from "../../tensor/arithmetic.ts";
import { Tensor } from "../../tensor/tensor.ts";
import type { FitStart } from "../../model/training/history.ts";
import type { Network, PlacedLayer } from "../../model/network.ts";
import { nameOf } from "../../trace/places.ts";
import { type Ledger, ledgerOf } from "../ledger.ts";
import { hiddenBefore } from "../lstm_share.ts";

/** A model and a run of it. */
export interface Patient {
  readonly network: Network;
  /** What each layer got and gave. */
  readonly layers: readonly LayerVisit[];
  readonly lstms: readonly LstmVisit[];
  /** Where its training began, where a history says so. */
  readonly start: FitStart | undefined;
}

/** One layer in the run. */
export interface LayerVisit {
  readonly placed: PlacedLayer;
  readonly input: Tensor;
  readonly output: Tensor;
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
export function examine(network: Network, x: Tensor, start: FitStart | undefined): Patient {
  const { runs, traces } = network.forward(x);
  const layers = network.layers.map((placed, k) => {
    const { firstWeight, weights: { length } } = placed;
    const weights = network.weights.slice(firstWeight, firstWeight + length);
    return { placed, input: runs[k - 1]?.output ?? x, output: runs[k]!.output, weights };
  });
  const lstms = network.layers.flatMap((placed, k) =>
    traces[k]!.map((trace, direction) => visitOf(placed, nameOf(placed, direction), trace))
  );
  return { network, layers, lstms, start };
}

function visitOf(placed: PlacedLayer, name: string, trace: LayerTrace): LstmVisit {
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
  const { W, U, b } = cellOf(weights, options, [x.shape[0]!, x.shape[2]!]);
  const before = hiddenBefore(trace, ledger, options.initialState?.hiddenState);
  const z = splitGates(add(dot(x, W), dot(before, U), b));
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
