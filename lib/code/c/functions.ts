// The activations in C, each as lib/values computes it, in float.

import { type Activation, allOptions } from "../../values/activations.ts";
import type { OptionValue } from "../../values/activation_curves.ts";
import { floatText } from "./literals.ts";

/** A function of one number; a helper where it is neither. `P_clip` calls a helper. */
interface Written {
  /** The function's name, where it is C's own. */
  readonly own?: string;
  /** What it returns, for x. */
  readonly body?: string;
}

type Options = Readonly<Record<string, OptionValue>>;
const f = (x: OptionValue | undefined) => floatText(x as number);

const clip = (x: string, low: string, high: string) => `P_clip(${x}, ${low}, ${high})`;
const by = (body: string): Written => ({ body });
const belowZero = (alpha: number, scale: number, width: number): Written => {
  const below = `${f(alpha)} * expm1f(${width === 1 ? "x" : `x / ${f(width)}`})`;
  const whole = `(x <= 0.0f ? ${below} : x)`;
  return { body: scale === 1 ? whole : `${f(scale)} * ${whole}` };
};

const HELPERS: Readonly<Record<string, string>> = {
  clip: "static float SELF(float x, float low, float high) {\n" +
    "  return x < low ? low : x > high ? high : x;\n}",
  sigmoid: "static float SELF(float x) {\n  return 1.0f / (1.0f + expf(-x));\n}",
  softplus: "static float SELF(float x) {\n" +
    "  return (x > 0.0f ? x : 0.0f) + log1pf(expf(-fabsf(x)));\n}",
};

const ONES: Readonly<Record<string, (options: Options) => Written>> = {
  sigmoid: () => ({}),
  tanh: () => ({ own: "tanhf" }),
  relu: ({ negativeSlope, maxValue, threshold }) => {
    const kept = `(x <= ${f(threshold)} ? 0.0f : x)`;
    const above = maxValue === Infinity ? kept : clip(kept, "0.0f", f(maxValue));
    const body = negativeSlope === 0
      ? above
      : `${above} - ${f(negativeSlope)} * (${f(threshold)} - x > 0.0f ? ${
        f(threshold)
      } - x : 0.0f)`;
    return { body };
  },
  leaky_relu: ({ negativeSlope }) => ({ body: `x <= 0.0f ? ${f(negativeSlope)} * x : x` }),
  relu6: () => by(clip("x", "0.0f", "6.0f")),
  elu: ({ alpha }) => belowZero(alpha as number, 1, 1),
  celu: ({ alpha }) => belowZero(alpha as number, 1, alpha as number),
  selu: () => belowZero(1.6732632423543772, 1.0507009873554805, 1),
  hard_sigmoid: () => by(`${clip("x + 3.0f", "0.0f", "6.0f")} / 6.0f`),
  hard_sigmoid_keras2: () => by(clip("0.2f * x + 0.5f", "0.0f", "1.0f")),
  hard_sigmoid_onnx: ({ alpha, beta }) => by(clip(`${f(alpha)} * x + ${f(beta)}`, "0.0f", "1.0f")),
  scaled_tanh: ({ alpha, beta }) => ({ body: `${f(alpha)} * tanhf(${f(beta)} * x)` }),
  affine: ({ alpha, beta }) => ({ body: `${f(alpha)} * x + ${f(beta)}` }),
  sparse_sigmoid: () => by(clip("(x + 1.0f) / 2.0f", "0.0f", "1.0f")),
  log_sigmoid: () => by("-P_softplus(-x)"),
  hard_tanh: () => by(clip("x", "-1.0f", "1.0f")),
  tanh_shrink: () => ({ body: "x - tanhf(x)" }),
  hard_shrink: ({ threshold }) => ({ body: `fabsf(x) <= ${f(threshold)} ? 0.0f : x` }),
  soft_shrink: ({ threshold }) => ({
    body: `fabsf(x) <= ${f(threshold)} ? 0.0f : x > 0.0f ? x - ${f(threshold)} : x + ${
      f(threshold)
    }`,
  }),
  threshold: ({ threshold, defaultValue }) => ({
    body: `x <= ${f(threshold)} ? ${f(defaultValue)} : x`,
  }),
  softplus: () => ({}),
  softsign: () => ({ body: "x / (1.0f + fabsf(x))" }),
  squareplus: ({ b }) => ({ body: `(x + sqrtf(x * x + ${f(b)})) / 2.0f` }),
  sparse_plus: () => ({
    body: "x <= -1.0f ? 0.0f : x >= 1.0f ? x : (x + 1.0f) * (x + 1.0f) / 4.0f",
  }),
  silu: () => by("x * P_sigmoid(x)"),
  swish: () => by("x * P_sigmoid(x)"),
  hard_silu: () => by(`x * (${clip("x + 3.0f", "0.0f", "6.0f")} / 6.0f)`),
  hard_swish: () => by(`x * (${clip("x + 3.0f", "0.0f", "6.0f")} / 6.0f)`),
  mish: () => by("x * tanhf(P_softplus(x))"),
  gelu: ({ approximate }) =>
    approximate
      ? by(
        `x * P_sigmoid(${f(2 * Math.sqrt(2 / Math.PI))} * (x + 0.044715f * x * x * x))`,
      )
      : { body: `0.5f * x * erfcf(-x * ${f(Math.SQRT1_2)})` },
  exponential: () => ({ own: "expf" }),
  // lib/values/functions.ts
  inverse: () => ({ body: "1.0f / x" }),
  inverse_root: () => ({ body: "1.0f / sqrtf(x)" }),
  absolute: () => ({ own: "fabsf" }),
  root: () => ({ own: "sqrtf" }),
  logarithm: () => ({ own: "logf" }),
  error_function: () => ({ own: "erff" }),
};

