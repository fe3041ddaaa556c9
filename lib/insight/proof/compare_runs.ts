// The equations' run against somebody else's: value by value, step by step.

import type { LayerTrace } from "../../lstm/sequence.ts";
import type { Network } from "../../model/network.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { type Difference, Differences, type ProofRow } from "./differences.ts";
import type { Estimate, Floats } from "../rounding/estimate.ts";
import { type LstmValue, lstmValues } from "../rounding/estimate_lstm.ts";
import {
  type EstimatedLstm,
  type EstimatedRun,
  estimateRun,
  type Site,
} from "../rounding/estimate_model.ts";
import { type Expectation, valueOf } from "./expected.ts";
import { distance, relativeDistance, SMALLEST } from "../rounding/float32.ts";
import { predictionBounds } from "../rounding/prediction_bound.ts";

/** How two runs compare: the same, the same but for rounding, or not. */
export type Verdict = "equal" | "rounding" | "mismatch";

/** What became of a comparison. */
export interface RunComparison {
  readonly verdict: Verdict;
  readonly maxAbsDiff: number;
  readonly bound: number;
  readonly place: Difference | undefined;
  readonly rows: readonly ProofRow[];
  readonly dead: readonly string[];
  /**
   * Whether `place` is where a prediction went off although every step on the way was within its own
   * rounding: all of them together have grown to that.
   */
  readonly drifted: boolean;
  /** The equations' run, each step from the values expected before it. */
  readonly run: EstimatedRun;
  readonly expected: Expectation;
  /** The model's last layer. */
  readonly lastLayer: string;
  /** What rounding explains of each number of the prediction; there where one was expected. */
  readonly bounds: Floats | undefined;
}

/** The equations' own run, from end to end, in float64. */
export interface WholeRun {
  readonly layers: readonly LayerTrace[];
  readonly names: readonly string[];
  readonly prediction: Tensor;
}

/** A prediction that far off is a mismatch, even where rounding could explain it. */
export const OFF = 1e-4;
/** Keras's own rounding may hide a part of that: 2e-7 in the fixtures. */
const OFF_FOR_SURE = 0.99 * OFF;

/** Compares; the shapes are known to fit. */
export function compareRuns(
  network: Network,
  x: Tensor,
  whole: WholeRun,
  expected: Expectation,
): RunComparison {
  const lastLayer = network.layers.at(-1)!.name;
  const inside = expected.layers.map(() => new Map<LstmValue, Differences>());
  let first: Difference | undefined;
  const run = estimateRun(network, x, (site, estimate) => {
    const { lstm, value, timestep } = site;
    const theirs = expected.layers[lstm]?.[value]?.select(1, timestep).data;
    if (theirs === undefined) return undefined;
    const differences = inside[lstm]!.get(value) ?? new Differences();
    inside[lstm]!.set(value, differences);
    compareStep(site, whole.names[lstm]!, estimate, theirs, differences);
    first ??= differences.first;
    return theirs;
  });
  const rows = inside.flatMap((byValue, lstm) =>
    lstmValues.flatMap((value) => {
      const differences = byValue.get(value);
      if (differences === undefined || differences.numbers === 0) return [];
      const own = valueOf(whole.layers[lstm], value) as Tensor;
      differences.compareWhole(own, expected.layers[lstm]![value]!);
      return [differences.row(whole.names[lstm]!, value)];
    })
  );
  const prediction = comparePrediction(run, whole.prediction, expected.prediction, lastLayer);
  if (prediction !== undefined) rows.push(prediction.row);
  const maxAbsDiff = rows.reduce((most, row) => Math.max(most, row.maxAbsDiff), 0);
  const place = first ?? prediction?.first;
  const drifted = first === undefined && prediction !== undefined && prediction.drifted;
  return {
    verdict: place !== undefined ? "mismatch" : sameFloat32(whole, expected) ? "equal" : "rounding",
    maxAbsDiff,
    bound: prediction?.bound ?? 0,
    place,
    rows,
    drifted,
    dead: whole.names.filter((_, lstm) => isDead(run.lstms[lstm]!, whole.layers[lstm]!)),
    run,
    expected,
    lastLayer,
    bounds: prediction?.bounds,
  };
}

function compareStep(
  { value, timestep, mask }: Site,
  layer: string,
  { value: actual, error, shape }: Estimate,
  theirs: ArrayLike<number>,
  differences: Differences,
): void {
  const units = shape[1]!;
  for (let k = 0; k < actual.length; k++) {
    const sample = Math.floor(k / units);
    const isGate = value.startsWith("gates.");
    if (isGate && mask?.[sample] === 0) continue; // computed or not, nothing comes of it
    const place = { layer, value, sample, timestep, unit: k % units };
    differences.add(place, actual[k]!, theirs[k]!, error[k]!);
  }
}

function comparePrediction(
  run: EstimatedRun,
  whole: Tensor,
  expected: Tensor | undefined,
  layer: string,
) {
  if (expected === undefined) return undefined;
  const { value, shape } = run.result;
  const theirs = expected.data as Floats;
  const bounds = predictionBounds(run, theirs.map((e, k) => distance(value[k]!, e)));
  const differences = new Differences();
  const each = value.length / shape[0]!;
  const width = shape.at(-1)!;
  let [bound, drifted] = [0, false];
  theirs.forEach((e, k) => {
    bound = Math.max(bound, bounds[k]! / Math.max(1, Math.abs(e)));
    const [sample, inSample] = [Math.floor(k / each), k % each];
    const place = {
      layer,
      value: "prediction" as const,
      sample,
      ...(shape.length === 3 ? { timestep: Math.floor(inSample / width) } : {}),
      unit: inSample % width,
    };
    // However far rounding may reach, what is off by that much is off.
    const most = OFF_FOR_SURE * Math.max(1, Math.abs(e));
    const isOff = !(relativeDistance(whole.data[k]!, e) < OFF_FOR_SURE);
    const ownStep = distance(value[k]!, e);
    const drifts = isOff && ownStep <= bounds[k]! && ownStep < most;
    if (drifts && differences.first === undefined) drifted = true;
    const actual = drifts ? whole.data[k]! : value[k]!;
    differences.add(place, actual, e, bounds[k]!, most);
  });
  differences.compareWhole(whole, expected);
  const { first } = differences;
  return { row: differences.row(layer, "prediction"), first, drifted, bound, bounds };
}

/** Whether all that was compared is the same in float32. */
function sameFloat32(whole: WholeRun, expected: Expectation): boolean {
  const same = (own: Tensor, theirs: Tensor) =>
    theirs.data.every((e, k) => Math.fround(e) === Math.fround(own.data[k]!));
  return expected.layers.every((layer, lstm) =>
    lstmValues.every((value) =>
      layer[value] === undefined || same(valueOf(whole.layers[lstm], value) as Tensor, layer[value])
    )
  ) && (expected.prediction === undefined || same(whole.prediction, expected.prediction));
}

/** Whether nothing comes out of an LSTM: in float32, every hidden state that it hands on is 0. */
function isDead({ parts, returnsSequences }: EstimatedLstm, { hiddenState }: LayerTrace): boolean {
  const last = parts.goBackwards ? 0 : -1;
  const { data } = returnsSequences ? hiddenState : hiddenState.select(1, last);
  return data.every((h) => Math.abs(h) < SMALLEST);
}
