// The equations' run against somebody else's: value by value, step by step.

import { part, type Work } from "../../base/work.ts";
import type { CellTrace } from "../../cells/cell_run.ts";
import { outputNames } from "../../model/graph.ts";
import { isNamed } from "../../values/built_in.ts";
import type { Network } from "../../model/network.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { type Difference, Differences, type ProofPlace, type ProofRow } from "./differences.ts";
import type { Estimate, Floats } from "../../values/bounds/estimate.ts";
import type { LstmValue } from "../../cells/lstm.ts";
import { isGate, sitesOf } from "../../cells/sites.ts";
import { type EstimatedLstm, type EstimatedRun, estimateRun, type Site } from "./estimated_run.ts";
import { type Expectation, valueOf } from "./expected.ts";
import { LayerOutputs, placesIn } from "./layer_outputs.ts";
import { distance, SMALLEST } from "../../values/bounds/float32.ts";
import { predictionBounds } from "./prediction_bound.ts";
import { firstWide, isWide, largestOf, rangeOf } from "./wide.ts";

/** How two runs compare: the same, the same but for rounding, not the same, or nobody can tell. */
export type Verdict = "equal" | "rounding" | "mismatch" | "undecided";

/** What became of a comparison. */
export interface RunComparison {
  readonly verdict: Verdict;
  readonly maxAbsDiff: number;
  readonly bound: number;
  readonly place: Difference | undefined;
  readonly rows: readonly ProofRow[];
  readonly dead: readonly string[];
  /** The number of which rounding may make anything, as far as this run can tell. */
  readonly wide: WidePlace | undefined;
  /** Where on the way its error passed what can be told; undefined where only the prediction's did. */
  readonly widens: { readonly layer: string; readonly timestep: number } | undefined;
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
  readonly layers: readonly CellTrace[];
  readonly names: readonly string[];
  readonly prediction: Tensor;
  /** What each layer gave, by name. */
  readonly outputs: ReadonlyMap<string, Tensor>;
}

/** A number that rounding may move by more than a run can do with. */
export interface WidePlace extends ProofPlace {
  /** How far rounding may move it. */
  readonly bound: number;
  /** As large as such a number gets in this run. */
  readonly range: number;
}

/** A prediction that far off is worth a word, even where rounding explains it. */
export const OFF = 1e-4;

/** What is done, about, when the errors have travelled along with the values. */
const ESTIMATED = 0.9;

/** Compares; the shapes are known to fit. */
export function* compareRuns(
  network: Network,
  inputs: readonly Tensor[],
  whole: WholeRun,
  expected: Expectation,
): Work<RunComparison> {
  const lastLayer = outputNames(network)[0]!;
  const inside = expected.layers.map(() => new Map<LstmValue, Differences>());
  const ranges = expected.layers.map(() => new Map<LstmValue, number>());
  const rangeAt = (lstm: number, value: LstmValue) => {
    const known = ranges[lstm]!.get(value);
    if (known !== undefined) return known;
    const range = rangeOf(value, largestOf(valueOf(whole.layers[lstm], value) as Tensor));
    ranges[lstm]!.set(value, range);
    return range;
  };
  let first: Difference | undefined;
  let wide: WidePlace | undefined;
  let last: { readonly site: Site; readonly theirs: ArrayLike<number> | undefined } | undefined;
  const given = (site: Site) => { // asked twice, before the comparison and after
    if (last?.site !== site) {
      const { lstm, value, timestep } = site;
      last = { site, theirs: expected.layers[lstm]?.[value]?.select(1, timestep).data };
    }
    return last.theirs;
  };
  const widens: (number | undefined)[] = [];
  const see = (site: Site, estimate: Estimate) => {
    const { lstm, value, timestep } = site;
    if (value === "hiddenState" && widens[lstm] === undefined) {
      const range = rangeAt(lstm, value);
      if (firstWide(estimate.error, range) !== -1) widens[lstm] = timestep;
    }
    const theirs = given(site);
    if (theirs === undefined) return;
    const differences = inside[lstm]!.get(value) ?? new Differences();
    inside[lstm]!.set(value, differences);
    const name = whole.names[lstm]!;
    const wideHere = compareStep(site, name, estimate, theirs, differences, rangeAt(lstm, value));
    wide ??= wideHere;
    const isKeras = whole.layers[lstm]!.source?.cell === undefined;
    first = earlier(first, differences.first, isKeras ? sitesOf(whole.layers[lstm]!) : []);
  };
  const outputs = new LayerOutputs(expected.outputs, whole.outputs);
  const output = (layer: string, estimate: Estimate) => {
    const isLate = first !== undefined;
    const theirs = outputs.see(layer, estimate);
    if (!isLate) first = outputs.first;
    wide ??= outputs.wide;
    return layer === lastLayer ? undefined : theirs; // the prediction is followed back from itself
  };
  const estimating = estimateRun(network, inputs, { see, given, output });
  const run = yield* part(estimating, 0, ESTIMATED);
  const rows = inside.flatMap((byValue, lstm) =>
    sitesOf(whole.layers[lstm]!).flatMap((value) => {
      const differences = byValue.get(value);
      if (differences === undefined || differences.numbers === 0) return [];
      const own = valueOf(whole.layers[lstm], value) as Tensor;
      differences.compareWhole(own, expected.layers[lstm]![value]!);
      return [differences.row(whole.names[lstm]!, value)];
    })
  );
  rows.push(...outputs.rows);
  const prediction = expected.prediction && (yield* part(
    comparePrediction(run, whole.prediction, expected.prediction, lastLayer),
    ESTIMATED,
    1,
  ));
  wide ??= prediction?.wide;
  if (prediction !== undefined) rows.push(prediction.row);
  const maxAbsDiff = rows.reduce((most, row) => Math.max(most, row.maxAbsDiff), 0);
  const found = first ?? prediction?.first;
  // Where nobody knows what float32 makes of a function, a NaN of float64 says nothing either.
  const isUnknown = run.unknown !== undefined && wide !== undefined && Number.isNaN(found?.actual);
  const place = isUnknown ? undefined : found;
  const isEqual = place === undefined && sameFloat32(whole, expected);
  return {
    verdict: place !== undefined
      ? "mismatch"
      : wide !== undefined && !(run.unknown !== undefined && isEqual)
      ? "undecided"
      : isEqual
      ? "equal"
      : "rounding",
    maxAbsDiff,
    bound: prediction?.bound ?? 0,
    place,
    rows,
    wide,
    widens: wide && widening(widens, whole),
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
  range: number,
): WidePlace | undefined {
  const [batch, units] = shape as [number, number];
  const placeOf = (k: number) => ({
    layer,
    value,
    sample: Math.floor(k / units),
    timestep,
    unit: k % units,
  });
  let wide: WidePlace | undefined;
  for (let n = 0; n < batch; n++) {
    if (isGate(value) && mask?.[n] === 0) continue; // computed or not, nothing comes of a masked gate
    const [from, to] = [n * units, (n + 1) * units];
    differences.addAll(placeOf, actual, theirs, error, from, to);
    if (wide !== undefined) continue;
    const k = firstWide(error, range, from, to);
    if (k !== -1) wide = { ...placeOf(k), bound: error[k]!, range };
  }
  return wide;
}

/** The one that comes first; of one step, in the order of these sites, Keras's arrays'. */
function earlier(
  a: Difference | undefined,
  b: Difference | undefined,
  sites: readonly string[],
): Difference | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const isSameStep = a.layer === b.layer && a.timestep === b.timestep;
  const rank = ({ value }: Difference) => sites.indexOf(value);
  return isSameStep && rank(b) < rank(a) ? b : a;
}

