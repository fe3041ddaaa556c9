import { amongNames } from "../base/names.ts";
import { checkOptions, type KeysOf } from "../base/options.ts";
import { type ChartLook, LOOK, lookOf } from "../display/chart_look.ts";
import type { Chart } from "../display/figure.ts";
import { heatmap } from "../display/heatmap.ts";
import { labeller, type Labels } from "../display/labels.ts";
import { formatPercent, inWords } from "../display/number.ts";
import { indexAt } from "../tensor/indices.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Attribution } from "./attribution.ts";
import { sampleOf } from "./head.ts";

/** Which sums of an attribution are shown. */
export interface AttributionHeatmapOptions extends ChartLook {
  /** The sample; -1 is the last. Default: 0. */
  readonly sample?: number;
  /** By what wrote, or by unit. Default: by what wrote (each input, the hidden state, the bias). */
  readonly by?: "input" | "unit";
  /** Labels of the inputs. Default: `x[0]`, `x[1]`, and so on. */
  readonly inputs?: Labels;
  /** Labels of the timesteps. Default: the words, or `0`, `1`, and so on. */
  readonly timesteps?: Labels;
  /** The name of what is explained. Default: `logit of class 1`, or `output` of a regression. */
  readonly target?: string;
}

const OPTIONS: KeysOf<AttributionHeatmapOptions> = {
  sample: "optional",
  by: "optional",
  inputs: "optional",
  timesteps: "optional",
  target: "optional",
  ...LOOK,
};
const BY = ["input", "unit"];

/** What wrote, or the unit, over the timesteps; below the title, what it is the sum of. */
export function attributionHeatmap(
  attribution: Attribution,
  options: AttributionHeatmapOptions = {},
): Chart {
  checkOptions("show the attribution", options, OPTIONS);
  const { sample = 0, by = "input", inputs = "x", target } = options;
  if (!BY.includes(by)) {
    throw new RangeError(`Cannot show the attribution: by must be ${amongNames(by, BY)}`);
  }
  const { contributions, sources, logit, name, tokens } = attribution;
  const n = indexAt(sample, logit.data.length, {
    action: "show the attribution",
    owner: "it",
    name: "sample",
  });
  const steps = contributions.shape[1]!;
  const shared = {
    columns: labeller(options.timesteps ?? tokens?.[n], steps, "timesteps"),
    title: `${target ?? name} of ${sampleOf(n, logit.data.length)}: ${short(logit.item(n))}`,
    note: partsNote(attribution, n),
    sizes: false,
    columnTitle: "timestep",
    valueTitle: "contribution",
    ...lookOf(options),
  };
  if (by === "unit") {
    return heatmap(contributions.at(n).transpose(), { ...shared, rows: "unit", rowTitle: "unit" });
  }
  const inputSize = sources.input.shape[2]!;
  const rows = new Float64Array((inputSize + 2) * steps);
  rows.set(sources.input.at(n).transpose().data);
  rows.set(sources.hiddenState.at(n).data, inputSize * steps);
  rows.set(sources.bias.at(n).data, (inputSize + 1) * steps);
  const ofInput = labeller(inputs, inputSize, "inputs");
  return heatmap(new Tensor(rows, [inputSize + 2, steps]), {
    ...shared,
    rows: (row) =>
      row < inputSize ? ofInput(row) : row === inputSize ? "hidden state before" : "bias",
    rowTitle: "written from",
  });
}

/** What a sample's number is the sum of, and how much of all that went into it the remainder is. */
function partsNote(
  { contributions, remainder, remainderShare }: Attribution,
  n: number,
): string {
  const data = Array.from(contributions.at(n).data);
  const written = data.reduce((sum, one) => sum + one, 0);
  const sizes = data.reduce((sum, one) => sum + Math.abs(one), Math.abs(remainder.item(n)));
  return `= written ${short(written)} + remainder ${short(remainder.item(n))}: ` +
    `${formatPercent(remainderShare.item(n))} of all sizes added up, ${short(sizes)}`;
}

/** Four digits, as contributions are told. */
export function short(value: number): string {
  return inWords(value, { digits: 4 });
}
