// Every public function and method, found in the module itself: an option that it does not know, a key
// that is misspelt, an argument of another kind is refused in words, never passed over.

import * as g from "@gatescope/lstm";
import { assert, assertEquals, assertThrows } from "@std/assert";

// deno-lint-ignore no-explicit-any
type Any = any;

const layers = [g.lstm({ units: 4, name: "lstm" }), g.dense({ units: 2, activation: "softmax" })];
const model = g.sequential(layers, { inputShape: [3, 2], seed: 1 });
model.compile({ optimizer: "adam", loss: "mse" });
const x = g.arange(6).reshape([1, 3, 2]);
const y = [[0, 1]];
const [kernel, recurrentKernel, bias, denseKernel, denseBias] = model.getWeights() as g.Tensor[];
const weights = { kernel: kernel!, recurrentKernel: recurrentKernel!, bias: bias! };
const denseWeights = { kernel: denseKernel!, bias: denseBias! };
const layerTrace = g.lstmForward(x, weights);
const gruWeights = { kernel: g.arange(6).reshape([2, 3]), recurrentKernel: [[1, 2, 3]] };
const rnnWeights = { kernel: [[1], [2]], recurrentKernel: [[1]] };
const whole = g.trace(model, x);
const state = { cellState: [[0, 0, 0, 0]], hiddenState: [[0, 0, 0, 0]] };
const run = { x, weights, trace: layerTrace };
const figure = { data: [{ type: "bar", x: [1], y: [2] }] };
const folder = await Deno.makeTempDir();
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
const [keras, onnx, npz, npy, svg, csv] = "m.keras m.onnx w.npz x.npy p.svg t.csv".split(" ")
  .map((name) => `${folder}/${name}`) as [string, string, string, string, string, string];
const pth = new URL("fixtures/formats/torch/checkpoint.pth", import.meta.url);
const recurrentInPth = {
  key: "model_state_dict",
  activation: "tanh",
  recurrentActivation: "sigmoid",
};
const inPth = { key: "model_state_dict", layers: [g.lstm({ units: 5 }), g.dense({ units: 2 })] };
await g.saveKeras(keras, model);
await g.saveNpz(npz, [x]);
await g.saveNpy(npy, x);
await Deno.writeTextFile(csv, "sample,layer,site,timestep,unit,value\n");

/**
 * What each takes: its arguments, and the options after them, where a function has options that must
 * be given. `undefined` stands for a function that takes options, all of which may be left out.
 */
interface Entry {
  readonly call: (...args: Any[]) => unknown;
  readonly args: readonly unknown[];
  readonly options?: object | undefined;
  /** Why it is not asked about options. */
  readonly none?: string;
}

const entry = (call: (...args: Any[]) => unknown, ...args: unknown[]): Entry => ({ call, args });
const ownLayer: Any = {
  className: "Own",
  outputShape: (input: Any) => input,
  run: (_: Any, [x]: Any) => ({ outputs: [x] }),
};
const ownCell: Any = {
  kind: "Own",
  gates: [],
  states: ["hiddenState"],
  step: (_: Any, { x: _x, hiddenState: h }: Any, _w: Any, at: Any) => at("hiddenState", h),
};
const withOptions = (call: (...args: Any[]) => unknown, options: object, ...args: unknown[]) => ({
  call,
  args,
  options,
});
const free = (none: string, call: (...args: Any[]) => unknown, ...args: unknown[]): Entry => ({
  call,
  args,
  none,
});
const make = (Class: Any) => (...args: unknown[]) => new Class(...args);

const attribution = g.attribute(model, x, { target: 0, tokens: ["a", "b", "c"] });
const remembered = g.memory(whole);
const sweep = await g.patchSweep(model, x, { target: 0, verbose: false, sites: ["cellState"] });
const traces = g.compare(whole, whole);
const models = g.compare(model, model);
const proof = g.prove(model, x);
const history = await model.fit(x, y, { verbose: false });
const view = new g.View("text");
const sums = "each argument is an operand";

