// One number of a run, opened down to its dot product, term by term.

import { amongNames } from "../../base/names.ts";
import { isNamed } from "../../values/built_in.ts";
import { table } from "../../display/table.ts";
import type { View } from "../../display/view.ts";
import { indexAt } from "../../tensor/indices.ts";
import type { RunComparison } from "./compare_runs.ts";
import type { Cell } from "../../cells/cell.ts";
import type { ProofPlace } from "./differences.ts";
import type { LstmValue } from "../../cells/lstm.ts";
import { siteNames, symbolOf } from "../../cells/sites.ts";
import type { Activation } from "../../values/activations.ts";
import type { Estimate, Floats } from "../../values/bounds/estimate.ts";
import type { EstimatedLstm, EstimatedStep } from "./estimated_run.ts";
import { ownLines } from "./explain_own.ts";
import {
  arrangedFrom,
  biasLine,
  largestTerms,
  type Line,
  MOST_TERMS,
  termsOf,
} from "./explained_terms.ts";
import { distance } from "../../values/bounds/float32.ts";
import { describeBound, describePlace, short } from "./proof_sentence.ts";

/** Explains a number: that of `wanted`, or else of the first mismatch or the largest difference. */
export function explain(comparison: RunComparison, wanted: Partial<ProofPlace>): View {
  const place = resolve(comparison, wanted);
  return place.value === "prediction" || place.value === "output"
    ? explainOutput(comparison, place)
    : explainInside(comparison, place, place.value);
}

/** The whole place; what is not said is where the proof looks first, or else the last timestep's unit 0. */
function resolve(
  { place, rows, run, lastLayer }: RunComparison,
  wanted: Partial<ProofPlace>,
): ProofPlace {
  const first = place ?? rows.at(-1)!.largest;
  const isSame = (wanted.layer ?? first.layer) === first.layer &&
    (wanted.value ?? first.value) === first.value;
  const base = isSame ? first : undefined;
  const value = wanted.value ?? base?.value ?? "hiddenState";
  const layers = value === "prediction"
    ? [lastLayer]
    : value === "output"
    ? [...run.results.keys()]
    : run.lstms.map(({ name }) => name);
  const layer = wanted.layer ?? (layers.includes(first.layer) ? first.layer : layers.at(-1));
  check("layer", layer!, layers);
  const own = run.lstms.find(({ name }) => name === layer)?.recurrence.steps[0]?.computed;
  const values = own === undefined ? siteNames : Object.keys(own);
  check("value", value, [...values, "output", "prediction"]);
  const shape = value === "prediction"
    ? run.result.shape
    : value === "output"
    ? run.results.get(layer!)!.shape
    : lstmShape(run.lstms.find(({ name }) => name === layer)!);
  const timesteps = shape.length === 3 ? shape[1]! : undefined;
  const at = (key: "sample" | "timestep" | "unit", length: number, otherwise: number) => {
    const index = wanted[key] ?? base?.[key] ?? otherwise;
    const owner = `${layer}'s ${value}`;
    return indexAt(index, length, { action: "explain", owner, name: key });
  };
  return {
    layer: layer!,
    value,
    sample: at("sample", shape[0]!, 0),
    ...(timesteps === undefined ? {} : { timestep: at("timestep", timesteps, timesteps - 1) }),
    unit: at("unit", shape.at(-1)!, 0),
  };
}

function check(key: string, value: string, known: readonly string[]): void {
  if (known.includes(value)) return;
  throw new RangeError(
    `Cannot explain: the ${key} must be ${amongNames(value, known)}`,
  );
}

function lstmShape({ recurrence: { steps } }: EstimatedLstm): number[] {
  const [batch, units] = steps[0]!.after.at(-1)!.shape as [number, number];
  return [batch, steps.length, units];
}

function explainInside(
  { run, expected }: RunComparison,
  place: ProofPlace,
  value: LstmValue,
): View {
  const index = run.lstms.findIndex(({ name }) => name === place.layer);
  const { sample, unit, timestep = 0 } = place;
  const inside = run.lstms[index]!;
  const step = inside.recurrence.steps[timestep]!;
  const own = step.computed[value]!;
  const k = sample * own.shape[1]! + unit;
  const theirs = expected.layers[index]?.[value]?.item(sample, timestep, unit);
  const lines = inside.cell.arrays !== undefined
    ? ownLines(own, step, value, k, inside)
    : own.origin.op === "products"
    ? productLines(own, step, value, k, inside.cell)
    : cellLines(own, step, value, k);
  return viewOf(place, lines, own, k, own.error, theirs);
}

