import { checkOptions, type KeysOf } from "../base/options.ts";
import { toBase64 } from "../display/base64.ts";
import { LINE_COLORS } from "../display/chart_template.ts";
import { type ChartLook, LOOK, lookCss } from "../display/chart_look.ts";
import { contentKey } from "../display/content_key.ts";
import { escapeHtml, scriptJson } from "../display/html.ts";
import { labeller, type Labels } from "../display/labels.ts";
import { formatNumber, inWords } from "../display/number.ts";
import { View } from "../display/view.ts";
import type { Activation } from "../values/activations.ts";
import { isBuiltIn, isNamed } from "../values/built_in.ts";
import { CELLS } from "../cells/cell_of_trace.ts";
import { nameOf, symbolOf } from "../cells/sites.ts";
import type { Inside } from "../layers/inside.ts";
import type { ModelInput } from "../model/inputs.ts";
import { type Model, networkOf } from "../model/model.ts";
import { type GradientRun, requireOneOutput } from "../model/network.ts";
import { indexAt } from "../tensor/indices.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Variable } from "../values/gradients.ts";
import { endOf, nameOfOutput, sampleOf } from "./head.ts";
import { PAGE_EQUATIONS } from "./page_bundle.ts";
import { SLIDERS } from "./slider_script.ts";
import { type Held, type SliderStart, startAt, strongestStart } from "./slider_start.ts";

/** What the sliders move, and how it is called. */
export interface GateSlidersOptions extends ChartLook {
  /** The sample; -1 is the last. Default: 0. */
  readonly sample?: number;
  /** Labels of the units. Default: `unit 0`, and so on. */
  readonly units?: Labels;
  /** Labels of the timesteps. Default: `timestep 0`, and so on. */
  readonly timesteps?: Labels;
  /** Labels of the outputs. Default: `class 0` and so on behind a softmax, else `output`. */
  readonly classes?: Labels;
  /**
   * What is chosen at first, as `{ site: "gates.forget", unit: 3, timestep: 5 }`. Default: the gate that,
   * held at 0 throughout, moves the outputs most.
   */
  readonly start?: SliderStart;
  /** What the view shows. */
  readonly title?: string;
}

const OPTIONS: KeysOf<GateSlidersOptions> = {
  sample: "optional",
  units: "optional",
  timesteps: "optional",
  classes: "optional",
  start: "optional",
  title: "optional",
  ...LOOK,
};

/** How far the page's numbers may be from the library's; the same source gives the same. */
const SAME = 1e-6;
/** Of more outputs, the first ones are told. */
const MOST_TOLD = 4;

