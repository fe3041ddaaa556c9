// Every view as it is seen: compared with what a person has looked at. Numbers of pictures are
// rounded by the writer; a mismatch writes `*-changed.*` beside the snapshot. To accept it, rename.

import {
  gateView,
  gruForward,
  heatmap,
  html,
  lineChart,
  lstmForward,
  plot,
  simpleRnnForward,
  splitGates,
  table,
  Tensor,
  type View,
  weightTable,
} from "@gatescope/lstm";
import { JUPYTER_DISPLAY } from "../../lib/display/view.ts";
import { assertSnapshot, onLines, partsOf } from "./snapshot.ts";

/** Whole hundredths, so that no last digit depends on a machine's sine. */
function numbers(...shape: number[]): Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  const data = Float64Array.from({ length: size }, (_, i) => ((i * 37 + 11) % 200 - 100) / 100);
  return new Tensor(data, shape);
}

const weights = {
  kernel: numbers(2, 16),
  recurrentKernel: numbers(4, 16),
  bias: numbers(16),
};
const gru = {
  kernel: numbers(2, 12),
  recurrentKernel: numbers(4, 12),
  bias: numbers(2, 12),
};
const rnn = { kernel: numbers(2, 4), recurrentKernel: numbers(4, 4), bias: numbers(4) };
const trace = lstmForward(numbers(2, 5, 2), weights);

const VIEWS: Record<string, object> = {
  heatmap: heatmap(numbers(3, 4), { rows: "h", columns: "unit", title: "Kernel", valueTitle: "w" }),
  heatmap_gaps: heatmap([[1, NaN], [-Infinity, 0.5]]),
  heatmap_thinned: heatmap(numbers(150, 250), { title: "Large" }),
  line_chart: lineChart({ tanh: [-1, 0, 1], relu: [0, 0, 1] }, { title: "Curves", xTitle: "z" }),
  bars: plot({
    data: [{ type: "bar", x: ["a", "b"], y: [0.2, 0.8] }],
    layout: { title: "Softmax", annotations: [{ x: "b", y: 0.8, text: "the largest" }] },
  }),
  panels: plot({
    data: [{ type: "heatmap", z: [[1, 2], [3, 4]] }, { y: [1, 2], xaxis: "x2", yaxis: "y2" }],
    layout: { grid: { rows: 1, columns: 2, pattern: "independent" } },
  }),
  gate_view: gateView(trace, { title: "Inside" }),
  gate_view_gru: gateView(gruForward(numbers(2, 5, 2), gru), { title: "Inside" }),
  gate_view_rnn: gateView(simpleRnnForward(numbers(2, 5, 2), rnn), { slider: "timesteps" }),
  layer_trace: trace,
  gates: lstmForward(numbers(1, 2, 2), weights).gates,
  split_gates: splitGates(weights.bias),
  tensor: numbers(2, 2, 3),
  tensor_not_finite: new Tensor(new Float64Array([NaN, 1, -Infinity, 0]), [2, 2]),
  table_cut: table(numbers(14, 16), { axes: ["timestep", "unit"], caption: "Cut" }),
  records: table([{ layer: "lstm", parameters: 352 }, { layer: "dense", parameters: 18 }]),
  weights: weightTable(weights),
  weights_gru: weightTable(gru),
  html: html`<p>${"<b>"}</p>`,
};

for (const [name, view] of Object.entries(VIEWS)) {
  Deno.test(`${name} looks as it did`, async () => {
    const bundle = await (view as View)[JUPYTER_DISPLAY]();
    await assertSnapshot(`${name}.txt`, partsOf(bundle));
    const picture = bundle["image/svg+xml"];
    if (picture !== undefined) await assertSnapshot(`${name}.svg`, onLines(String(picture)));
  });
}