/**
 * One number of f(z), down to its terms; where z is a sum of parts, each of them: a GRU's x·W + b,
 * and h·U + bR or r times it.
 */
function cellLines(own: Estimate, step: EstimatedStep, value: LstmValue, k: number): Line[] {
  const { origin } = own;
  const describe = (f: string, z: string) =>
    `${symbolOf(value, Object.keys(step.values))} = ${f}(${z})`;
  if (origin.op !== "apply" || origin.x.origin.op !== "sum") {
    return sumLines(own, k, (f) => describe(f, "z"));
  }
  const sum = origin.x;
  const parts = origin.x.origin.xs.flatMap((x, n): Line[] => {
    const name = n === 0 ? "x" : "h";
    if (x.origin.op !== "products") return affineLines(x, k, name, step);
    const [[r, inner]] = x.origin.pairs as [readonly [Estimate, Estimate]];
    const [factor, times] = [r.value[k]!, inner.value[k]!];
    return [
      ...affineLines(inner, k, name, step),
      { what: "r", value: factor, times: "the sum of h", factor: times, product: factor * times },
    ];
  });
  return [
    ...parts,
    { what: "the sum", value: sum.value[k]! },
    { what: describe(origin.f.activationName, "the sum"), value: own.value[k]! },
  ];
}

/** The terms of one number of x·W + b. */
function affineLines(x: Estimate, k: number, name: string, step: EstimatedStep): Line[] {
  const found = affineAt(x, k);
  if (found === undefined) return [{ what: `the part of ${name}`, value: x.value[k]! }];
  const { terms: [[input, W]], b, at } = found;
  const width = W.shape[1]!;
  const [row, column] = [Math.floor(at / width), at % width];
  const isReset = name === "h" && !step.before.includes(input); // r ⊙ h, before the product
  const symbol = isReset ? "(r·h)" : name;
  return [
    ...largestTerms(termsOf(symbol, input, name === "x" ? "W" : "U", W, row, column)),
    ...biasLine(b?.value, column, name === "h" ? "bR" : "b"),
    { what: `the sum of ${symbol}`, value: x.value[k]! },
  ];
}

/** The x·W + b that a number is of, and its place there. */
function affineAt({ origin }: Estimate, k: number) {
  let at = k;
  for (;;) {
    if (origin.op === "reshape") ({ origin } = origin.x);
    else if (origin.op === "arrange") {
      const found = arrangedFrom(origin, at);
      if (found === undefined) return undefined;
      [{ origin }, at] = found;
    } else break;
  }
  if (origin.op !== "affine") return undefined;
  const { terms, b } = origin;
  return { terms: terms as [readonly [Estimate, Estimate]], b, at };
}

/** Σ a·b, each factor by its name in the equation. */
function productLines(
  { origin, value }: Estimate,
  { values, before }: EstimatedStep,
  site: LstmValue,
  k: number,
  cell: Cell,
): Line[] {
  if (origin.op !== "products") return [];
  const sites = Object.keys(values) as LstmValue[];
  const nameOf = (x: Estimate): string => {
    const own = sites.find((name) => values[name] === x);
    if (own !== undefined) return symbolOf(own, sites);
    if (x.origin.op === "apply") return `φ(${nameOf(x.origin.x)})`;
    const state = before.indexOf(x);
    if (state >= 0) return `${symbolOf(cell.states[state]!, sites)} before`;
    return x.origin.op === "computed" ? `(1 − ${nameOf(x.origin.xs[0]!)})` : "a factor";
  };
  const named = origin.pairs.map(([a, b]) => [nameOf(a), nameOf(b)] as const);
  const shown = origin.pairs.flatMap(([, b]) =>
    b.origin.op === "apply" && !sites.some((name) => values[name] === b) ? [b.origin.x] : []
  );
  return [
    ...shown.map((x) => ({ what: nameOf(x), value: x.value[k]! })),
    ...origin.pairs.map(([a, b], p) => {
      const [x, y] = [a.value[k]!, b.value[k]!];
      return { what: named[p]![0], value: x, times: named[p]![1], factor: y, product: x * y };
    }),
    {
      what: `${symbolOf(site, sites)} = ${named.map((pair) => pair.join("·")).join(" + ")}`,
      value: value[k]!,
    },
  ];
}

