import { shownAs } from "../base/shown.ts";
import type { Chart } from "../display/figure.ts";
import type { CellTrace } from "../cells/cell_run.ts";
import { revived, sourceOf, withTensors } from "../cells/traced_run.ts";
import { cellOfTrace } from "../cells/cell_of_trace.ts";
import { type SiteName, sitesOf, valueAt } from "../cells/sites.ts";
import { formatShape, sameShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Trace } from "../trace/trace.ts";
import {
  compareTensors,
  type Comparison,
  largestByUnit,
  type Tolerance,
} from "./tensor_comparison.ts";
import { siteHeatmap, type SiteHeatmapOptions } from "./trace_comparison_view.ts";

/** One value of a recurrent layer in two runs. */
export interface SiteComparison {
  /** Whose it is. */
  readonly layer: string;
  /** Which value. */
  readonly site: SiteName;
  /** The largest difference over samples and timesteps, unit by unit, `[units]`. */
  readonly byUnit: Tensor;
  /** Over all of them, `[batch, timesteps, units]`. */
  readonly all: Comparison;
}

/** Where two runs part. */
export interface Divergence {
  /** The layer. */
  readonly layer: string;
  /** The value. */
  readonly site: SiteName;
  /** The timestep of the input. */
  readonly timestep: number;
  /** The sample. */
  readonly sample: number;
  /** The unit. */
  readonly unit: number;
  /** The two values there. */
  readonly actual: number;
  /** See `actual`. */
  readonly expected: number;
}

/** How far two traces differ. */
export interface TraceComparison {
  /** Whether everything is within its tolerance; a NaN never is. */
  readonly within: boolean;
  /** The largest difference of all; NaN where either holds one. */
  readonly maxAbsDiff: number;
  /** The first value beyond its tolerance, in the order of computation; undefined where none is. */
  readonly firstDivergence: Divergence | undefined;
  /** The gates and the states of each recurrent layer: six for an LSTM. */
  readonly sites: readonly SiteComparison[];
  /** Of the two predictions, where they are traces of models. */
  readonly prediction?: Comparison;
  /** The largest differences as colours, site × unit, of one layer. */
  heatmap(options?: SiteHeatmapOptions): Chart;
}

/** Compares two traces, site by site: what {@linkcode compare} does with them. */
export function compareTraces(
  actual: Trace<CellTrace> | CellTrace,
  expected: Trace<CellTrace> | CellTrace,
  tolerance: Tolerance,
): TraceComparison {
  const [ours, theirs] = [layersOf(actual), layersOf(expected)];
  const shapes = [ours, theirs].map((layers) =>
    layers.map(({ trace }) => `${kindOfTrace(trace)} ${formatShape(trace.hiddenState.shape)}`).join(
      ", ",
    )
  );
  if (shapes[0] !== shapes[1]) {
    throw new TypeError(
      `Cannot compare the traces: their recurrent layers must be of the same shapes, ` +
        `but they are ${shapes[0] || "none"} and ${shapes[1] || "none"}`,
    );
  }
  const sites = ours.flatMap(({ name, trace }, k) =>
    stepSites(trace).map((site): SiteComparison => {
      const [a, e] = [valueAt(trace, site), valueAt(theirs[k]!.trace, site)];
      return {
        layer: name,
        site,
        byUnit: largestByUnit(a, e),
        all: compareTensors(a, e, tolerance),
      };
    })
  );
  const [p, q] = [actual, expected].map((trace) =>
    "prediction" in trace ? revived(trace.prediction, "compare the traces") : undefined
  );
  const prediction = p !== undefined && q !== undefined && sameShape(p.shape, q.shape)
    ? { prediction: compareTensors(p, q, tolerance) }
    : {};
  const parts = [...sites.map(({ all }) => all), ...Object.values(prediction)];
  const comparison: TraceComparison = {
    within: parts.every(({ within }) => within),
    maxAbsDiff: parts.reduce((largest, { maxAbsDiff }) => Math.max(largest, maxAbsDiff), 0),
    firstDivergence: firstDivergence(ours, theirs, sites, tolerance),
    sites,
    ...prediction,
    heatmap: (options) => siteHeatmap(comparison, options),
  };
  return Object.freeze(shownAs("TraceComparison", comparison));
}

/** The sites of a trace in the order of a step. */
function stepSites(trace: CellTrace): readonly SiteName[] {
  return cellOfTrace(trace)?.sites ?? sitesOf(trace);
}

/** What tells traces of cells apart. */
function kindOfTrace(trace: CellTrace): string {
  return cellOfTrace(trace)?.kind ?? trace.source?.cell ?? sitesOf(trace).join(" ");
}

interface NamedTrace {
  readonly name: string;
  readonly trace: CellTrace;
}

function layersOf(trace: Trace<CellTrace> | CellTrace): NamedTrace[] {
  const tensors = (layer: CellTrace) => withTensors(layer, "compare the traces");
  if (!("layers" in trace)) {
    return [{ name: kindOfTrace(trace).toLowerCase(), trace: tensors(trace) }];
  }
  return trace.layers.map((layer, k) => ({ name: trace.names[k]!, trace: tensors(layer) }));
}

function firstDivergence(
  ours: readonly NamedTrace[],
  theirs: readonly NamedTrace[],
  sites: readonly SiteComparison[],
  tolerance: Tolerance,
): Divergence | undefined {
  for (const [k, { name, trace }] of ours.entries()) {
    const suspects = sites.filter(({ layer, all }) => layer === name && !all.within);
    if (suspects.length === 0) continue;
    const steps = Array.from({ length: trace.hiddenState.shape[1]! }, (_, t) => t);
    const told = trace.source === undefined ? theirs[k]!.trace : trace; // by one of the two
    const { direction } = sourceOf(told, "find where the traces part");
    if (direction === "backward") steps.reverse();
    for (const timestep of steps) {
      for (const { site } of suspects) {
        const [a, e] = [trace, theirs[k]!.trace].map((one) =>
          valueAt(one, site).select(1, timestep)
        ) as [Tensor, Tensor];
        const { within, where, actual, expected } = compareTensors(a, e, tolerance);
        const [sample, unit] = where as [number, number];
        if (!within) return { layer: name, site, timestep, sample, unit, actual, expected };
      }
    }
  }
  return undefined;
}
