import { table } from "../../display/table.ts";
import { JUPYTER_DISPLAY, View } from "../../display/view.ts";
import { COMPARISON_MEDIA_TYPE } from "../comparison_view.ts";
import type { Proof } from "./proof.ts";
import { describeBound, short } from "./proof_sentence.ts";

/** The sentence, and a row for each value that was compared. */
export function proofView({ sentence, rows, verdict, maxAbsDiff }: Proof): View {
  const isInside = rows.some(({ value }) => value !== "prediction");
  const shown = table(
    rows.map(({ layer, value, numbers, beyond, maxAbsDiff, largest }) => ({
      layer,
      value,
      numbers,
      "beyond rounding": beyond,
      "largest difference": short(maxAbsDiff),
      // From here on, of a value computed from the values expected before it.
      ...(isInside ? { "of its own step": short(largest.difference) } : {}),
      ulps: Number.isFinite(largest.ulps) ? largest.ulps : `${largest.ulps}`,
      "rounding explains": describeBound(largest.bound),
      sample: largest.sample,
      ...(rows.some((row) => row.largest.timestep !== undefined)
        ? { timestep: largest.timestep }
        : {}),
      unit: largest.unit,
    })),
    { caption: sentence, digits: { ulps: 2 } },
  );
  // A mismatch is told, and not counted with what is to be near Keras: what must hold, assert() says.
  if (verdict === "mismatch") return shown;
  return new View(shown.text, async () => ({
    ...await shown[JUPYTER_DISPLAY](),
    [COMPARISON_MEDIA_TYPE]: { maxAbsDiff: `${maxAbsDiff}`, within: true },
  }));
}
