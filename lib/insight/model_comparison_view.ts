import { checkOptions } from "../base/options.ts";
import { type ChartLook, LOOK } from "../display/chart_look.ts";
import type { Chart } from "../display/figure.ts";
import { heatmap } from "../display/heatmap.ts";
import { formatNumber } from "../display/number.ts";
import { table } from "../display/table.ts";
import type { View } from "../display/view.ts";
import { formatShape } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { sentenceView } from "./sentence_view.ts";
import type { ModelComparison } from "./model_comparison.ts";

/** What differs first, and a line for each array, a recurrent layer's by gate. */
export function modelComparisonView({ weights, options, firstDivergence }: ModelComparison): View {
  const first = firstDivergence === undefined
    ? "all weights within the tolerance"
    : `they part at ${[firstDivergence.weight, firstDivergence.gate].filter(Boolean).join(", ")}`;
  const others = options.map(({ layer, option, actual, expected }) =>
    `; ${layer} has ${option} ${optionText(actual)} and ${optionText(expected)}`
  );
  const shown = table(
    weights.map(({ weight, gate, all, byUnit }) => ({
      weight,
      gate: gate ?? "",
      "largest difference": all.maxAbsDiff,
      at: formatShape(all.where),
      actual: formatNumber(all.actual),
      expected: formatNumber(all.expected),
      "units that differ": byUnit.data.filter((difference) => difference !== 0).length,
      "": all.within ? "within" : "beyond",
    })),
    { digits: { "largest difference": 3 } },
  );
  return sentenceView(`Comparison of two models: ${first}${others.join("")}`, shown);
}

/** The largest differences of the recurrent layers' weights: a row for each gate of each array. */
export function weightHeatmap({ weights }: ModelComparison, look: ChartLook = {}): Chart {
  checkOptions("show the differences", look, LOOK);
  const own = weights.filter(({ gate }) => gate !== undefined);
  if (own.length === 0) {
    throw new TypeError(
      "Cannot show the differences by gate: the models must have a layer with gates, but they have none",
    );
  }
  const most = Math.max(...own.map(({ byUnit }) => byUnit.data.length));
  const data = new Float64Array(own.length * most).fill(NaN);
  own.forEach(({ byUnit }, row) => data.set(byUnit.data, row * most));
  return heatmap(new Tensor(data, [own.length, most]), {
    rows: own.map(({ weight, gate }) => `${weight}, ${gate}`),
    columns: "unit",
    title: "Largest difference of each unit's weights",
    columnTitle: "unit",
    valueTitle: "|difference|",
    sizes: true,
    ...look,
  });
}

/** An option in text; a function of one's own by its name. */
function optionText(option: unknown): string | undefined {
  return JSON.stringify(
    option,
    (_, value) => typeof value === "function" ? `own ${value.activationName}` : value,
  );
}