function explainOutput({ run, expected, bounds }: RunComparison, place: ProofPlace): View {
  const isPrediction = place.value === "prediction";
  const result = isPrediction ? run.result : run.results.get(place.layer)!;
  const theirs = isPrediction ? expected.prediction : expected.outputs.get(place.layer);
  const { sample, timestep, unit } = place;
  const width = result.shape.at(-1)!;
  const row = timestep === undefined ? sample : sample * result.shape[1]! + timestep;
  const k = row * width + unit;
  const found = sumLines(result, k, (f) => `${f}(z)[${unit}]`, unit);
  const lines = found.length > 0
    ? found
    : [{ what: `${place.layer}'s output`, value: result.value[k]! }];
  const own = isPrediction ? bounds : undefined;
  return viewOf(place, lines, result, k, own ?? result.error, theirs?.data[k]);
}

/** One number of f(x·W + b), down to its terms; none where it came about otherwise. */
function sumLines(
  result: Estimate,
  k: number,
  describe: (activation: string) => string,
  unit?: number,
): Line[] {
  let [{ origin }, at] = [result, k];
  let f: Activation | undefined;
  for (;;) {
    if (origin.op === "reshape") ({ origin } = origin.x);
    else if (origin.op === "apply" && (f === undefined || isNamed(f, "linear"))) {
      f = origin.f;
      ({ origin } = origin.x);
    } else if (origin.op === "arrange") {
      const found = arrangedFrom(origin, at);
      if (found === undefined) return [];
      [{ origin }, at] = found;
    } else break;
  }
  if (origin.op !== "affine" || f === undefined) return [];
  const { terms, b } = origin;
  const width = terms[0]![1].shape[1]!;
  const [row, column] = [Math.floor(at / width), at % width];
  const z = (c: number) => preActivation(terms, b, row, c);
  const others = isNamed(f, "softmax", "log_softmax", "sparsemax")
    ? Array.from({ length: width }, (_, c) => c).filter((c) => c !== column)
    : [];
  const names = [["x", "W"], ["h", "U"]] as const;
  const products = terms.flatMap(([x, W], n) =>
    termsOf(names[n]![0], x, names[n]![1], W, row, column)
  );
  return [
    ...largestTerms(products),
    ...biasLine(b?.value, column),
    { what: unit === undefined ? "z, the sum" : `z[${unit}], the sum`, value: z(column) },
    ...others.slice(0, MOST_TERMS).map((c) => ({ what: `z[${c}], beside it`, value: z(c) })),
    { what: describe(f.activationName), value: result.value[k]! },
  ];
}

function preActivation(
  terms: readonly (readonly [Estimate, Estimate])[],
  b: Estimate | undefined,
  row: number,
  column: number,
): number {
  let sum = b?.value[column] ?? 0;
  for (const [x, { value, shape: [length = 0, width = 0] }] of terms) {
    for (let j = 0; j < length; j++) sum += x.value[row * length + j]! * value[j * width + column]!;
  }
  return sum;
}

function viewOf(
  place: ProofPlace,
  lines: readonly Line[],
  { value }: Estimate,
  k: number,
  bounds: Floats,
  theirs: number | undefined,
): View {
  const [own, bound] = [value[k]!, bounds[k]!];
  const verdict: Line[] = theirs === undefined ? [] : [
    { what: "expected", value: theirs },
    { what: "difference", value: own - theirs },
  ];
  const explained = theirs === undefined
    ? `rounding may move it by ${describeBound(bound)}`
    : `off by ${short(distance(own, theirs))}, rounding explains ${describeBound(bound)}`;
  const all = [...lines, ...verdict];
  const column = (pick: (line: Line) => string | number | undefined) => all.map(pick);
  const hasTerms = all.some(({ times }) => times !== undefined);
  return table({
    "": column(({ what }) => what),
    value: column((line) => line.value),
    ...(hasTerms
      ? {
        times: column(({ times }) => times),
        factor: column(({ factor }) => factor),
        product: column(({ product }) => product),
      }
      : {}),
  }, {
    caption: `${describePlace(place)}: ${explained}`,
    digits: { value: 9, factor: 9, product: 9 },
    maxRows: Infinity,
  });
}
