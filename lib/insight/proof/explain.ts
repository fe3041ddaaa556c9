// One number of a run, opened down to its dot product, term by term.

import { amongNames } from "../../base/names.ts";
import { isNamed } from "../../lstm/built_in.ts";
import { table } from "../../display/table.ts";
import type { View } from "../../display/view.ts";
import { indexAt } from "../../tensor/indices.ts";
import type { RunComparison } from "./compare_runs.ts";
import type { ProofPlace } from "./differences.ts";
import type { Estimate, Floats, Matrix } from "../rounding/estimate.ts";
import { type EstimatedStep, type LstmValue, lstmValues } from "../rounding/estimate_lstm.ts";
import type { EstimatedDense, EstimatedLstm } from "../rounding/estimate_model.ts";
import { distance } from "../rounding/float32.ts";
import { describeBound, describePlace, short } from "./proof_sentence.ts";

/** A line of the explanation: a factor times another one, or a result. */
interface Line {
  readonly what: string;
  readonly value?: number;
  readonly times?: string;
  readonly factor?: number;
  readonly product?: number;
}

/** More terms than that are not read; the largest ones are shown. */
const MOST_TERMS = 48;

/** Explains a number: that of `wanted`, or else of the first mismatch or the largest difference. */
export function explain(comparison: RunComparison, wanted: Partial<ProofPlace>): View {
  const place = resolve(comparison, wanted);
  return place.value === "prediction"
    ? explainPrediction(comparison, place)
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
  const layers = value === "prediction" ? [lastLayer] : run.lstms.map(({ name }) => name);
  const layer = wanted.layer ?? (layers.includes(first.layer) ? first.layer : layers.at(-1));
  check("value", value, [...lstmValues, "prediction"]);
  check("layer", layer!, layers);
  const shape = value === "prediction"
    ? run.result.shape
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

function lstmShape({ steps, parts }: EstimatedLstm): number[] {
  return [steps[0]!.x.shape[0]!, steps.length, parts.U.rows];
}

function explainInside(
  { run, expected }: RunComparison,
  place: ProofPlace,
  value: LstmValue,
): View {
  const index = run.lstms.findIndex(({ name }) => name === place.layer);
  const { parts, steps } = run.lstms[index]!;
  const { sample, unit, timestep = 0 } = place;
  const step = steps[timestep]!;
  const k = sample * parts.U.rows + unit;
  const lines = value === "cellState"
    ? cellLines(step, k)
    : value === "hiddenState"
    ? hiddenLines(step, k)
    : gateLines(run.lstms[index]!, step, value, sample, unit);
  const theirs = expected.layers[index]?.[value]?.item(sample, timestep, unit);
  return viewOf(place, lines, step.computed[value], k, step.computed[value].error, theirs);
}

function cellLines({ computed, used, before }: EstimatedStep, k: number): Line[] {
  const [f, i] = [used["gates.forget"].value[k]!, used["gates.input"].value[k]!];
  const [c, candidate] = [before.c.value[k]!, used["gates.candidate"].value[k]!];
  return [
    { what: "f", value: f, times: "c before", factor: c, product: f * c },
    { what: "i", value: i, times: "c̃", factor: candidate, product: i * candidate },
    { what: "c = f·c before + i·c̃", value: computed.cellState.value[k]! },
  ];
}

function hiddenLines({ computed, used, shown }: EstimatedStep, k: number): Line[] {
  const [o, φc] = [used["gates.output"].value[k]!, shown.value[k]!];
  return [
    { what: "c", value: used.cellState.value[k]! },
    { what: "o", value: o, times: "φ(c)", factor: φc, product: o * φc },
    { what: "h = o·φ(c)", value: computed.hiddenState.value[k]! },
  ];
}

const symbols = {
  "gates.input": ["i", "σ"],
  "gates.forget": ["f", "σ"],
  "gates.candidate": ["c̃", "φ"],
  "gates.output": ["o", "σ"],
} as const;

function gateLines(
  { parts }: EstimatedLstm,
  { x, before, z, computed }: EstimatedStep,
  value: keyof typeof symbols,
  sample: number,
  unit: number,
): Line[] {
  const units = parts.U.rows;
  const column = lstmValues.indexOf(value) * units + unit;
  const [symbol, f] = symbols[value];
  const terms = [
    ...termsOf("x", x, "W", parts.W, sample, column),
    ...termsOf("h", before.h, "U", parts.U, sample, column),
  ];
  const { activationName } = f === "σ" ? parts.σ : parts.φ;
  return [
    ...largestTerms(terms),
    ...biasLine(parts.b, column),
    { what: "z, the sum", value: z.value[sample * 4 * units + column]! },
    {
      what: `${symbol} = ${activationName}(z)`,
      value: computed[value].value[sample * units + unit]!,
    },
  ];
}

function explainPrediction(
  { run, expected, bounds, lastLayer }: RunComparison,
  place: ProofPlace,
): View {
  const { result, dense } = run;
  const { sample, timestep, unit } = place;
  const width = result.shape.at(-1)!;
  const row = timestep === undefined ? sample : sample * result.shape[1]! + timestep;
  const k = row * width + unit;
  const lines = dense === undefined
    ? [{ what: `${lastLayer}'s output`, value: result.value[k]! }]
    : denseLines(dense, result, row, unit);
  return viewOf(place, lines, result, k, bounds ?? result.error, expected.prediction?.data[k]);
}

function denseLines(
  { x, W, b, z, φ }: EstimatedDense,
  result: Estimate,
  row: number,
  unit: number,
): Line[] {
  const width = W.columns;
  const others = isNamed(φ, "softmax", "log_softmax", "sparsemax")
    ? Array.from({ length: width }, (_, c) => c).filter((c) => c !== unit)
    : [];
  return [
    ...largestTerms(termsOf("x", x, "W", W, row, unit)),
    ...biasLine(b, unit),
    { what: `z[${unit}], the sum`, value: z.value[row * width + unit]! },
    ...others.slice(0, MOST_TERMS).map((c) => ({
      what: `z[${c}], beside it`,
      value: z.value[row * width + c]!,
    })),
    { what: `${φ.activationName}(z)[${unit}]`, value: result.value[row * width + unit]! },
  ];
}

function termsOf(
  name: string,
  x: Estimate,
  weights: string,
  { data, rows, columns }: Matrix,
  row: number,
  column: number,
): Line[] {
  return Array.from({ length: rows }, (_, j) => {
    const [value, factor] = [x.value[row * rows + j]!, data[j * columns + column]!];
    const times = `${weights}[${j}, ${column}]`;
    return { what: `${name}[${j}]`, value, times, factor, product: value * factor };
  });
}

function biasLine(b: Floats | undefined, column: number): Line[] {
  return b === undefined ? [] : [{ what: `b[${column}]`, product: b[column]! }];
}

/** The terms, or where there are too many to read, the largest ones and the sum of the others. */
function largestTerms(terms: readonly Line[]): Line[] {
  if (terms.length <= MOST_TERMS) return [...terms];
  const size = ({ product = 0 }: Line) => Math.abs(product);
  const least = terms.map(size).sort((a, b) => b - a)[MOST_TERMS - 1]!;
  const shown = terms.filter((term) => size(term) >= least).slice(0, MOST_TERMS);
  const others = terms.filter((term) => !shown.includes(term));
  const product = others.reduce((sum, term) => sum + (term.product ?? 0), 0);
  return [...shown, { what: `the ${others.length} smaller terms`, product }];
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
