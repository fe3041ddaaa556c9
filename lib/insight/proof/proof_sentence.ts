// A proof in one sentence.

import { visibleLine } from "../../base/visible.ts";
import { formatNumber } from "../../display/number.ts";
import { OFF, type RunComparison } from "./compare_runs.ts";
import type { Difference, ProofPlace, ProofRow } from "./differences.ts";
import { UNBOUNDED } from "../rounding/estimate.ts";

/** What a comparison says. */
export function proofSentence(comparison: RunComparison): string {
  const sentences = [
    verdictSentence(comparison),
    looseSentence(comparison),
    deadSentence(comparison),
  ];
  return visibleLine(sentences.filter((sentence) => sentence !== undefined).join(" "));
}

/** `lstm, gates.forget of sample 0, timestep 1, unit 3` */
export function describePlace({ layer, value, sample, timestep, unit }: ProofPlace): string {
  const step = timestep === undefined ? "" : `, timestep ${timestep}`;
  return `${layer}, ${value} of sample ${sample}${step}, ${unitName(value)} ${unit}`;
}

/** What the last index counts. */
function unitName(value: ProofPlace["value"]): string {
  return value === "prediction" ? "number" : "unit";
}

/** `6.1e-7`, or `anything`. */
export function describeBound(bound: number): string {
  return bound >= UNBOUNDED ? "anything" : short(bound);
}

/** Two digits, as differences are told. */
export function short(x: number): string {
  return formatNumber(x, { digits: 2 });
}

function verdictSentence({ verdict, place, rows, drifted }: RunComparison): string {
  const numbers = rows.reduce((sum, row) => sum + row.numbers, 0);
  if (place !== undefined) return mismatchSentence(place, rows, drifted);
  if (verdict === "equal") return `Equal: ${count(numbers, "number")}, each the same float32.`;
  const { layer, value, maxAbsDiff, largest } = worstRow(rows);
  return `Rounding: ${count(numbers, "number")} compared, and float32 explains each difference. ` +
    `The largest is ${short(maxAbsDiff)}, in ${layer}'s ${value}, where it explains ` +
    `${describeBound(largest.bound)}.`;
}

function mismatchSentence(
  place: Difference,
  rows: readonly ProofRow[],
  drifted: boolean,
): string {
  const { actual, expected, bound, difference } = place;
  const inside = rows.some(({ value }) => value !== "prediction");
  const explained = drifted && inside
    ? "each step on the way is within its own rounding, but this run is chaotic and they have " +
      "grown to that"
    : difference <= bound
    ? `rounding could explain up to ${describeBound(bound)} in this run, ` +
      `but a prediction ${short(OFF)} off is not taken for it`
    : `rounding explains ${describeBound(bound)}`;
  return `Mismatch${inside && !drifted ? " first" : ""} at ${describePlace(place)}: ` +
    `${formatNumber(actual, { digits: 7 })} by the equations, ` +
    `${formatNumber(expected, { digits: 7 })} expected; ${explained}.`;
}

/** The row of the largest difference that the two whole runs have. */
function worstRow(rows: readonly ProofRow[]): ProofRow {
  return rows.reduce((a, b) => b.maxAbsDiff > a.maxAbsDiff ? b : a);
}

function looseSentence({ bound, bounds, drifted, place }: RunComparison): string | undefined {
  const said = drifted || place !== undefined && place.difference <= place.bound;
  if (bounds === undefined || bound < OFF || said) return undefined;
  return `Over this run, rounding could explain up to ${describeBound(bound)} of the prediction: ` +
    `smaller differences there prove nothing, values inside would.`;
}

function deadSentence({ dead }: RunComparison): string | undefined {
  if (dead.length === 0) return undefined;
  return `${dead.join(" and ")} ${dead.length === 1 ? "is" : "are"} dead: every hidden state ` +
    `handed on is 0, so the prediction says nothing about the weights there.`;
}

function count(n: number, noun: string): string {
  return `${n.toLocaleString("en").replaceAll(",", " ")} ${noun}${n === 1 ? "" : "s"}`;
}
