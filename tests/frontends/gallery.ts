// The views that every front end has to show, as the outputs of a notebook.

import {
  type Chart,
  dense,
  gateSliders,
  gateView,
  heatmap,
  html,
  lineChart,
  lstm,
  lstmForward,
  plot,
  sequential,
  table,
  Tensor,
  type View,
  weightTable,
} from "@gatescope/lstm";
import { JUPYTER_DISPLAY } from "../../lib/display/view.ts";

/** Runs as soon as something reads it as HTML, a script, or a link that is followed. */
export const HOSTILE = `</script><script>window.hacked=1</script>` +
  `<img src=x onerror="window.hacked=2">"'><a href="javascript:window.hacked=3">k</a>`;

/** Numbers between −1 and 1 that are the same each time. */
export function numbers(...shape: number[]): Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  return new Tensor(
    Float64Array.from({ length: size }, (_, i) => Math.sin(i * i * 0.7 + i)),
    shape,
  );
}

/** An LSTM's weights. */
export function weights(inputSize: number, units: number) {
  return {
    kernel: numbers(inputSize, 4 * units),
    recurrentKernel: numbers(units, 4 * units),
    bias: numbers(4 * units),
  };
}

/** Charts, which scripts make interactive. */
export function charts(): Record<string, Chart> {
  const trace = lstmForward(numbers(3, 10, 2), weights(2, 6));
  return {
    heatmap: heatmap(numbers(6, 8), { rows: "h", columns: "unit", title: "Recurrent kernel" }),
    gaps: heatmap([[1, NaN, -2], [Infinity, 0.5, 0]], { title: "Gaps" }),
    lines: lineChart(numbers(20, 4), { labels: "unit", title: "Cell state", xTitle: "timestep" }),
    bars: plot({
      data: [{ type: "bar", x: ["a", "b", "c"], y: [0.2, 0.5, 0.3] }],
      layout: { title: "Softmax", yaxis: { title: "probability" } },
    }),
    gates: gateView(trace, { title: "Inside the LSTM" }),
    hostile: heatmap([[1, 2]], {
      title: HOSTILE,
      rows: [HOSTILE],
      columns: [HOSTILE, "b"],
      valueTitle: HOSTILE,
    }),
  };
}

/** Tables and text, which need no script. */
export function tables(): Record<string, View> {
  return {
    weights: weightTable(weights(2, 4)),
    long: table(numbers(20, 40), { axes: ["timestep", "unit"], caption: "Hidden state" }),
    marks: table([[1, NaN, -1], [Infinity, 0, 0.5]], { caption: "Not finite" }),
    hostile: table([[1, 2]], { caption: HOSTILE, rows: [HOSTILE], columns: [HOSTILE, "b"] }),
    html: html`<p title="${HOSTILE}">Shown as text: ${HOSTILE}</p>`,
  };
}

/** A view that computes in the page, and is text where no script runs. */
export function sliders(): View {
  const layers = [lstm({ units: 4 }), dense({ units: 3, activation: "softmax" })];
  const model = sequential(layers, { inputShape: [5, 2], seed: 3 });
  const classes = ["up", "down", HOSTILE];
  const start = { site: "gates.input", unit: 0 } as const; // which assertGateSliders looks for
  return gateSliders(model, numbers(2, 5, 2), { title: "What if it stayed open?", classes, start });
}

/** A notebook with an output for each view. */
export async function notebook(views: Record<string, View>): Promise<string> {
  const cells = await Promise.all(
    Object.entries(views).map(async ([name, view], index) => ({
      cell_type: "code",
      execution_count: index + 1,
      id: name,
      metadata: {},
      source: `// ${name}`,
      outputs: [{
        output_type: "execute_result",
        execution_count: index + 1,
        metadata: {},
        data: await view[JUPYTER_DISPLAY](),
      }],
    })),
  );
  const kernelspec = { name: "deno", display_name: "Deno", language: "typescript" };
  return JSON.stringify({ cells, metadata: { kernelspec }, nbformat: 4, nbformat_minor: 5 });
}
