// Every public view of a model, at the sizes that models have. As a program it writes a page with all
// of them, to look at: `deno run -A tests/views/gallery.ts gallery.html`.

import {
  attribute,
  checkup,
  compare,
  dense,
  diagnose,
  embedding,
  gateSliders,
  gateView,
  heatmap,
  html,
  lineChart,
  loadModel,
  lstm,
  memory,
  type Model,
  patchSweep,
  plot,
  plotModel,
  prove,
  saveKeras,
  sequential,
  table,
  Tensor,
  trace,
  weightTable,
} from "@gatescope/lstm";
import { JUPYTER_DISPLAY, type MediaBundle } from "../../lib/base/shown.ts";

/** How large the model is that is looked into. */
export interface Size {
  readonly samples: number;
  readonly timesteps: number;
  readonly units: number;
}

/** The article's, a sentiment model of one's own, and a long series. */
export const SIZES: Readonly<Record<string, Size>> = {
  article: { samples: 4, timesteps: 3, units: 8 },
  words: { samples: 16, timesteps: 8, units: 10 },
  long: { samples: 4, timesteps: 100, units: 64 },
};

/** Whole hundredths between −1 and 1, others in each 200: the same on every machine. */
function numbers(...shape: number[]): Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  const at = (i: number) => ((i + Math.floor(i / 200)) * 37 + 11) % 200;
  const data = Float64Array.from({ length: size }, (_, i) => (at(i) - 100) / 100);
  return new Tensor(data, shape);
}

/** A model of the size and its input: sequences of two numbers, or of words. */
function modelOf({ samples, timesteps, units }: Size): { model: Model; x: Tensor } {
  const options = { seed: 1, precision: "float64" } as const;
  if (units === 10) {
    const layers = [
      embedding({ inputDim: 40, outputDim: 6 }),
      lstm({ units }),
      dense({ units: 1, activation: "sigmoid" }),
    ];
    const x = Float64Array.from({ length: samples * timesteps }, (_, i) => (i * 7 + 3) % 40);
    return {
      model: sequential(layers, { inputShape: [timesteps], ...options }),
      x: new Tensor(x, [samples, timesteps]),
    };
  }
  const head = units === 8 ? dense({ units: 2, activation: "softmax" }) : dense({ units: 1 });
  return {
    model: sequential([lstm({ units }), head], { inputShape: [timesteps, 2], ...options }),
    x: numbers(samples, timesteps, 2),
  };
}

/** Every view by its name, as the kernel would show it. */
export async function viewsOf(size: Size): Promise<Record<string, object>> {
  const { samples, timesteps, units } = size;
  const { model, x } = modelOf(size);
  const y = model.predict(x) as Tensor;
  const other = sequentialLike(model, size);
  const inside = trace(model, x);
  const [layer] = inside.layers as [LstmTrace];
  const remembered = memory(inside);
  const attribution = attribute(model, x, { target: 0 });
  const traces = compare(trace(other, x), inside);
  const models = compare(other, model);
  const weights = weightsOf(model);
  const large = timesteps * units > 1000;
  const states = layer.hiddenState.at(0);
  const history = await other.fit(x, y, {
    epochs: large ? 3 : 12,
    verbose: false,
    validationData: [x, y],
  });
  return {
    tensor: layer.hiddenState,
    gates: layer.gates,
    table: table(states, { axes: ["timestep", "unit"], caption: "Hidden state of sample 0" }),
    records: table([{ layer: "lstm", units, timesteps }, { layer: "dense", units: 2 }]),
    heatmap: heatmap(states, {
      rows: "t",
      columns: "unit",
      title: "Hidden state of sample 0",
      rowTitle: "timestep",
      columnTitle: "unit",
    }),
    line_chart: lineChart(states, {
      labels: "unit",
      title: "Hidden state",
      xTitle: "timestep",
      yTitle: "h",
    }),
    bars: plot({
      data: [{
        type: "bar",
        x: Array.from({ length: samples }, (_, n) => `sample ${n}`),
        y: y.select(1, 0),
      }],
      layout: {
        title: "What the model predicts of each sample, in a title that is longer than a narrow " +
          "page is wide, and so stands on several lines",
      },
    }),
    gate_view: gateView(inside),
    gate_view_timesteps: gateView(inside, { slider: "timesteps", sample: -1 }),
    layer_trace: layer,
    trace: inside,
    weight_table: weightTable(weights),
    model: model,
    plot_model: plotModel(model),
    provenance: await provenanceOf(model),
    memory: remembered,
    memory_curves: remembered.curves(),
    attribution,
    attribution_by_unit: attribution.heatmap({ by: "unit", sample: 1 }),
    patch_sweep: await patchSweep(model, x, { target: 0, verbose: false, estimate: large }),
    checkup: checkup(other, x, history),
    checkup_found: checkup(deadModel(size), numbers(samples, timesteps, 2)),
    comparison: compare(other.predict(x) as Tensor, y),
    trace_comparison: traces,
    trace_comparison_heatmap: traces.heatmap(),
    model_comparison: models,
    model_comparison_heatmap: models.heatmap(),
    proof: prove(model, x),
    diagnosis: diagnosisOf(size),
    history,
    gate_sliders: gateSliders(model, x),
    html: html`<p>${"<b>"} is text</p>`,
  };
}

