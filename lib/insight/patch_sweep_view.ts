import { amongNames } from "../base/names.ts";
import { checkOptions, type KeysOf } from "../base/options.ts";
import { type ChartLook, LOOK, lookOf } from "../display/chart_look.ts";
import type { Chart } from "../display/figure.ts";
import { heatmap } from "../display/heatmap.ts";
import { labeller, type Labels } from "../display/labels.ts";
import { formatNumber } from "../display/number.ts";
import type { SiteName } from "../cells/sites.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { PatchSweep } from "./patch_sweep.ts";

/** Which effects are shown. */
export interface SweepHeatmapOptions extends ChartLook {
  /** One site alone. Default: all of them. */
  readonly site?: SiteName;
  /** Labels of the timesteps. Default: `0`, `1`, and so on. */
  readonly timesteps?: Labels;
  /** The name of what is watched. Default: `output 1`. */
  readonly target?: string;
}

const OPTIONS: KeysOf<SweepHeatmapOptions> = {
  site: "optional",
  timesteps: "optional",
  target: "optional",
  ...LOOK,
};

/** Site and unit over timestep; the title says where the effect is largest. */
export function sweepHeatmap(
  { sites, timesteps, units, effects, target, baseline, estimated, aborted }: PatchSweep,
  options: SweepHeatmapOptions = {},
): Chart {
  checkOptions("show the effects", options, OPTIONS);
  const chosen = options.site === undefined ? sites : sites.filter((site) => site === options.site);
  if (chosen.length === 0) {
    throw new RangeError(
      `Cannot show the effects: the site must be ${amongNames(options.site, sites)}`,
    );
  }
  const data = new Float64Array(chosen.length * units.length * timesteps.length);
  let [largest, where] = [0, ""];
  chosen.forEach((site, s) => {
    units.forEach((unit, u) => {
      timesteps.forEach((timestep, t) => {
        const effect = effects.item(sites.indexOf(site), t, u);
        data[(s * units.length + u) * timesteps.length + t] = effect;
        if (Math.abs(effect) <= Math.abs(largest)) return;
        [largest, where] = [effect, `${site} of unit ${unit} at timestep ${timestep}`];
      });
    });
  });
  const mean = Array.from(baseline.data).reduce((a, b) => a + b, 0) / baseline.data.length;
  const label = labeller(options.timesteps, timesteps.length, "timesteps");
  return heatmap(new Tensor(data, [chosen.length * units.length, timesteps.length]), {
    rows: (row) => `${chosen[Math.floor(row / units.length)]} of unit ${units[row % units.length]}`,
    columns: (t) => options.timesteps === undefined ? String(timesteps[t]) : label(t),
    title:
      `${options.target ?? `Output ${target}`}, ${formatNumber(mean, { digits: 3 })}: most by ` +
      `${where || "nothing"}, ${formatNumber(largest, { digits: 3 })}${
        estimated ? " (estimated)" : aborted ? " (stopped)" : ""
      }`,
    columnTitle: "timestep",
    valueTitle: "effect",
    ...lookOf(options),
  });
}
