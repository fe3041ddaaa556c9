import { table } from "../display/table.ts";
import { formatNumber } from "../display/number.ts";
import { JUPYTER_DISPLAY, View } from "../display/view.ts";
import { formatShape } from "../tensor/shape.ts";
import type { Comparison } from "./tensor_comparison.ts";

/** What the notebooks' runner collects for its closing table. */
export const COMPARISON_MEDIA_TYPE = "application/vnd.gatescope.comparison+json";

/** One line: the largest difference, where it is, and whether it is within what was asked. */
export function comparisonView(comparison: Comparison): View {
  const { maxAbsDiff, where, actual, expected, within, atol, rtol, shape } = comparison;
  const tolerance = [
    formatNumber(atol),
    ...(rtol === 0 ? [] : [`${formatNumber(rtol)}·|expected|`]),
  ].join(" + ");
  const verdict = within ? "within" : "beyond";
  const shown = table([{
    "largest difference": maxAbsDiff,
    at: formatShape(where),
    actual,
    expected,
  }], {
    caption: `Comparison of ${formatShape(shape)}: ${verdict} ${tolerance}`,
    digits: { "largest difference": 2, actual: 9, expected: 9 },
    rows: [verdict],
  });
  return new View(shown.text, async () => ({
    ...await shown[JUPYTER_DISPLAY](),
    [COMPARISON_MEDIA_TYPE]: { maxAbsDiff: `${maxAbsDiff}`, within },
  }));
}
