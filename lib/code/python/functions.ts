// The activations in NumPy, each as lib/values computes it; a row is the last axis.

import { type Activation, allOptions } from "../../values/activations.ts";
import type { Names } from "../names.ts";
import type { OptionValue } from "../../values/activation_curves.ts";

type Options = Readonly<Record<string, OptionValue>>;

/** What it returns for x, or its lines; another function that it calls goes before it. */
type Written = string | { readonly body: string; readonly calls: string };

const SIGMOID = "1 / (1 + np.exp(-x))";
const SOFTPLUS = "np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))";
const SHIFTED = "np.exp(x - np.max(x, axis=-1, keepdims=True))";
const withSigmoid = (body: string): Written => ({ body, calls: "sigmoid" });
const withSoftplus = (body: string): Written => ({ body, calls: "softplus" });
const belowZero = (alpha: number, scale = 1, width = 1): Written => {
  const curve = `np.where(x <= 0, ${alpha} * np.expm1(np.minimum(x, 0)${
    width === 1 ? "" : ` / ${width}`
  }), x)`;
  return scale === 1 ? curve : `${scale} * ${curve}`;
};

const FUNCTIONS: Readonly<Record<string, (options: Options) => Written>> = {
  sigmoid: () => SIGMOID,
  tanh: () => "np.tanh(x)",
  relu: ({ negativeSlope, maxValue, threshold }) => {
    const kept = threshold === 0 ? "np.maximum(x, 0)" : `np.where(x <= ${threshold}, 0, x)`;
    const clipped = maxValue === Infinity ? kept : `np.clip(${kept}, 0, ${maxValue})`;
    return negativeSlope === 0
      ? clipped
      : `${clipped} - ${negativeSlope} * np.maximum(${threshold} - x, 0)`;
  },
  leaky_relu: ({ negativeSlope }) => `np.where(x <= 0, ${negativeSlope} * x, x)`,
  relu6: () => "np.clip(x, 0, 6)",
  elu: ({ alpha }) => belowZero(alpha as number),
  celu: ({ alpha }) => belowZero(alpha as number, 1, alpha as number),
  selu: () => belowZero(1.6732632423543772, 1.0507009873554805),
  hard_sigmoid: () => "np.clip(x + 3, 0, 6) / 6",
  hard_sigmoid_keras2: () => "np.clip(0.2 * x + 0.5, 0, 1)",
  hard_sigmoid_onnx: ({ alpha, beta }) => `np.clip(${alpha} * x + ${beta}, 0, 1)`,
  scaled_tanh: ({ alpha, beta }) => `${alpha} * np.tanh(${beta} * x)`,
  affine: ({ alpha, beta }) => `${alpha} * x + ${beta}`,
  sparse_sigmoid: () => "np.clip((x + 1) / 2, 0, 1)",
  log_sigmoid: () => withSoftplus("-softplus(-x)"),
  hard_tanh: () => "np.clip(x, -1, 1)",
  tanh_shrink: () => "x - np.tanh(x)",
  hard_shrink: ({ threshold }) => `np.where(np.abs(x) <= ${threshold}, 0, x)`,
  soft_shrink: ({ threshold }) => `np.sign(x) * np.maximum(np.abs(x) - ${threshold}, 0)`,
  threshold: ({ threshold, defaultValue }) => `np.where(x <= ${threshold}, ${defaultValue}, x)`,
  softplus: () => SOFTPLUS,
  softsign: () => "x / (1 + np.abs(x))",
  squareplus: ({ b }) => `(x + np.sqrt(x * x + ${b})) / 2`,
  sparse_plus: () => "np.where(x <= -1, 0, np.where(x >= 1, x, (x + 1) ** 2 / 4))",
  silu: () => withSigmoid("x * sigmoid(x)"),
  swish: () => withSigmoid("x * sigmoid(x)"),
  hard_silu: () => "x * (np.clip(x + 3, 0, 6) / 6)",
  hard_swish: () => "x * (np.clip(x + 3, 0, 6) / 6)",
  mish: () => withSoftplus("x * np.tanh(softplus(x))"),
  gelu: ({ approximate }) =>
    approximate
      ? withSigmoid(`x * sigmoid(${2 * Math.sqrt(2 / Math.PI)} * (x + 0.044715 * x ** 3))`)
      : `0.5 * x * np.vectorize(math.erfc)(-x * ${Math.SQRT1_2}).astype(x.dtype)`,
  exponential: () => "np.exp(x)",
  softmax: () => `e = ${SHIFTED}\nreturn e / np.sum(e, axis=-1, keepdims=True)`,
  log_softmax: () =>
    "x = x - np.max(x, axis=-1, keepdims=True)\n" +
    "return x - np.log(np.sum(np.exp(x), axis=-1, keepdims=True))",
  // the nearest point of the simplex: the threshold is that of the smallest number in its support
  sparsemax: () =>
    "s = -np.sort(-x, axis=-1)\n" +
    "total, k = np.cumsum(s, axis=-1), np.arange(1, x.shape[-1] + 1, dtype=x.dtype)\n" +
    "tau = np.where(1 + k * s > total, (total - 1) / k, -np.inf)\n" +
    "return np.maximum(x - np.max(tau, axis=-1, keepdims=True), 0)",
  glu: () => withSigmoid("x[..., :x.shape[-1] // 2] * sigmoid(x[..., x.shape[-1] // 2:])"),
  // lib/values/functions.ts
  inverse: () => "1 / x",
  inverse_root: () => "1 / np.sqrt(x)",
  absolute: () => "np.abs(x)",
  root: () => "np.sqrt(x)",
  logarithm: () => "np.log(x)",
  error_function: () => "np.vectorize(math.erf)(x).astype(x.dtype)",
};

/** What NumPy has under one name. */
const OWN: Readonly<Record<string, string>> = {
  tanh: "np.tanh",
  exponential: "np.exp",
  absolute: "np.abs",
  root: "np.sqrt",
  logarithm: "np.log",
};

/** What the functions are called; a name that no layer may have. */
export const FUNCTION_NAMES: readonly string[] = Object.keys(FUNCTIONS);

/** The functions that a file needs, each once. */
export class PythonFunctions {
  readonly #texts = new Map<string, string>(); // by name
  readonly #names: Names;

  /** @param names of the file, in which FUNCTION_NAMES are taken */
  constructor(names: Names) {
    this.#names = names;
  }

  /** Their texts, those first that others call. */
  get texts(): readonly string[] {
    return [...this.#texts.values()];
  }

  /** The name of a function. */
  nameOf(activation: Activation): string {
    const { activationName } = activation;
    const own = OWN[activationName];
    if (own !== undefined) return own;
    const written = FUNCTIONS[activationName]!(allOptions(activation));
    const { body, calls } = typeof written === "string"
      ? { body: written, calls: undefined }
      : written;
    if (calls !== undefined) this.nameOf({ activationName: calls, options: {} } as Activation);
    const text = (name: string) => {
      const whole = /^return /m.test(body) ? body : `return ${body}`;
      return `def ${name}(x):\n${whole.replaceAll(/^/gm, "    ")}`;
    };
    for (const [name, known] of this.#texts) if (known === text(name)) return name;
    // another one of that name has other options
    const isFirst = !this.#texts.has(activationName);
    const name = isFirst ? activationName : this.#names.unique(activationName);
    this.#texts.set(name, text(name));
    return name;
  }
}