/** The functions of a row of n numbers; y may be x, but for glu's, which is half as long. */
const ROWS: Readonly<Record<string, string>> = {
  softmax: `static void SELF(const float *x, float *y, int n) {
  float most = x[0], sum = 0.0f;
  for (int k = 1; k < n; k++) most = x[k] <= most ? most : x[k];
  for (int k = 0; k < n; k++) y[k] = expf(x[k] - most);
  for (int k = 0; k < n; k++) sum += y[k];
  for (int k = 0; k < n; k++) y[k] = y[k] / sum;
}`,
  log_softmax: `static void SELF(const float *x, float *y, int n) {
  float most = x[0], sum = 0.0f;
  for (int k = 1; k < n; k++) most = x[k] <= most ? most : x[k];
  for (int k = 0; k < n; k++) sum += expf(x[k] - most);
  sum = logf(sum);
  for (int k = 0; k < n; k++) y[k] = x[k] - most - sum;
}`,
  sparsemax: `static void SELF(const float *x, float *y, int n) {
  /* the nearest point of the simplex: the threshold is that of the smallest number in its support */
  float tau = NAN, least = INFINITY;
  for (int j = 0; j < n; j++) {
    float sum = 0.0f;
    int count = 0;
    for (int k = 0; k < n; k++) {
      if (x[k] < x[j]) continue;
      sum += x[k];
      count++;
    }
    if (x[j] < least && 1.0f + (float)count * x[j] > sum) {
      least = x[j];
      tau = (sum - 1.0f) / (float)count;
    }
  }
  for (int k = 0; k < n; k++) y[k] = x[k] - tau <= 0.0f ? 0.0f : x[k] - tau;
}`,
  glu: `static void SELF(const float *x, float *y, int n) {
  for (int k = 0; k < n / 2; k++) y[k] = x[k] * P_sigmoid(x[n / 2 + k]);
}`,
};

/** The functions that a file needs, each once. */
export class CFunctions {
  readonly #nameOf: (name: string) => string;
  readonly #known = new Map<string, { readonly name: string; readonly text: string }>();

  /** @param nameOf a name of the file for what is called so */
  constructor(nameOf: (name: string) => string) {
    this.#nameOf = nameOf;
  }

  /** Their texts, those first that others call. */
  get texts(): readonly string[] {
    return [...this.#known.values()].map(({ text }) => text);
  }

  /** The name of a function of one number. */
  one(activation: Activation): string {
    const { activationName } = activation;
    const { own, body } = ONES[activationName]!(allOptions(activation));
    if (own !== undefined) return own;
    if (body === undefined) return this.#helper(activationName);
    return this.#add(activationName, `static float SELF(float x) {\n  return ${body};\n}`);
  }

  /** The name of a function of a row. */
  row({ activationName }: Activation): string {
    return this.#add(activationName, ROWS[activationName]!);
  }

  #helper(name: string): string {
    return this.#add(name, HELPERS[name]!);
  }

  /** Another of that name, with other options, is another function. */
  #add(called: string, template: string): string {
    const whole = template.replaceAll(/\bP_(\w+)/g, (_, helper) => this.#helper(helper));
    const found = this.#known.get(whole);
    if (found !== undefined) return found.name;
    const name = this.#nameOf(called);
    this.#known.set(whole, { name, text: whole.replaceAll("SELF", name) });
    return name;
  }
}
