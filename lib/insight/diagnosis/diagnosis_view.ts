import { formatCount } from "../../display/number.ts";
import { table } from "../../display/table.ts";
import type { View } from "../../display/view.ts";
import type { Diagnosis } from "./diagnose.ts";
import { sentenceView } from "../sentence_view.ts";
import { describeBound, short } from "../proof/proof_sentence.ts";

/** How many readings that explain the numbers are shown. */
const MOST_SHOWN = 12;

/** The sentence, and the evidence: the readings that explain the numbers, then the nearest others. */
export function diagnosisView({ sentence, usual, readings, nearest }: Diagnosis): View {
  const shown = readings.slice(0, MOST_SHOWN);
  const left = readings.length - shown.length;
  const rows = [...shown, ...nearest].map((reading) => ({
    reading: reading.departures.join(", ") || `all as in ${usual}`,
    "largest difference": short(reading.maxAbsDiff),
    "rounding explains": describeBound(reading.bound),
    "explains it": reading.explains ? "yes" : "no",
  }));
  if (left > 0) {
    rows.splice(shown.length, 0, {
      reading: `… and ${formatCount(left)} more`,
      "largest difference": "",
      "rounding explains": "",
      "explains it": "yes",
    });
  }
  return sentenceView(sentence, table(rows.length === 0 ? [{ reading: "none comes near" }] : rows));
}
