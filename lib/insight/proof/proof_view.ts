import { table } from "../../display/table.ts";
import { JUPYTER_DISPLAY, View } from "../../display/view.ts";
import { COMPARISON_MEDIA_TYPE } from "../comparison_view.ts";
import { sentenceView } from "../sentence_view.ts";
import type { Proof } from "./proof.ts";
import { describeBound } from "./proof_sentence.ts";

/** The sentence, and a row for each value that was compared. */
export function proofView({ sentence, rows, verdict, maxAbsDiff }: Proof): View {
  const isInside = rows.some(({ value }) => value !== "prediction");
  const hasTime = rows.some((row) => row.largest.timestep !== undefined);
  const bounded = rows.every(({ largest }) => describeBound(largest.bound) !== "anything");
  const shown = sentenceView(
    sentence,
    table(
      rows.map(({ layer, value, numbers, beyond, maxDifference, largest }) => ({
        layer,
        value,
        numbers,
        "beyond rounding": beyond,
        "largest difference": maxDifference,
        // From here on, of a value computed from the values expected before it.
        ...(isInside ? { "of its own step": largest.difference } : {}),
        ulps: largest.ulps,
        "rounding explains": bounded ? largest.bound : describeBound(largest.bound),
        sample: largest.sample,
        ...(hasTime ? { timestep: largest.timestep } : {}),
        unit: largest.unit,
      })),
      {
        digits: {
          "largest difference": 3,
          "of its own step": 3,
          ulps: 2,
          "rounding explains": 3,
        },
      },
    ),
  );
  // A mismatch is told, and not counted with what is to be near Keras: what must hold, assert() says.
  if (verdict === "mismatch" || verdict === "undecided") return shown;
  return new View(shown.text, async () => ({
    ...await shown[JUPYTER_DISPLAY](),
    [COMPARISON_MEDIA_TYPE]: { maxAbsDiff: `${maxAbsDiff}`, within: true },
  }));
}
