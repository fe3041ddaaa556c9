import { checkOptions, type KeysOf } from "../base/options.ts";
import { type ChartLook, LOOK, lookOf } from "../display/chart_look.ts";
import type { Chart } from "../display/figure.ts";
import { heatmap } from "../display/heatmap.ts";
import { inWords } from "../display/number.ts";
import { table } from "../display/table.ts";
import type { View } from "../display/view.ts";
import { chooseLstm, type LstmChoice } from "../cells/choose_lstm.ts";
import { Tensor } from "../tensor/tensor.ts";
import { sentenceView } from "./sentence_view.ts";
import type { TraceComparison } from "./trace_comparison.ts";

/** Where they part first, and a line for each site. */
export function traceComparisonView(comparison: TraceComparison): View {
  const { sites, prediction, firstDivergence: first } = comparison;
  const sentence = first === undefined
    ? "Comparison of two traces: all within the tolerance"
    : `Comparison of two traces: they part at ${first.layer}, ${first.site} of sample ` +
      `${first.sample}, timestep ${first.timestep}, unit ${first.unit}: ` +
      `${inWords(first.actual)} where ${inWords(first.expected)} is expected`;
  const lines = [
    ...sites.map(({ layer, site, all }) => line(layer, site, all)),
    ...(prediction === undefined ? [] : [line("", "prediction", prediction)]),
  ];
  return sentenceView(sentence, table(lines, { digits: { "largest difference": 3 } }));
}

function line(
  layer: string,
  value: string,
  { maxAbsDiff, where, within }: NonNullable<TraceComparison["prediction"]>,
) {
  const [sample, timestep, unit] = where.length === 3 ? where : [where[0], undefined, where.at(-1)];
  return {
    layer,
    value,
    "largest difference": maxAbsDiff,
    "at sample": sample,
    timestep,
    unit,
    "": within ? "within" : "beyond",
  };
}

/** Whose differences are shown. */
export interface SiteHeatmapOptions extends ChartLook {
  /** Which recurrent layer; to be said where there are several. */
  readonly layer?: LstmChoice;
}

const OPTIONS: KeysOf<SiteHeatmapOptions> = { layer: "optional", ...LOOK };

/** The largest differences of one layer, a row for each site, a column for each unit. */
export function siteHeatmap(
  { sites }: TraceComparison,
  options: SiteHeatmapOptions = {},
): Chart {
  checkOptions("show the differences", options, OPTIONS);
  const names = [...new Set(sites.map(({ layer }) => layer))];
  const { name } = chooseLstm(
    names.map((name) => ({ name })),
    options.layer,
    "show the differences",
  );
  const own = sites.filter(({ layer }) => layer === name);
  const units = own[0]!.byUnit.shape[0]!;
  const data = Float64Array.from(own.flatMap(({ byUnit }) => [...byUnit.data]));
  return heatmap(new Tensor(data, [own.length, units]), {
    rows: own.map(({ site }) => site),
    columns: "unit",
    title: `Largest difference of each value of ${name}`,
    columnTitle: "unit",
    valueTitle: "|difference|",
    sizes: true,
    ...lookOf(options),
  });
}
