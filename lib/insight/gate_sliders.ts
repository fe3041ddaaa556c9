import { checkOptions, type KeysOf } from "../base/options.ts";
import { toBase64 } from "../display/base64.ts";
import { contentKey } from "../display/content_key.ts";
import { escapeHtml, scriptJson } from "../display/html.ts";
import { labeller, type Labels } from "../display/labels.ts";
import { formatNumber } from "../display/number.ts";
import { View } from "../display/view.ts";
import { type Activation, lstmActivation } from "../lstm/activations.ts";
import { isBuiltIn, isNamed } from "../lstm/built_in.ts";
import { pageSource } from "../lstm/page_source.ts";
import { runOf } from "../lstm/traced_run.ts";
import { siteNames } from "../lstm/sites.ts";
import { type Model, networkOf } from "../model/model.ts";
import { indexAt } from "../tensor/indices.ts";
import { asFloat64, type Tensor, type TensorLike } from "../tensor/tensor.ts";
import { headOf } from "./head.ts";
import { SLIDERS } from "./slider_script.ts";

/** What the sliders move, and how it is called. */
export interface GateSlidersOptions {
  /** The sample: 0 unless said, -1 is the last. */
  readonly sample?: number;
  /** Labels of the units: `unit 0`, … unless said. */
  readonly units?: Labels;
  /** Labels of the timesteps: `timestep 0`, … unless said. */
  readonly timesteps?: Labels;
  /** Labels of the classes: `class 0`, … unless said. */
  readonly classes?: Labels;
  /** What the view shows. */
  readonly title?: string;
}

const OPTIONS: KeysOf<GateSlidersOptions> = {
  sample: "optional",
  units: "optional",
  timesteps: "optional",
  classes: "optional",
  title: "optional",
};

/** How far the page's numbers may be from the library's; the same source gives the same. */
const SAME = 1e-6;

/**
 * Gate surgery by hand: choose a gate or state, a unit and a timestep, drag, and watch the cell state
 * and the prediction move.
 *
 * The page computes on its own, without a kernel: with the source of {@linkcode lstmForward} and
 * {@linkcode denseForward} themselves, which this function writes into the output and, before that,
 * compares with the library's own numbers. Of stacked LSTMs, it is the last one.
 *
 * @param model whose last LSTM hands on its last hidden state, followed by Dense, Dropout and
 * Activation layers; not a Bidirectional
 * @param x `[batch, …]`, as for `model.predict`, of which one sample is taken
 * @param options the sample, and labels
 * @returns a view; where no script runs, it is the prediction as text
 * @throws {TypeError} where the model is of another kind.
 * @throws {RangeError} where there is no such sample.
 *
 * @example
 * ```ts
 * import { arange, dense, gateSliders, lstm, sequential } from "@gatescope/lstm";
 *
 * const layers = [lstm({ units: 8 }), dense({ units: 2, activation: "softmax" })];
 * const model = sequential(layers, { inputShape: [3, 2], seed: 1 });
 * gateSliders(model, arange(24).reshape([4, 3, 2]), { classes: ["down", "up"] });
 * ```
 */