/**
 * Gate surgery by hand: choose a gate or state, a unit and a timestep, drag, and watch the state (an
 * LSTM's c, a GRU's or SimpleRNN's h), what is handed on and the prediction move, before and after
 * side by side. It starts at the gate that moves the outputs most.
 *
 * The page computes on its own, without a kernel: with the equations of {@linkcode lstmCell},
 * {@linkcode gruCell} and {@linkcode denseForward} themselves, which are bundled into the output and,
 * before that, compared with the library's own numbers. Of stacked layers, it is the last one.
 *
 * @param model whose last recurrent layer hands on its last hidden state, followed by Dense, Dropout and
 * Activation layers; not a Bidirectional
 * @param x `[batch, …]`, as for `model.predict`, of which one sample is taken
 * @param options the sample, and labels
 * @returns a view; where no script runs, it is the prediction as text
 * @throws {TypeError} where the model is of another kind.
 * @throws {RangeError} where there is no such sample, unit or timestep, or a size or a colour is out of range.
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
  x: ModelInput,
  options: GateSlidersOptions = {},
): View {
  const network = networkOf(model, "make sliders");
  checkOptions("make sliders", options, OPTIONS);
  const css = lookCss(options, "make sliders");
  requireOneOutput(network, "make sliders");
  const inputs = network.checkInputs(x, "make sliders");
  const n = indexAt(options.sample ?? 0, inputs[0]!.shape[0]!, {
    action: "make sliders",
    owner: "the input",
    name: "sample",
  });
  const forward = network.forwardOnTape(inputs);
  const { inside, operations: head } = headOf(forward);
  const { name, cell, x: { value: own }, mask, before, goBackwards } = inside;
  if (!CELLS.includes(cell)) {
    throw new TypeError(
      `Cannot make sliders: the page computes with Keras's cells, but ${name} is a ${cell.kind}, a cell ` +
        `of your own`,
    );
  }
  const timesteps = own.shape[1]!;
  const units = endOf(inside).value.shape[1]!;
  const activations = [inside.functions.φ, inside.functions.σ];
  const operations = head.map((operation) =>
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
  const isSoftmax = isNamed(activations.at(-1)!, "softmax") && activations.length > 2;
  const usual = (k: number) => isSoftmax ? `class ${k}` : nameOfOutput(k, prediction.length);
  const classes = labeller(options.classes ?? usual, prediction.length, "classes");
  const [unitLabels, timestepLabels] = [
    labels(options.units ?? ((u) => `unit ${u}`), units, "units"),
    labels(options.timesteps ?? ((t) => `timestep ${t}`), timesteps, "timesteps"),
  ];
  const page = {
    title: options.title ?? `What if? ${name}, ${sampleOf(n, inputs[0]!.shape[0]!)}`,
    cell: CELLS.indexOf(cell),
    sites: cell.sites,
    names: cell.sites.map((site) => `${nameOf(site)} ${symbolOf(site, cell.sites)}`),
    states: [...new Set([cell.states[0]!, "hiddenState"])],
    colors: LINE_COLORS,
    units,
    timesteps,
    goBackwards,
    last: goBackwards ? 0 : timesteps - 1,
    unitLabels,
    timestepLabels,
    classLabels: prediction.map((_, k) => classes(k)),
    probabilities: isNamed(activations.at(-1)!, "softmax", "sigmoid") && activations.length > 2,
    x: packed(ofSample(own, n)),
    weights: inside.weights.map(({ value }) => packed(value)),
    ...(mask && { mask: packed(ofSample(mask, n)) }),
    ...(before && { initialState: before.map(({ value }) => packed(ofSample(value, n))) }),
    head: operations,
    activations: activations.map(({ activationName, options }) => [activationName, options]),
  };
  const run = checkedRun(scriptOf("", page), prediction);
  const start = options.start === undefined
    ? strongestStart(forward, inside, n, run)
    : startAt(options.start, inside);
  const note = start.prediction === undefined
    ? ""
    : `Held at 0 throughout, the ${nameOf(start.site)} of ${
      unitLabels[start.unit]
    } moves it most: ` +
      start.prediction.map((value, k) =>
        `${classes(k)} ${inWords(prediction[k]!)} → ${inWords(value)}`
      ).slice(0, MOST_TOLD).join(", ");
  const { site, unit, timestep } = start;
  const whole = { ...page, note, start: { site, unit, timestep } };
  const key = contentKey(PAGE_EQUATIONS + JSON.stringify(whole));
  const script = scriptOf(key, whole);

  const text = [
    page.title,
    ...prediction.map((value, k) => `- ${classes(k)}: ${formatNumber(value)}`),
    ...(note === "" ? [] : [note]),
  ].join("\n").replaceAll(/[^\S\n]+/g, " ");
  return new View(text, () => ({ "text/html": slidersHtml(key, css, script, text) }));
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
function scriptOf(key: string, page: object): string {
  return `(${SLIDERS})("${key}", () => {\n${PAGE_EQUATIONS}\n}, ${scriptJson(page)})`;
}

/** A step of what follows the recurrent layer. */
type Operation =
  | { readonly kernel: Tensor; readonly bias: Tensor | undefined }
  | { readonly activation: Activation };

/** The one recurrent layer that the output comes from, and what is done with its last hidden state, in a row. */
function headOf({ variables: [output], insides }: GradientRun): {
  inside: Inside<Variable>;
  operations: Operation[];
} {
  const operations: Operation[] = [];
  for (let at = output!;;) {
    const inside = insides.find((one) => endOf(one) === at);
    if (inside !== undefined) return { inside, operations };
    const { origin, scope } = at;
    if (origin.op === "apply") {
      if (!isNamed(origin.f, "linear")) operations.unshift({ activation: origin.f });
      at = origin.x;
    } else if (origin.op === "affine" && origin.terms.length === 1) {
      const [[x, W]] = origin.terms as [readonly [Variable, Variable]];
      operations.unshift({ kernel: W.value, bias: origin.b?.value });
      at = x;
    } else {
      throw new TypeError(
        `Cannot make sliders: the output must come from the last hidden state of one recurrent layer that ` +
          `goes in one direction, by Dense, Dropout and Activation layers, but it comes from ${
            scope || "none"
          }`,
      );
    }
  }
}

type Run = (held: readonly Held[]) => { readonly prediction: readonly number[] };

/** Runs the script here, without a page: a bundle that is not these equations is found out now. */
function checkedRun(script: string, expected: readonly number[]): Run {
  let run: Run;
  let found: readonly number[];
  try {
    run = new Function("document", `return ${script}`)(undefined).run;
    found = run([]).prediction;
  } catch (error) {
    throw new Error(`Cannot make sliders: their script does not run: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const off = expected.findIndex((value, k) =>
    !(Math.abs(value - found[k]!) <= SAME) &&
    !(Number.isNaN(value) && Number.isNaN(found[k]))
  );
  if (off === -1) return run;
  throw new Error(
    `Cannot make sliders: the page must compute what the library does, to ${SAME}, ` +
      `but the output ${off} is ${found[off]}, not ${expected[off]}`,
  );
}

function slidersHtml(key: string, css: string, script: string, text: string): string {
  return `<div data-gatescope-sliders="${key}" style="${css}"><pre>${
    escapeHtml(text)
  }</pre></div>\n` +
    `<script>\n${script};\n</script>`;
}