const ENTRIES: Record<string, Entry> = {
  // numbers
  arange: entry(g.arange, 3),
  tensor: entry(g.tensor, [1, 2], [2]),
  Tensor: free("data and shape", make(g.Tensor), new Float64Array(2), [2]),
  "Tensor.reshape": free("a shape", (s: Any) => x.reshape(s), [2, 3]),
  "Tensor.at": free("indices", (k: Any) => x.at(k), 0),
  "Tensor.select": free("an axis and an index", (a: Any, k: Any) => x.select(a, k), 1, 0),
  "Tensor.transpose": free("axes", (axes: Any) => x.transpose(axes), [1, 0, 2]),
  "Tensor.item": free("indices", (...k: Any[]) => x.item(...k), 0, 0, 0),
  "Tensor.toArray": free("nothing", () => x.toArray()),
  add: free(sums, g.add, [1], [2]),
  subtract: entry(g.subtract, [1], [2]),
  multiply: free(sums, g.multiply, [1], [2]),
  dot: entry(g.dot, [[1, 2]], [[1], [2]]),

  // files
  loadNpy: entry(g.loadNpy, npy),
  loadNpz: entry(g.loadNpz, npz),
  saveNpy: entry(g.saveNpy, `${folder}/y.npy`, x),
  saveNpz: entry(g.saveNpz, `${folder}/y.npz`, [x]),
  loadModel: withOptions(g.loadModel, inPth, pth),
  loadRecurrent: withOptions(g.loadRecurrent, recurrentInPth, pth),
  saveKeras: entry(g.saveKeras, `${folder}/n.keras`, model),
  saveOnnx: entry(g.saveOnnx, onnx, model),
  saveC: entry(g.saveC, `${folder}/m.c`, model),
  saveNumpy: entry(g.saveNumpy, `${folder}/m.py`, model),
  equations: entry(g.equations, model),
  loadTrace: entry(g.loadTrace, csv),
  UnreadableFileError: free("texts", make(g.UnreadableFileError), "a", "b"),

  // the equations
  getActivation: entry(g.getActivation, "relu"),
  relu: entry(g.relu, [1]),
  sigmoid: entry(g.sigmoid, [1]),
  tanh: entry(g.tanh, [1]),
  softmax: entry(g.softmax, [1, 2]),
  splitGates: entry(g.splitGates, [1, 2, 3, 4], "keras"),
  joinGates: entry(g.joinGates, g.splitGates([1, 2, 3, 4]), "keras"),
  gruCell: entry(g.gruCell, [[1, 2]], undefined, gruWeights),
  gruForward: entry(g.gruForward, x, gruWeights),
  simpleRnnForward: entry(g.simpleRnnForward, x, rnnWeights),
  lstmCell: entry(g.lstmCell, [[1, 2]], state, weights),
  lstmForward: entry(g.lstmForward, x, weights),
  lstmBackward: entry(g.lstmBackward, run, layerTrace.hiddenState),
  denseForward: entry(g.denseForward, [[1, 2, 3, 4]], denseWeights),
  denseBackward: entry(g.denseBackward, { x: [[1, 2, 3, 4]], weights: denseWeights }, [[1, 2]]),
  gateView: entry(g.gateView, layerTrace),
  weightTable: entry(g.weightTable, weights),

  // models
  activation: entry(g.activation, "relu"),
  bidirectional: entry(g.bidirectional, g.lstm({ units: 2 })),
  dense: withOptions(g.dense, { units: 2 }),
  dropout: withOptions(g.dropout, { rate: 0.5 }),
  embedding: withOptions(g.embedding, { inputDim: 3, outputDim: 2 }),
  gru: withOptions(g.gru, { units: 2 }),
  simpleRnn: withOptions(g.simpleRnn, { units: 2 }),
  lstm: withOptions(g.lstm, { units: 2 }),
  masking: entry(g.masking),
  timeDistributed: entry(g.timeDistributed, g.dense({ units: 2 })),
  conv1D: withOptions(g.conv1D, { filters: 1, kernelSize: 1 }),
  separableConv1D: withOptions(g.separableConv1D, { filters: 1, kernelSize: 1 }),
  activityRegularization: entry(g.activityRegularization),
  conv2D: withOptions(g.conv2D, { filters: 1, kernelSize: [1, 1] }),
  averagePooling1D: entry(g.averagePooling1D),
  averagePooling2D: entry(g.averagePooling2D),
  globalAveragePooling1D: entry(g.globalAveragePooling1D),
  globalAveragePooling2D: entry(g.globalAveragePooling2D),
  globalMaxPooling1D: entry(g.globalMaxPooling1D),
  globalMaxPooling2D: entry(g.globalMaxPooling2D),
  maxPooling1D: entry(g.maxPooling1D),
  maxPooling2D: entry(g.maxPooling2D),
  batchNormalization: entry(g.batchNormalization),
  layerNormalization: entry(g.layerNormalization),
  unitNormalization: entry(g.unitNormalization),
  normalization: entry(g.normalization),
  flatten: entry(g.flatten),
  getItem: withOptions(g.getItem, { index: [0] }),
  reshape: withOptions(g.reshape, { targetShape: [1] }),
  permute: withOptions(g.permute, { dims: [1] }),
  repeatVector: withOptions(g.repeatVector, { n: 1 }),
  cropping1D: entry(g.cropping1D),
  upSampling1D: entry(g.upSampling1D),
  zeroPadding1D: entry(g.zeroPadding1D),
  identity: entry(g.identity),
  rescaling: withOptions(g.rescaling, { scale: 1 }),
  elu: entry(g.elu),
  leakyReLU: entry(g.leakyReLU),
  reLU: entry(g.reLU),
  pReLU: entry(g.pReLU),
  softmaxLayer: entry(g.softmaxLayer),
  alphaDropout: withOptions(g.alphaDropout, { rate: 0.5 }),
  gaussianDropout: withOptions(g.gaussianDropout, { rate: 0.5 }),
  gaussianNoise: withOptions(g.gaussianNoise, { stddev: 1 }),
  spatialDropout1D: withOptions(g.spatialDropout1D, { rate: 0.5 }),
  addition: entry(g.addition),
  average: entry(g.average),
  maximum: entry(g.maximum),
  minimum: entry(g.minimum),
  multiplication: entry(g.multiplication),
  subtraction: entry(g.subtraction),
  additiveAttention: withOptions(g.additiveAttention, {}),
  attention: withOptions(g.attention, {}),
  multiHeadAttention: withOptions(g.multiHeadAttention, { numHeads: 1, keyDim: 2 }),
  dotProduct: withOptions(g.dotProduct, { axes: 1 }),
  concatenate: entry(g.concatenate),
  defineCell: withOptions(g.defineCell, ownCell),
  defineLayer: withOptions(g.defineLayer, ownLayer),
  input: entry(g.input, [2]),
  functional: entry(g.functional, ...connected()),
  sequential: withOptions(g.sequential, { inputShape: [3, 2] }, layers),
  Model: withOptions(make(g.Model), { inputShape: [3, 2] }, layers),
  "Model.summary": entry((...args: Any[]) => (model.summary as Any)(...args)),
  "Model.predict": entry((...args: Any[]) => (model.predict as Any)(...args), x),
  "Model.predictAll": entry((...args: Any[]) => (model.predictAll as Any)(...args), x),
  "Model.compile": withOptions((o: Any) => model.compile(o), { optimizer: "adam", loss: "mse" }),
  "Model.fit": withOptions(
    (...args: Any[]) => (model.fit as Any)(...args),
    { verbose: false },
    x,
    y,
  ),
  "Model.evaluate": entry((...args: Any[]) => (model.evaluate as Any)(...args), x, y),
  "Model.getTrainingState": free("nothing", () => model.getTrainingState()),
  "Model.setTrainingState": free("a state", (s: Any) => model.setTrainingState(s), stateNow()),
  "Model.getWeights": free("nothing", () => model.getWeights()),
  "Model.setWeights": free("a list", (w: Any) => model.setWeights(w), model.getWeights()),
  "Model.loadWeights": entry((...args: Any[]) => (model.loadWeights as Any)(...args), keras),
  "Model.stream": withOptions((...args: Any[]) => model.stream(...args), {}),
  "Model.resetStates": free("nothing", () => model.resetStates()),

  // training
  gradients: entry(g.gradients, model, x, y),
  adam: entry(g.adam),
  rmsprop: entry(g.rmsprop),
  sgd: entry(g.sgd),
  binaryCrossentropy: entry(g.binaryCrossentropy),
  categoricalCrossentropy: entry(g.categoricalCrossentropy),
  meanAbsoluteError: entry(g.meanAbsoluteError),
  meanSquaredError: entry(g.meanSquaredError),
  sparseCategoricalCrossentropy: entry(g.sparseCategoricalCrossentropy),

  // inside, and what it means
  trace: entry(g.trace, model, x),
  attribute: withOptions(g.attribute, { target: 0 }, model, x),
  "attribute().heatmap": entry(attribution.heatmap),
  "attribute().words": entry(attribution.words),
  gateSliders: entry(g.gateSliders, model, x),
  patchSweep: withOptions(g.patchSweep, { target: 0, verbose: false }, model, x),
  "patchSweep().heatmap": entry(sweep.heatmap),
  memory: entry(g.memory, whole),
  "memory().curves": entry(remembered.curves),
  checkup: withOptions(g.checkup, { history }, model, x),
  compare: entry(g.compare, [1], [1]),
  "compare() of traces.heatmap": entry(traces.heatmap),
  "compare() of models.heatmap": entry(models.heatmap),
  prove: entry(g.prove, model, x),
  "prove().assert": free("nothing", proof.assert),
  "prove().explain": entry(proof.explain),
  diagnose: withOptions(
    g.diagnose,
    { activation: "tanh", gateOrder: "keras", recurrentActivation: "sigmoid", cell: "lstm" },
    model.getWeights(),
    x,
    model.predict(x),
  ),

  // shown by the Deno kernel
  table: entry(g.table, [[1]]),
  heatmap: entry(g.heatmap, [[1]]),
  lineChart: entry(g.lineChart, [1]),
  plot: entry(g.plot, figure),
  plotModel: entry(g.plotModel, model),
  Chart: free("a figure, checked by plot()", make(g.Chart), figure),
  toSvg: entry(g.toSvg, figure),
  toPng: entry(g.toPng, figure),
  useThreads: entry((...args: Any[]) => (g.useThreads as Any)(...args)[Symbol.dispose](), 1),
  savePicture: entry(g.savePicture, svg, figure),
  embedPlotly: entry(g.embedPlotly),
  html: free("a template", (a: Any) => g.html`<p>${a}</p>`, "a"),
  Html: free("HTML", make(g.Html), "<p>"),
  show: free("any value", () => {}),
  View: free("a text and its media", make(g.View), "a"),
  "View.toString": free("nothing", () => view.toString()),
};

