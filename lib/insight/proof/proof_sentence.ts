// A proof in one sentence.

import { visibleLine } from "../../base/visible.ts";
import { formatCount, inWords } from "../../display/number.ts";
import { OFF, type RunComparison, type WidePlace } from "./compare_runs.ts";
import type { Difference, ProofPlace, ProofRow } from "./differences.ts";
import { UNBOUNDED } from "../../values/bounds/estimate.ts";
import type { UnknownActivation } from "./estimated_run.ts";

/** What a comparison says. */
export function proofSentence(comparison: RunComparison): string {
  const sentences = [
    verdictSentence(comparison),
    looseSentence(comparison),
    deadSentence(comparison),
  ];
  // layers have names from files
  return visibleLine(sentences.filter((sentence) => sentence !== undefined).join(" "));
}

/** `lstm, gates.forget of sample 0, timestep 1, unit 3` */
export function describePlace({ layer, value, sample, timestep, unit }: ProofPlace): string {
  const step = timestep === undefined ? "" : `, timestep ${timestep}`;
  return `${layer}, ${value} of sample ${sample}${step}, ${unitName(value)} ${unit}`;
}

/** What the last index counts. */
function unitName(value: ProofPlace["value"]): string {
  return value === "prediction" || value === "output" ? "number" : "unit";
}

/** `6.1e-7`, or `anything`. */
export function describeBound(bound: number): string {
  return bound >= UNBOUNDED ? "anything" : short(bound);
}

/** Two digits, as differences are told. */
export function short(x: number): string {
  return inWords(x, { digits: 2 });
}

function verdictSentence({ verdict, place, rows, wide, widens, run }: RunComparison): string {
  const numbers = rows.reduce((sum, row) => sum + row.numbers, 0);
  if (place !== undefined) return mismatchSentence(place, rows);
  if (verdict === "undecided" && run.unknown !== undefined) {
    return unknownSentence(run.unknown, rows);
  }
  if (verdict === "undecided") return undecidedSentence(wide!, widens);
  if (verdict === "equal") return `Equal: ${count(numbers, "number")}, each the same float32.`;
  const { layer, value, maxAbsDiff, maxDifference, largest } = worstRow(rows);
  const own = value === "prediction" && maxAbsDiff > OFF && largest.difference < OFF
    ? `, to which steps have grown that are each within their own rounding; of its own step, ` +
      `where it is ${short(largest.difference)} off, it explains `
    : ", where it explains ";
  return `Rounding: ${count(numbers, "number")} compared, and float32 explains each difference. ` +
    `The largest is ${short(maxDifference)}, in ${layer}'s ${value}${own}` +
    `${describeBound(largest.bound)}.`;
}

/** Neither yes nor no, why, and what would decide. */
function undecidedSentence(wide: WidePlace, widens: RunComparison["widens"]): string {
  const { bound, range } = wide;
  const share = bound >= UNBOUNDED || range === 0
    ? ""
    : `, ${short(bound / range)} times its range`;
  const since = widens === undefined
    ? "Smaller inputs decide"
    : `On the way, that is so from timestep ${widens.timestep} of ${widens.layer} on: ` +
      `fewer timesteps or smaller inputs decide`;
  return `Undecided: rounding may move ${describePlace(wide)} by ${
    describeBound(bound)
  }${share}, ` +
    `so that this run proves nothing. ${since}, and so do gates and states as expected, since each ` +
    `step is then computed from those before it.`;
}

function mismatchSentence(place: Difference, rows: readonly ProofRow[]): string {
  const { actual, expected, bound } = place;
  const inside = rows.some(({ value }) => value !== "prediction");
  return `Mismatch${inside ? " first" : ""} at ${describePlace(place)}: ` +
    `${inWords(actual, { digits: 7 })} by the equations, ` +
    `${inWords(expected, { digits: 7 })} expected; rounding explains ${describeBound(bound)}.`;
}

/** What no bound is known for, nothing explains. */
function unknownSentence(
  { layer, activationName }: UnknownActivation,
  rows: readonly ProofRow[],
): string {
  const { layer: at, value, maxDifference } = worstRow(rows);
  return `Undecided: ${activationName}, the activation of ${layer}, is a function of your own, whose ` +
    `rounding in float32 nobody knows, so that no difference behind it proves anything; the ` +
    `largest is ${short(maxDifference)}, in ${at}'s ${value}.`;
}

/** The row of the largest difference that the two whole runs have. */
function worstRow(rows: readonly ProofRow[]): ProofRow {
  return rows.reduce((a, b) => b.maxAbsDiff > a.maxAbsDiff ? b : a);
}

function looseSentence({ bound, bounds, verdict, run }: RunComparison): string | undefined {
  if (bounds === undefined || bound < OFF || verdict === "undecided") return undefined;
  if (verdict === "equal" && run.unknown !== undefined) return undefined;
  return `Over this run, rounding could explain up to ${describeBound(bound)} of the prediction: ` +
    `smaller differences there prove nothing, values inside would.`;
}

function deadSentence({ dead }: RunComparison): string | undefined {
  if (dead.length === 0) return undefined;
  return `${dead.join(" and ")} ${dead.length === 1 ? "is" : "are"} dead: every hidden state ` +
    `handed on is 0, so the prediction says nothing about the weights there.`;
}

function count(n: number, noun: string): string {
  return `${formatCount(n)} ${noun}${n === 1 ? "" : "s"}`;
}
