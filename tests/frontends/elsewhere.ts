// What a program outside Deno does with the package: bundled and run by elsewhere_test.ts.

import {
  compare,
  dense,
  denseForward,
  gateView,
  lineChart,
  loadModel,
  loadNpy,
  loadNpz,
  lstm,
  lstmForward,
  prove,
  saveKeras,
  saveNpz,
  savePicture,
  sequential,
  table,
  type Tensor,
  toPng,
  toSvg,
  trace,
} from "@gatescope/lstm";

const SHOWS = Symbol.for("Jupyter.display");

/** The files that it is given as bytes; their paths in `notebooks/data`. */
export const FILES = [
  "experiment1_tanh_sigmoid.npz",
  "experiment1_tanh_sigmoid_prediction.npy",
  "x.npy",
  "formats/model.onnx",
  "formats/model.safetensors",
  "formats/model.keras",
] as const;

/** What works anywhere: a short value each, or the message of its error. */
export async function computed(
  files: Readonly<Record<(typeof FILES)[number], Uint8Array>>,
): Promise<Record<string, unknown>> {
  const x = await loadNpy(files["x.npy"]);
  const keras = await loadNpy(files["experiment1_tanh_sigmoid_prediction.npy"]);
  const weights = [...(await loadNpz(files["experiment1_tanh_sigmoid.npz"])).values()];
  const [kernel, recurrentKernel, bias, denseKernel, denseBias] = weights;
  const layers = [lstm({ units: 8 }), dense({ units: 2, activation: "softmax" })];
  const model = sequential(layers, { inputShape: [3, 2] });
  model.setWeights(weights);
  const isKeras = (predicted: Tensor) => compare(predicted, keras, { atol: 2e-7 }).within;
  const html = async (view: object) => {
    const show = (view as Record<symbol, () => Promise<Record<string, unknown>>>)[SHOWS]!;
    return String((await show.call(view))["text/html"]);
  };
  const work: Record<string, () => unknown> = {
    equations: () => {
      const lstmWeights = { kernel: kernel!, recurrentKernel: recurrentKernel!, bias: bias! };
      const last = lstmForward(x, lstmWeights).hiddenState.select(1, -1);
      const head = { kernel: denseKernel!, bias: denseBias! };
      return isKeras(denseForward(last, head, { activation: "softmax" }));
    },
    predict: () => isKeras(model.predict(x)),
    onnx: async () => (await loadModel(files["formats/model.onnx"])).predict(x).toArray(),
    safetensors: async () =>
      (await loadModel(files["formats/model.safetensors"], { layers })).layers.length,
    prove: () => prove(model, x, { expected: keras }).verdict,
    fit: async () => {
      model.compile({ optimizer: "adam", loss: "categorical_crossentropy" });
      return (await model.fit(x, keras, { epochs: 2, verbose: false })).loss!.length;
    },
    toSvg: async () => (await toSvg(lineChart([1, 2, 3], { title: "a line" }))).includes("a line"),
    gateView: async () =>
      (await html(gateView(trace(model, x).layers[0]!))).includes("data:image/svg+xml"),
    table: async () => (await html(table([[1, 2]]))).startsWith("<table"),
    text: () => `${table([[1, 2]])}`,
    // Node has what this needs where h5wasm is installed beside the bundle.
    keras: () => loadModel(files["formats/model.keras"]),
  };
  return await resultsOf(work);
}

/** What is Deno's: the message of each error. */
export async function refused(): Promise<Record<string, unknown>> {
  return await resultsOf({
    path: () => loadModel("model.onnx"),
    saveNpz: () => saveNpz("weights.npz", [[1]]),
    saveKeras: () =>
      saveKeras("model.keras", sequential([lstm({ units: 1 })], { inputShape: [1, 1] })),
    savePicture: () => savePicture("line.svg", lineChart([1, 2, 3])),
    toPng: () => toPng(lineChart([1, 2, 3])),
  });
}

async function resultsOf(work: Record<string, () => unknown>): Promise<Record<string, unknown>> {
  const results: Record<string, unknown> = {};
  for (const [name, act] of Object.entries(work)) {
    try {
      results[name] = await act();
    } catch (error) {
      results[name] = String(error);
    }
  }
  return results;
}
