import { amongNames } from "../base/names.ts";
import { checkOptions, type KeysOf } from "../base/options.ts";
import { type ChartLook, LOOK } from "../display/chart_look.ts";
import { type Chart, chartOf } from "../display/figure.ts";
import { escapePlotly } from "../display/html.ts";
import { plainFigure } from "../display/plain_figure.ts";
import type { CellTrace } from "../cells/cell_run.ts";
import { cellOfTrace } from "../cells/cell_of_trace.ts";
import { type LstmChoice, namedTraces } from "../cells/choose_lstm.ts";
import { withTensors } from "../cells/traced_run.ts";
import { indexAt, indices } from "../tensor/indices.ts";
import { formatShape } from "../tensor/shape.ts";
import { cellEquations } from "./cell_equations.ts";
import { gateFigure, type ShownLayer } from "./gate_figure.ts";
import { fittingLayers, type LayerPart } from "./gate_part.ts";
import { carried, type Show } from "./gate_travel.ts";

/** What of a trace is shown, and how its equations are written. */
export interface GateViewOptions extends ChartLook {
  /** Which recurrent layer of a model's trace. Default: each, one below the other. */
  readonly layer?: LstmChoice;
  /** The sample that is shown first; -1 is the last. Default: 0. */
  readonly sample?: number;
  /** The units, in this order. Default: all, or so many of the first as an output can carry. */
  readonly units?: number | readonly number[];
  /** The first timestep, and the one behind the last. Default: all, or so many as fit. */
  readonly timesteps?: readonly [number, number];
  /** What the one slider goes over. Default: both have one. */
  readonly slider?: "samples" | "timesteps";
  /** What the view shows. */
  readonly title?: string;
  /** The layer's activation, as the equations write it. Default: the trace's own. */
  readonly activation?: string;
  /** The layer's recurrent activation, in the same way; `"sigmoid"` is written σ. */
  readonly recurrentActivation?: string;
}

const OPTIONS: KeysOf<GateViewOptions> = {
  layer: "optional",
  sample: "optional",
  units: "optional",
  timesteps: "optional",
  slider: "optional",
  title: "optional",
  activation: "optional",
  recurrentActivation: "optional",
  ...LOOK,
};
const ACTION = "show the gates";
const SHARED = "one scale of colours for all samples";
const SLIDERS = ["samples", "timesteps"] as const;

/**
 * Shows what happened inside a recurrent layer: heatmaps of its gates and states over timestep and
 * unit (i, f, c̃, o, c and h of an LSTM; z, r, h̃ and h of a GRU; h of a SimpleRNN), the equation of
 * each above it, and below them the states of the units that move most, all over one axis of
 * timesteps. Of a model, each layer below the other. Sliders go through samples and timesteps,
 * without a kernel.
 *
 * Each cell is one value, never a mean. An output carries some 200 kB: where that is too little for
 * all samples, the page computes them from inputs and weights, and else the line below the title says
 * which are not there.
 *
 * @param whole a model's trace, or what {@linkcode lstmForward}, {@linkcode gruForward} or
 * {@linkcode simpleRnnForward} computed, `[batch, timesteps, units]` each
 * @param options the layer, sample, units and timesteps, sliders, a title, the activations' names,
 * and the chart's look
 * @returns a chart; as a picture or as text it shows the first sample
 * @throws {RangeError} where there is no such layer, sample, unit or timestep.
 *
 * @example
 * ```ts
 * import { arange, gateView, lstmForward } from "@gatescope/lstm";
 *
 * const trace = lstmForward(arange(8).reshape([1, 4, 2]), {
 *   kernel: [[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8]],
 *   recurrentKernel: [[0.1, 0.2, 0.3, 0.4]],
 *   bias: [0, 1, 0, 0],
 * });
 * gateView(trace, { title: "One unit" });
 * ```
 */