function connected() {
  const start = g.input([2]);
  return [start, g.dense({ units: 1 }).apply(start)];
}

function stateNow() {
  return model.getTrainingState();
}

Deno.test("every exported function, method and method of a result is in the table below", () => {
  const found = Object.entries(g).filter(([, value]) => typeof value === "function");
  const names = found.flatMap(([name, value]) => {
    const { prototype } = value as { prototype?: object };
    const isClass = /^class\b/.test(String(value));
    const methods = isClass
      ? Object.entries(Object.getOwnPropertyDescriptors(prototype ?? {}))
        .filter(([key, { value }]) => key !== "constructor" && typeof value === "function")
        .map(([key]) => `${name}.${key}`)
      : [];
    return [name, ...methods];
  });
  const results = {
    "attribute()": attribution,
    "patchSweep()": sweep,
    "memory()": remembered,
    "compare() of traces": traces,
    "compare() of models": models,
    "compare()": g.compare([1], [1]),
    "prove()": proof,
    "trace()": whole,
    "checkup()": g.checkup(model, x),
    "fit()": history,
  };
  for (const [name, result] of Object.entries(results)) {
    const methods = Object.entries(result).filter(([, value]) => typeof value === "function");
    names.push(...methods.map(([key]) => `${name}.${key}`));
  }
  assertEquals(Object.keys(ENTRIES).toSorted(), names.toSorted());
});

