import { inWords } from "../display/number.ts";
import { table } from "../display/table.ts";
import type { View } from "../display/view.ts";
import type { FindingKind } from "./checks/finding.ts";
import type { Checkup } from "./checkup.ts";

const AS_ABOVE = "as above";
/** Why there is nothing to measure. */
const UNMEASURED: Partial<Record<FindingKind, string>> = {
  "softmax near overflow": "no softmax",
  "vanishing gradients": "no last state",
  "weights that never moved": "no history",
};

/** The findings, worst first; of a healthy model, what was measured. */
export function checkupView({ findings, measurements }: Checkup): View {
  if (findings.length === 0) {
    return table(
      measurements.map(({ check, worst, limit, unit }) => ({
        check,
        worst: worst === undefined
          ? UNMEASURED[check] ?? "not measured"
          : inWords(worst, { digits: 3 }),
        "found above": inWords(limit),
        "what it is": unit,
      })),
      { caption: "Checkup: nothing found" },
    );
  }
  return table(
    findings.map(({ kind, layer, what, cause, remedy }, k) => {
      const above = findings[k - 1];
      return {
        finding: kind,
        layer,
        what,
        cause: cause === above?.cause ? AS_ABOVE : cause,
        remedy: remedy === above?.remedy ? AS_ABOVE : remedy,
      };
    }),
    { caption: `Checkup: ${findings.length} found, worst first` },
  );
}