/** The first step on the way, in the order of computation, whose hidden states may be that far off. */
function widening(
  steps: readonly (number | undefined)[],
  { names }: WholeRun,
): RunComparison["widens"] {
  const lstm = steps.findIndex((timestep) => timestep !== undefined);
  return lstm === -1 ? undefined : { layer: names[lstm]!, timestep: steps[lstm]! };
}

function* comparePrediction(
  run: EstimatedRun,
  whole: Tensor,
  expected: Tensor,
  layer: string,
) {
  const { value, shape } = run.result;
  const theirs = expected.data as Floats;
  const differences = new Differences();
  const following = predictionBounds(run, theirs.map((e, k) => distance(value[k]!, e)));
  const { bounds, followed } = yield* following;
  const placeIn = placesIn(shape);
  const width = shape.at(-1)!;
  const ranges = Array.from(
    { length: width },
    (_, unit) => isProbability(run.result) ? 1 : largestOf(whole, unit),
  );
  let bound = 0;
  let wide: WidePlace | undefined;
  theirs.forEach((e, k) => {
    bound = Math.max(bound, bounds[k]! / Math.max(1, Math.abs(e)));
    const place = { layer, value: "prediction" as const, ...placeIn(k) };
    differences.add(() => place, k, value[k]!, e, bounds[k]!);
    const range = ranges[place.unit]!;
    if (followed.has(k) && bounds[k]! > (wide?.bound ?? 0) && isWide(bounds[k]!, range)) {
      wide = { ...place, bound: bounds[k]!, range };
    }
  });
  differences.compareWhole(whole, expected);
  const { first } = differences;
  return { row: differences.row(layer, "prediction"), first, wide, bound, bounds };
}

/** Whether a result's numbers lie between 0 and 1, whatever they were computed from. */
function isProbability({ origin }: Estimate): boolean {
  if (origin.op === "reshape") return isProbability(origin.x);
  return origin.op === "apply" && isNamed(origin.f, "softmax", "sigmoid", "hard_sigmoid");
}

/** Whether all that was compared is the same in float32. */
function sameFloat32(whole: WholeRun, expected: Expectation): boolean {
  const same = (own: Tensor, theirs: Tensor) =>
    theirs.data.every((e, k) => Math.fround(e) === Math.fround(own.data[k]!));
  return expected.layers.every((layer, lstm) =>
    Object.entries(layer).every(([value, theirs]) =>
      same(valueOf(whole.layers[lstm], value) as Tensor, theirs!)
    )
  ) && [...expected.outputs].every(([name, theirs]) => same(whole.outputs.get(name)!, theirs)) &&
    (expected.prediction === undefined || same(whole.prediction, expected.prediction));
}

/** Whether nothing comes out of a recurrent layer: in float32, every hidden state that it hands on is 0. */
function isDead(
  { goBackwards, returnSequences }: EstimatedLstm,
  { hiddenState }: CellTrace,
): boolean {
  const last = goBackwards ? 0 : -1;
  const { data } = returnSequences ? hiddenState : hiddenState.select(1, last);
  return data.every((h) => Math.abs(h) < SMALLEST);
}
