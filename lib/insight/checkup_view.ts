import { formatNumber } from "../display/number.ts";
import { table } from "../display/table.ts";
import type { View } from "../display/view.ts";
import type { Checkup } from "./checkup.ts";

/** The findings, worst first; of a healthy model, what was measured. */
export function checkupView({ findings, measurements }: Checkup): View {
  if (findings.length === 0) {
    return table(
      measurements.map(({ check, worst, limit, unit }) => ({
        check,
        worst: worst === undefined ? "not known" : formatNumber(worst, { digits: 3 }),
        "found above": formatNumber(limit),
        "what it is": unit,
      })),
      { caption: "Checkup: nothing found" },
    );
  }
  return table(
    findings.map(({ kind, layer, what, cause, remedy }) => ({
      finding: kind,
      layer,
      what,
      cause,
      remedy,
    })),
    { caption: `Checkup: ${findings.length} found, worst first` },
  );
}