export function gateView(
  whole: CellTrace | { readonly layers: readonly CellTrace[]; readonly names: readonly string[] },
  options: GateViewOptions = {},
): Chart {
  checkOptions(ACTION, options, OPTIONS);
  if (options.slider !== undefined && !SLIDERS.includes(options.slider)) {
    throw new RangeError(
      `Cannot ${ACTION}: slider must be ${amongNames(options.slider, SLIDERS)}`,
    );
  }
  const all = namedTraces(whole, options.layer, ACTION).map(({ name, trace }) =>
    partOf(name, withTensors(trace, ACTION), options)
  );
  const batch = batchOf(all);
  const sample = indexAt(options.sample ?? 0, batch, {
    action: ACTION,
    owner: "the trace",
    name: "sample",
  });
  const fitting = fittingLayers(all);
  const layers = fitting.shown.map((part) => ({ ...part, equations: equationsOf(part, options) }));
  const title = escapePlotly(options.title ?? titleOf(all));
  const show: Show = (layers, samples, own) =>
    plainFigure(gateFigure(layers, {
      samples,
      sample,
      title,
      notes: [...own, ...fitting.notes, ...(batch > 1 ? [SHARED] : [])],
      sliders: SLIDERS.filter((slider) =>
        (slider === "samples" ? samples.length : longestOf(layers)) > 1 &&
        (options.slider === undefined || options.slider === slider)
      ),
    }));
  const only = options.slider === "timesteps" ? [sample] : undefined;
  const { figure, travel } = carried(show, layers, batch, sample, only);
  return chartOf(figure, options, ACTION, undefined, travel);
}

function partOf(name: string, trace: CellTrace, options: GateViewOptions): LayerPart {
  const [, timesteps = 0, units = 0] = trace.hiddenState.shape;
  const counted = (name: string) => ({ action: ACTION, owner: "the layer", name });
  const { timesteps: span = [0, timesteps] } = options;
  const [from, to] = Array.isArray(span) ? span : [NaN, NaN];
  if (
    !(Number.isInteger(from) && Number.isInteger(to) && 0 <= from && from < to && to <= timesteps)
  ) {
    throw new RangeError(
      `Cannot ${ACTION}: timesteps must be [first, behind the last] within 0 to ${timesteps}, ` +
        `but it is ${JSON.stringify(options.timesteps)}`,
    );
  }
  const chosen = indices(options.units, units, { ...counted("unit"), option: "units" });
  if (chosen.length === 0) {
    throw new RangeError(`Cannot ${ACTION}: at least one unit must be chosen, but units is []`);
  }
  return { name, trace, units: chosen, timesteps: [from, to] };
}

/** The number of samples, which all layers must share: one slider goes through them. */
function batchOf(layers: readonly LayerPart[]): number {
  const batches = layers.map(({ trace }) => trace.hiddenState.shape[0] ?? 0);
  const other = batches.findIndex((batch) => batch !== batches[0]);
  if (other === -1) return batches[0]!;
  throw new RangeError(
    `Cannot ${ACTION}: layers shown together must have the same samples, but ${
      layers[0]!.name
    } has ` +
      `${batches[0]} and ${layers[other]!.name} ${batches[other]}; choose one by \`layer\``,
  );
}

const longestOf = (layers: readonly ShownLayer[]) =>
  Math.max(...layers.map(({ timesteps: [from, to] }) => to - from));

function titleOf(layers: readonly LayerPart[]): string {
  const [{ trace }] = layers as [LayerPart];
  const what = (trace: CellTrace) => cellOfTrace(trace)?.kind ?? trace.source?.cell ?? "cell";
  const size = formatShape(trace.hiddenState.shape);
  return layers.length === 1
    ? `Inside the ${what(trace)}, ${size}`
    : `Inside ${layers.length} recurrent layers`;
}

function equationsOf({ trace }: LayerPart, options: GateViewOptions): Record<string, string> {
  const { source } = trace;
  const cell = cellOfTrace(trace);
  if (cell === undefined) return {};
  const { activation = source?.activation ?? "φ" } = options;
  const { recurrentActivation = source?.recurrentActivation ?? "φ_rec" } = options;
  const before = source === undefined ? "before" : source.direction === "backward" ? "t+1" : "t−1";
  return { ...cellEquations(trace, cell, { activation, recurrentActivation, before }) };
}