export function gateSliders(
  model: Model,
  x: TensorLike,
  options: GateSlidersOptions = {},
): View {
  const network = networkOf(model, "make sliders");
  checkOptions("make sliders", options, OPTIONS);
  const head = headOf(network, "make sliders");
  const { layer, name } = network.layers[head.layer]!;
  if (layer.className !== "LSTM") {
    throw new TypeError(
      `Cannot make sliders as the last LSTM must go in one direction: ` +
        `current layer ${name} is a ${layer.className}`,
    );
  }
  const input = network.checkInput(x, "make sliders");
  const n = indexAt(options.sample ?? 0, input.shape[0]!, {
    action: "make sliders",
    owner: "the input",
    name: "sample",
  });
  const forward = network.forward(input);
  const trace = forward.traces[head.layer]![0]!;
  const { x: own, weights, options: ran } = runOf(trace)!;
  const [, timesteps, units] = trace.cellState.shape as [number, number, number];

  const activations: Activation[] = [
    lstmActivation(ran.activation ?? "tanh"),
    lstmActivation(ran.recurrentActivation ?? "sigmoid"),
  ];
  const operations = [
    ...head.operations,
    ...head.closing.map((activation) => ({ activation })),
  ].map((operation) =>
    "activation" in operation ? { activation: activations.push(operation.activation) - 1 } : {
      kernel: packed(operation.kernel),
      ...(operation.bias && { bias: packed(operation.bias) }),
    }
  );
  const foreign = activations.find((activation) => !isBuiltIn(activation));
  if (foreign !== undefined) {
    throw new TypeError(
      `Cannot make sliders: the page computes with the activations that getActivation() makes, ` +
        `but ${foreign.activationName} is a function of your own`,
    );
  }
  const prediction = Array.from(forward.output.at(n).data);
  const goBackwards = ran.goBackwards === true;
  const classes = labeller(options.classes ?? ((k) => `class ${k}`), prediction.length, "classes");
  const page = {
    title: options.title ?? `What if? ${name}, sample ${n}`,
    sites: siteNames,
    units,
    timesteps,
    goBackwards,
    last: goBackwards ? 0 : timesteps - 1,
    unitLabels: labels(options.units ?? ((u) => `unit ${u}`), units, "units"),
    timestepLabels: labels(options.timesteps ?? ((t) => `timestep ${t}`), timesteps, "timesteps"),
    classLabels: prediction.map((_, k) => classes(k)),
    probabilities: isNamed(activations.at(-1)!, "softmax", "sigmoid") && head.closing.length > 0,
    x: packed(ofSample(own, n)),
    weights: Object.fromEntries(
      Object.entries(weights).filter(([, array]) => array !== undefined)
        .map(([key, array]) => [key, packed(asFloat64(array))]),
    ),
    ...(ran.mask === undefined ? {} : { mask: packed(ofSample(asFloat64(ran.mask), n)) }),
    ...(ran.initialState === undefined ? {} : {
      initialState: {
        cellState: packed(ofSample(asFloat64(ran.initialState.cellState), n)),
        hiddenState: packed(ofSample(asFloat64(ran.initialState.hiddenState), n)),
      },
    }),
    head: operations,
  };
  const equations = pageSource(activations);
  const key = contentKey(equations + JSON.stringify(page));
  const script = scriptOf(key, equations, page);
  checkSame(script, prediction);

  const text = [
    page.title,
    ...prediction.map((value, k) => `- ${classes(k)}: ${formatNumber(value)}`),
  ].join("\n").replaceAll(/[^\S\n]+/g, " ");
  return new View(text, () => ({ "text/html": slidersHtml(key, script, text) }));
}

function labels(of: Labels, length: number, axis: string): string[] {
  const label = labeller(of, length, axis);
  return Array.from({ length }, (_, index) => label(index));
}

/** `[batch, …]` becomes `[1, …]`. */
function ofSample(x: Tensor, n: number): Tensor {
  return x.at(n).reshape([1, ...x.shape.slice(1)]);
}

/** Numbers for the page, to the last bit. */
function packed(x: Tensor): { base64: string; shape: readonly number[]; float32: boolean } {
  const float32 = x.data.every((value) => Object.is(Math.fround(value), value));
  const numbers = float32 ? Float32Array.from(x.data) : Float64Array.from(x.data);
  return { base64: toBase64(new Uint8Array(numbers.buffer)), shape: x.shape, float32 };
}

/** The script of the page, complete: a call of the sliders with the equations and what is shown. */
function scriptOf(key: string, equations: string, page: object): string {
  return `(${SLIDERS})("${key}", () => {\n${equations}\n}, ${scriptJson(page)})`;
}

/** Runs the script here, without a page: a bundler that renames functions would be found out now. */
function checkSame(script: string, expected: readonly number[]): void {
  let found: readonly number[];
  try {
    found = new Function("document", `return ${script}`)(undefined).run([]).prediction;
  } catch (error) {
    throw new Error(
      `Cannot make sliders as the equations must write out their own source: ` +
        `current source does not run (${(error as Error).message}); was this package minified?`,
      { cause: error },
    );
  }
  const off = expected.findIndex((value, k) =>
    !(Math.abs(value - found[k]!) <= SAME) &&
    !(Number.isNaN(value) && Number.isNaN(found[k]))
  );
  if (off === -1) return;
  throw new Error(
    `Cannot make sliders as the page must compute what the library does, to ${SAME}: ` +
      `current output ${off} is ${found[off]}, not ${expected[off]}`,
  );
}

function slidersHtml(key: string, script: string, text: string): string {
  return `<div data-gatescope-sliders="${key}"><pre>${escapeHtml(text)}</pre></div>\n` +
    `<script>\n${script};\n</script>`;
}