const asking = Object.entries(ENTRIES).filter(([, { none }]) => none === undefined);

Deno.test("an option that a function does not know is refused, by its name", async (t) => {
  for (const [name, { call, args, options }] of asking) {
    await t.step(name, async () => {
      const message = await refusal(() => call(...args, { ...options, misspelt: 1 }), TypeError);
      assert(/^Cannot [^:]+: .* but misspelt was given/.test(message), message);
    });
  }
});

Deno.test("options that are undefined are as good as none, and so is one of them", async (t) => {
  for (const [name, { call, args, options }] of asking) {
    await t.step(name, async () => {
      if (options !== undefined) await call(...args, options);
      else await call(...args, undefined);
    });
  }
});

Deno.test("options that are no object are refused", async (t) => {
  const takesNone = /there are no options/;
  for (const [name, { call, args, options }] of asking) {
    await t.step(name, async () => {
      const asked = await refusal(() => call(...args, { ...options, misspelt: 1 }), TypeError);
      if (takesNone.test(asked)) return; // files.map(loadNpy) hands on an index: no option
      for (const wrong of [5, "text", [1], null, new Float64Array(1)]) {
        // a third argument of its own follows
        const message = await refusal(() => call(...args, wrong), TypeError);
        assertOurs(message);
      }
    });
  }
});

