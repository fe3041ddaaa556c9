import { amongNames } from "../base/names.ts";
import { checkOptions, type KeysOf } from "../base/options.ts";
import { type ChartLook, LOOK, lookOf } from "../display/chart_look.ts";
import { Chart } from "../display/figure.ts";
import { heatmap } from "../display/heatmap.ts";
import { labeller, type Labels } from "../display/labels.ts";
import { inWords } from "../display/number.ts";
import type { Figure } from "../display/plain_figure.ts";
import type { SiteName } from "../cells/sites.ts";
import { Tensor } from "../tensor/tensor.ts";
import type { PatchSweep } from "./patch_sweep.ts";

/** Which effects are shown. */
export interface SweepHeatmapOptions extends ChartLook {
  /** One site alone. Default: all of them. */
  readonly site?: SiteName;
  /** Labels of the timesteps. Default: `0`, `1`, and so on. */
  readonly timesteps?: Labels;
  /** The name of what is watched. Default: `output 1`, or `output` of the only one. */
  readonly target?: string;
}

const OPTIONS: KeysOf<SweepHeatmapOptions> = {
  site: "optional",
  timesteps: "optional",
  target: "optional",
  ...LOOK,
};

/** Of more rows than that, each nth has its label, and that of the largest effect. */
const MOST_LABELS = 24;
/** Of more rows and cells, those of the largest effects are shown: a mean of effects is none. */
const [MOST_ROWS, MOST_CELLS] = [128, 8000];

/** Site and unit over timestep; below the title stands where the effect is largest, and a frame is around it. */
export function sweepHeatmap(
  { layer, sites, timesteps, units, effects, name, baseline, estimated, aborted }: PatchSweep,
  options: SweepHeatmapOptions = {},
): Chart {
  checkOptions("show the effects", options, OPTIONS);
  const chosen = options.site === undefined ? sites : sites.filter((site) => site === options.site);
  if (chosen.length === 0) {
    throw new RangeError(
      `Cannot show the effects: the site must be ${amongNames(options.site, sites)}`,
    );
  }
  const all: Row[] = chosen.flatMap((site) =>
    units.map((unit, u) => ({
      name: `${site} of unit ${unit}`,
      effects: timesteps.map((_, t) => effects.item(sites.indexOf(site), t, u)),
    }))
  );
  const rows = strongest(all, Math.max(1, Math.min(MOST_ROWS, MOST_CELLS / timesteps.length | 0)));
  const largest = largestOf(rows);
  const samples = baseline.data.length;
  const mean = Array.from(baseline.data).reduce((a, b) => a + b, 0) / samples;
  const label = labeller(options.timesteps, timesteps.length, "timesteps");
  const column = (t: number) => options.timesteps === undefined ? String(timesteps[t]) : label(t);
  const short = (value: number) => inWords(value, { digits: 3 });
  const data = Float64Array.from(rows.flatMap(({ effects }) => effects));
  const shown = heatmap(new Tensor(data, [rows.length, timesteps.length]), {
    rows: rows.map(({ name }) => name),
    columns: column,
    title: `What moves ${options.target ?? (name === "output" ? "the output" : name)} (${
      short(mean)
    }${samples === 1 ? "" : `, the mean of ${samples} samples`})`,
    note: (largest === undefined
      ? `nothing in ${layer}`
      : `in ${layer}, most by ${rows[largest.row]!.name} at timestep ${column(largest.column)}: ${
        short(largest.effect)
      }`) +
      (estimated ? " (estimated)" : aborted ? " (stopped)" : "") +
      (rows.length < all.length
        ? `; ${rows.length} of ${all.length} rows: those of the largest effects`
        : ""),
    columnTitle: "timestep",
    valueTitle: "effect",
    sizes: false,
    ...lookOf(options),
  });
  return largest === undefined ? shown : new Chart(framed(shown, largest), shown.text);
}

/** One site of one unit. */
interface Row {
  readonly name: string;
  /** By timestep; NaN where the sweep was stopped before. */
  readonly effects: readonly number[];
}

const sizeOf = ({ effects }: Row) => Math.max(...effects.map((effect) => Math.abs(effect) || 0));

/** The rows of the largest effects, in their own order. */
function strongest(rows: readonly Row[], most: number): readonly Row[] {
  const kept = new Set(rows.toSorted((a, b) => sizeOf(b) - sizeOf(a)).slice(0, most));
  return rows.filter((row) => kept.has(row));
}

/** Undefined where no effect is known but 0. */
function largestOf(rows: readonly Row[]): Largest | undefined {
  let largest: Largest | undefined;
  rows.forEach(({ effects }, row) =>
    effects.forEach((effect, column) => {
      if (!(Math.abs(effect) > Math.abs(largest?.effect ?? 0))) return;
      largest = { effect, row, column };
    })
  );
  return largest;
}

interface Largest {
  readonly effect: number;
  readonly row: number;
  readonly column: number;
}

/** With a frame around the largest effect, whose row has its label. */
function framed({ data, layout }: Chart, { row, column }: Largest): Figure {
  const { yaxis, ...rest } = layout as { readonly yaxis: object };
  const labels = (data[0] as { readonly y: readonly string[] }).y;
  const each = Math.ceil(labels.length / MOST_LABELS);
  const isLabelled = (k: number) => k === row || k % each === 0 && Math.abs(k - row) >= each;
  return {
    data,
    layout: {
      ...rest,
      yaxis: { ...yaxis, tickmode: "array", tickvals: labels.filter((_, k) => isLabelled(k)) },
      shapes: [{
        type: "rect",
        ...{ x0: column - 0.5, x1: column + 0.5, y0: row - 0.5, y1: row + 0.5 },
        line: { color: "#222222", width: 2 },
      }],
    },
  };
}
