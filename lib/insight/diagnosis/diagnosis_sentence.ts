// A diagnosis in words.

import { formatCount } from "../../display/number.ts";
import type { Diagnosis, Reading } from "./diagnose.ts";
import { describeBound, short } from "../proof/proof_sentence.ts";
import { questionTitles } from "./readings.ts";

/** What a sentence has to know besides. */
export interface Told {
  readonly mostDepartures: number;
  /** Whether there are orders of gates, of which the frameworks' are not counted there. */
  readonly hasOrders: boolean;
  /** Whose arrays they can be: `an LSTM`. */
  readonly owners: readonly string[];
}

/** What a diagnosis says. */
export function diagnosisSentence(
  diagnosis: Omit<Diagnosis, "sentence">,
  { mostDepartures, hasOrders, owners }: Told,
): string {
  const { outcome, usual, readings, nearest, dead, tried } = diagnosis;
  const limit = ` of at most ${mostDepartures} departure${mostDepartures === 1 ? "" : "s"} from ` +
    `${usual}${hasOrders ? " beside a framework's gate order" : ""}`;
  const all = `${formatCount(tried)} readings` +
    (owners.length === 1 ? "" : ` as ${owners.join(" or ")}`) +
    (mostDepartures === Infinity ? "" : limit);
  const told = (reading: Reading) => inWords(reading, usual);
  if (outcome === "none") {
    const [closest] = nearest;
    return `None of ${all} explains these numbers. ` +
      (closest === undefined
        ? "None comes near."
        : `The nearest, ${told(closest)}, is off by ${short(closest.maxAbsDiff)} where rounding ` +
          `explains ${describeBound(closest.bound)}.`);
  }
  const [simplest] = readings as readonly [Reading, ...Reading[]];
  if (outcome === "one") {
    return `One of ${all} explains these numbers: ${told(simplest)}. ` +
      `It is off by ${short(simplest.maxAbsDiff)}` +
      (nearest[0] === undefined ? "." : `, the next nearest by ${short(nearest[0].maxAbsDiff)}.`);
  }
  const differ = `They differ in ${varied(readings)}`;
  if (dead) {
    return `A dead network: nothing but 0 comes out of the ${simplest.answers.cell}, so its ` +
      `prediction cannot tell readings apart. ${
        formatCount(readings.length)
      } of ${all} explain these ` +
      `numbers. ${differ}. Other inputs would tell, or the gates.`;
  }
  return `${
    formatCount(readings.length)
  } of ${all} explain these numbers, which cannot tell them ` +
    `apart. ${differ}. The simplest: ${told(simplest)}.`;
}

/** A reading by what is not as is usual. */
function inWords({ departures }: Reading, usual: string): string {
  return departures.length === 0
    ? `all as in ${usual}`
    : `${departures.join(", ")}, all else as in ${usual}`;
}

/** The questions that have more than one answer, with the answers where they are few. */
function varied(readings: readonly Reading[]): string {
  const open = questionTitles.flatMap(([key, title]) => {
    const answers = [...new Set(readings.map((reading) => reading.answers[key]))];
    return answers.length === 1 ? [] : [{ title, answers }];
  });
  const isFew = open.length <= 2 && open.every(({ answers }) => answers.length <= 4);
  const told = open.map(({ title, answers }) => isFew ? `${title} (${answers.join(", ")})` : title);
  return [told.slice(0, -1).join(", "), ...told.slice(-1)].filter((part) => part !== "").join(
    " and ",
  );
}