Deno.test("an argument of another kind is refused in words, whatever it is", async (t) => {
  const kinds: readonly unknown[] = [
    undefined,
    null,
    5,
    NaN,
    `${folder}/text`,
    true,
    [],
    [1],
    [[1, 2]],
    ["a"],
    {},
    { a: 1 },
    x,
    model,
    whole,
    layerTrace,
    () => 1,
    new Map(),
  ];
  for (const [name, { call, args, options }] of Object.entries(ENTRIES)) {
    await t.step(name, async () => {
      const raw: string[] = [];
      for (let k = 0; k < args.length; k++) {
        for (const kind of kinds) {
          const given = args.with(k, kind);
          try {
            await (options === undefined ? call(...given) : call(...given, options));
          } catch (error) {
            if (isOurs(error)) continue;
            raw.push(`${name}, argument ${k} is ${Deno.inspect(kind, { depth: 0 })}: ${error}`);
          }
        }
      }
      assertEquals(raw, []);
    });
  }
});

Deno.test("a misspelt key of weights, states, gates and other parts is refused, and a missing one", () => {
  const zeros = [[0, 0, 0, 0]];
  const gates = g.splitGates([1, 2, 3, 4]);
  const { input, forget, candidate } = gates;
  const seen = { ...state, gates: layerTrace.gates };
  assertEquals(g.lstmCell([[1, 2]], seen, weights).cellState.shape, [1, 4]); // a step is a state
  const refused: [() => unknown, string][] = [
    [
      () => g.lstmForward(x, { kernel: kernel!, recurrent_kernel: kernel } as Any),
      "Cannot compute an LSTM: the weights are kernel, recurrentKernel, bias, " +
      "but recurrent_kernel was given; did you mean recurrentKernel?",
    ],
    [() => g.lstmForward(x, { ...weights, biases: bias } as Any), "; did you mean bias?"],
    [
      () => g.lstmForward(x, { kernel: kernel! } as Any),
      "must be { kernel, recurrentKernel, bias? }, but recurrentKernel is missing",
    ],
    [
      () => g.lstmForward(x, model.getWeights() as Any),
      "the weights must be an object { kernel, recurrentKernel, bias? }, but an array of 5",
    ],
    [() => g.weightTable({ ...weights, Bias: bias } as Any), "; did you mean bias?"],
    [() => g.denseForward(zeros, { kernal: denseKernel } as Any), "; did you mean kernel?"],
    [() => g.denseForward(zeros, [denseKernel] as Any), "but an array of 1 was given"],
    [() => g.lstmCell([[1, 2]], { ...state, c: 1 } as Any, weights), "but c was given"],
    [
      () => g.lstmForward(x, weights, { initialState: { hiddenState: zeros } as Any }),
      "its state must be { cellState, hiddenState, gates? }, but cellState is missing",
    ],
    [
      () =>
        g.lstmForward(x, weights, { inputDropout: { input, forget, candidate, out: 1 } as Any }),
      "Cannot compute an LSTM: the gates of inputDropout are input, forget, candidate, output, but out was given",
    ],
    [() => g.joinGates({ input, forget, candidate } as Any), "but output is missing"],
    [() => g.joinGates({ ...gates, cell: input } as Any), "but cell was given"],
    [
      () => g.lstmBackward({ x, weights, tracs: layerTrace } as Any, zeros),
      "but tracs was given; did you mean trace?",
    ],
    [
      () => g.trace(model, x, { interventions: [{ ablate: "cellState", unt: 1 } as Any] }),
      "but unt was given; did you mean unit?",
    ],
    [
      () => g.prove(model, x, { expected: { layers: [{ cellstate: zeros }] } as Any }),
      "; did you mean cellState?",
    ],
    [
      () => g.adam({ lr: 0.1 } as Any),
      "but lr was given; did you mean learningRate?",
    ],
  ];
  for (const [call, message] of refused) assertThrows(call, TypeError, message);
});