type LstmTrace = ReturnType<typeof trace>["layers"][number];

/** The same model with a little more in each weight of its recurrent layer. */
function sequentialLike(model: Model, size: Size): Model {
  const { model: other } = modelOf(size);
  other.compile({ optimizer: "adam", loss: "mse" });
  other.setWeights(
    (model.getWeights() as Tensor[]).map((weight, k) =>
      k === 0 && size.units === 10 ? weight : new Tensor(
        Float64Array.from(weight.data, (value, i) => value + (i % 7) / 1000),
        weight.shape,
      )
    ),
  );
  return other;
}

function weightsOf(model: Model) {
  const weights = model.getWeights() as Tensor[];
  const [kernel, recurrentKernel, bias] = weights.slice(-5);
  return { kernel: kernel!, recurrentKernel: recurrentKernel!, bias: bias! };
}

/** One whose gates are shut and whose head is dead, so that there is much to say of it. */
function deadModel({ timesteps, units }: Size): Model {
  const model = sequential(
    [lstm({ units, activation: "relu" }), dense({ units: 2, activation: "softmax" })],
    { inputShape: [timesteps, 2], seed: 1, precision: "float64" },
  );
  model.setWeights(
    (model.getWeights() as Tensor[]).map((weight) =>
      new Tensor(weight.data.map((value) => 40 * value - 20), weight.shape)
    ),
  );
  return model;
}

/** Of what it tried, as many rows at any length: 100 timesteps would take it minutes. */
function diagnosisOf({ samples, timesteps }: Size): object {
  const { model, x } = modelOf({ samples, timesteps: Math.min(timesteps, 8), units: 8 });
  return diagnose(model.getWeights() as Tensor[], x, model.predict(x) as Tensor, { cell: "lstm" });
}

async function provenanceOf(model: Model): Promise<object> {
  const folder = await Deno.makeTempDir();
  await saveKeras(`${folder}/model.keras`, model);
  const { provenance } = await loadModel(`${folder}/model.keras`);
  await Deno.remove(folder, { recursive: true });
  return provenance!;
}

/** What the kernel would send. */
export async function shown(view: object): Promise<MediaBundle> {
  return await (view as { [JUPYTER_DISPLAY](): Promise<MediaBundle> })[JUPYTER_DISPLAY]();
}

/** A page of every view at one size; each stands in a box of its own. */
export async function galleryPage(size: Size): Promise<string> {
  const sections = await Promise.all(
    Object.entries(await viewsOf(size)).map(async ([name, view]) => {
      const bundle = await shown(view);
      const html = String(bundle["text/html"] ?? `<pre>${bundle["text/plain"]}</pre>`);
      return `<section id="${name}"><h2>${name}</h2>\n${html}\n</section>`;
    }),
  );
  return `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>Gallery</title><style>
:root { color-scheme: light dark }
body { margin: 1rem; font: 14px/1.5 system-ui, sans-serif; background: light-dark(#fff, #111);
  color: light-dark(#222, #e6e6e6) }
section { margin: 2rem 0; overflow-x: auto }
h2 { font: 600 12px ui-monospace, monospace; opacity: 0.6 }
table { border-collapse: collapse; font-size: 12px }
th, td { padding: 4px 8px; text-align: right; vertical-align: middle }
</style></head><body>
${sections.join("\n")}
</body></html>
`;
}

if (import.meta.main) {
  const [file = "gallery.html", size = "words"] = Deno.args;
  await Deno.writeTextFile(file, await galleryPage(SIZES[size]!));
}
