import { amongNames } from "../base/names.ts";
import { checkOptions, type KeysOf } from "../base/options.ts";
import { type ChartLook, LOOK, lookOf } from "../display/chart_look.ts";
import type { Chart } from "../display/figure.ts";
import { heatmap } from "../display/heatmap.ts";
import { labeller, type Labels } from "../display/labels.ts";
import { formatNumber } from "../display/number.ts";
import { indexAt } from "../tensor/indices.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { Attribution } from "./attribution.ts";

/** Which sums of an attribution are shown. */
export interface AttributionHeatmapOptions extends ChartLook {
  /** The sample; -1 is the last. Default: 0. */
  readonly sample?: number;
  /** By what wrote, or by unit. Default: by what wrote (each input, the hidden state, the bias). */
  readonly by?: "input" | "unit";
  /** Labels of the inputs. Default: `x[0]`, `x[1]`, and so on. */
  readonly inputs?: Labels;
  /** Labels of the timesteps. Default: `0`, `1`, and so on. */
  readonly timesteps?: Labels;
  /** The name of what is explained. Default: `logit 1`. */
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

/** What wrote, or the unit, over the timesteps; the title has the logit and the remainder's share. */
export function attributionHeatmap(
  attribution: Attribution,
  options: AttributionHeatmapOptions = {},
): Chart {
  checkOptions("show the attribution", options, OPTIONS);
  const { sample = 0, by = "input", inputs = "x", timesteps, target } = options;
  if (!BY.includes(by)) {
    throw new RangeError(`Cannot show the attribution: by must be ${amongNames(by, BY)}`);
  }
  const { contributions, sources, logit, remainder, remainderShare } = attribution;
  const n = indexAt(sample, logit.data.length, {
    action: "show the attribution",
    owner: "it",
    name: "sample",
  });
  const steps = contributions.shape[1]!;
  const short = (value: number) => formatNumber(value, { digits: 4 });
  const title = `${target ?? `logit ${attribution.target}`} of sample ${n}: ` +
    `${short(logit.item(n))}, of which remainder ${short(remainder.item(n))} ` +
    `(${percent(remainderShare.item(n))})`;
  const shared = {
    columns: labeller(timesteps, steps, "timesteps"),
    title,
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

/** `12 %`, and `0 %` for none at all only. */
export function percent(share: number): string {
  const digits = formatNumber(100 * share, { digits: 2 });
  return `${digits} %`;
}