Deno.test("a list of what is known is complete, and a suggestion says that it is one", () => {
  const compile = (optimizer: string, loss: string) => () =>
    model.compile({ optimizer, loss } as Any);
  assertThrows(
    compile("adma", "mse"),
    RangeError,
    'the optimizer must be adam, sgd or rmsprop, but "adma" was given; did you mean adam?',
  );
  assertThrows(
    compile("adam", "hinge"),
    RangeError,
    "the loss must be categorical_crossentropy, sparse_categorical_crossentropy, " +
      "binary_crossentropy, mean_squared_error, mse, mean_absolute_error or mae, " +
      'but "hinge" was given',
  );
  assertThrows(
    () => g.splitGates([1, 2, 3, 4], "torch" as Any),
    RangeError,
    "must be keras, pytorch, onnx, flax, haiku, equinox, tf1 or coreml, " +
      'but "torch" was given; did you mean pytorch?',
  );
});

Deno.test("an argument in another's place is told from it", () => {
  const told: [() => unknown, string][] = [
    [
      () => g.memory(model as Any, x as Any),
      "it takes what trace(model, x), lstmForward() or gruForward() returned, but a Model was given",
    ],
    [() => g.gateView(model as Any), "but a Model was given"],
    [
      () => g.trace(x as Any, model as Any),
      "the model must be one made by sequential() or loadModel(), but a Tensor [1, 3, 2] was given",
    ],
    [() => g.attribute(whole as Any, x), "but an object { layers, names, prediction } was given"],
    [() => g.compare(model, x as Any), "but a Model and a Tensor [1, 3, 2] were given"],
    [() => g.compare(whole as Any, x as Any), "both must be tensors, traces or models"],
    [() => (x.reshape as Any)(3, 2), "the shape must be a list such as [4, 3, 2]"],
    [() => g.table(model as Any), "but a Model was given"],
    [() => g.lineChart(new Map() as Any), "but a Map was given"],
  ];
  for (const [call, message] of told) assertThrows(call, TypeError, message);
});

Deno.test("gateView() takes a model's trace: all its layers, or the one chosen", () => {
  assertEquals(g.gateView(whole).text, g.gateView(whole.layers[0]!).text);
  const both = g.sequential([g.bidirectional(g.lstm({ units: 2 }))], { inputShape: [3, 2] });
  const two = g.trace(both, x);
  assertEquals(g.gateView(two).data.length, 2 * g.gateView(two, { layer: 0 }).data.length);
  assertEquals(g.gateView(two, { layer: 1 }).text, g.gateView(two.layers[1]!).text);
  for (
    const [options, message] of [
      [{ layer: 2 }, "the model has recurrent layers 0 to 1"],
      [{ units: 2 }, "the layer has units 0 to 1 (-1 is the last), but units is 2"],
      [{ units: [] }, "at least one unit must be chosen"],
      [{ timesteps: [1, 4] }, "within 0 to 3, but it is [1,4]"],
      [{ timesteps: 2 }, "timesteps must be [first, behind the last]"],
      [{ slider: "sample" }, "did you mean samples"],
    ] as const
  ) assertThrows(() => g.gateView(two, options as Any), RangeError, message);
});

Deno.test("compare() without a tolerance takes that of NumPy's allclose; with one part, the other is 0", () => {
  // np.allclose(a, e): |a - e| <= 1e-8 + 1e-5·|e|
  assertEquals(g.compare([1 + 1.0009e-5], [1]).within, true);
  assertEquals(g.compare([1 + 1.0011e-5], [1]).within, false);
  assertEquals(g.compare([0.9e-8], [0]).within, true);
  assertEquals(g.compare([1.1e-8], [0], {}).within, false);
  assertEquals(g.compare([1.001], [1], { rtol: 2e-3 }).within, true);
  assertEquals(g.compare([1e-9], [0], { rtol: 2e-3 }).within, false);
  assertEquals(g.compare([1 + 1e-6], [1], { atol: 1e-7 }).within, false);
});

/** Thrown by us on purpose, not by JavaScript where we looked into what was not there. */
function isOurs(error: unknown): boolean {
  return error instanceof Error && /^Cannot /.test(error.message) &&
    !/^Cannot (read (properties|private)|destructure|convert|mix|write private|access|set prop)/
      .test(error.message);
}

function assertOurs(message: string): void {
  assert(isOurs(new Error(message)), message);
}

async function refusal(call: () => unknown, Kind: typeof TypeError): Promise<string> {
  try {
    await call();
  } catch (error) {
    assert(error instanceof Kind, `${error}`);
    return error.message;
  }
  throw new Error("it was not refused");
}
