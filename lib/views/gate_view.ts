import { amongNames } from "../base/names.ts";
import { checkOptions, type KeysOf } from "../base/options.ts";
import { type ChartLook, LOOK } from "../display/chart_look.ts";
import { type Chart, chartOf } from "../display/figure.ts";
import { escapePlotly } from "../display/html.ts";
import { indexAt } from "../tensor/indices.ts";
import { formatShape } from "../tensor/shape.ts";
import { gateFigure } from "./gate_figure.ts";
import type { CellTrace } from "../cells/cell_run.ts";
import { cellOfTrace } from "../cells/cell_of_trace.ts";
import { cellEquations } from "./cell_equations.ts";
import { type LstmChoice, oneTrace } from "../cells/choose_lstm.ts";
import { withTensors } from "../cells/traced_run.ts";

/** What of a trace is shown, and how its equations are written. */
export interface GateViewOptions extends ChartLook {
  /** Which recurrent layer of a model's trace; to be said where there are several. */
  readonly layer?: LstmChoice;
  /** The sample that is shown first; -1 is the last. Default: 0. */
  readonly sample?: number;
  /** What the slider goes over. Default: samples where there are several, else timesteps. */
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
  slider: "optional",
  title: "optional",
  activation: "optional",
  recurrentActivation: "optional",
  ...LOOK,
};
const SLIDERS = ["samples", "timesteps"];

/**
 * Shows what happened inside a recurrent layer: heatmaps of its gates and states over timestep and
 * unit (i, f, c̃, o, c and h of an LSTM; z, r, h̃ and h of a GRU; h of a SimpleRNN), the equation of
 * each above it, and below them the states of the units that move most, all over one axis of
 * timesteps. A slider goes through samples or timesteps, without a kernel.
 *
 * @param whole a model's trace, or what {@linkcode lstmForward}, {@linkcode gruForward} or
 * {@linkcode simpleRnnForward} computed, `[batch, timesteps, units]` each
 * @param options the sample, the slider, a title, the activations' names, and the chart's look
 * @returns a chart; as a picture or as text it shows the first sample
 * @throws {RangeError} where there is no such sample.
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
  const action = "show the gates";
  checkOptions(action, options, OPTIONS);
  const trace = withTensors(oneTrace(whole, options.layer, action), action);
  if (options.slider !== undefined && !SLIDERS.includes(options.slider)) {
    throw new RangeError(
      `Cannot ${action}: slider must be ${amongNames(options.slider, SLIDERS)}`,
    );
  }
  const { source } = trace;
  const { sample = 0, activation = source?.activation ?? "φ" } = options;
  const { recurrentActivation = source?.recurrentActivation ?? "φ_rec" } = options;
  const cell = cellOfTrace(trace);
  const [batch = 0, timesteps = 0, units = 0] = trace.hiddenState.shape;
  const shown = indexAt(sample, batch, {
    action,
    owner: "the trace",
    name: "sample",
  });
  return chartOf(
    gateFigure(trace, {
      sample: shown,
      slider: options.slider ?? (batch > 1 ? "samples" : "timesteps"),
      title: escapePlotly(
        options.title ??
          `Inside the ${cell?.kind ?? source?.cell ?? "cell"}, ${
            formatShape([batch, timesteps, units])
          }`,
      ),
      equations: cell === undefined ? {} : cellEquations(trace, cell, {
        activation,
        recurrentActivation,
        before: source === undefined ? "before" : source.direction === "backward" ? "t+1" : "t−1",
      }),
    }),
    options,
    action,
  );
}
