// Which timesteps a query looks at: a softmax over scores, then the values weighted by it.

import { Tensor } from "../tensor/tensor.ts";
import { sizeOf } from "../tensor/shape.ts";
import { getActivation } from "../values/activations.ts";
import { permuted, rowsOf, shapeOf, where } from "../values/arrange.ts";
import type { Ops } from "../values/ops.ts";
import { MASKED } from "./activation_layers.ts";
import { ones, uniform, zeros } from "./initializers.ts";
import { type KerasConfig, type LayerKind, names } from "./kind.ts";
import {
  defineLayer,
  formatOpenShape,
  type Layer,
  type LayerContext,
  type LayerDefinition,
  type Mask,
  type OpenShape,
  type WeightSpec,
} from "./layer.ts";
import {
  checkOptions,
  choiceRule,
  countRule,
  definedOptions,
  flagRule,
  type LayerName,
  rateRule,
} from "./layer_options.ts";
import { noise, randomOf } from "./noise.ts";

/** The options of an Attention, with Keras's defaults. */
export interface AttentionOptions extends LayerName {
  /** Whether a number that is learnt scales the scores. Default: false. */
  readonly useScale?: boolean;
  /** How a query and a key are compared. Default: `"dot"`. */
  readonly scoreMode?: "dot" | "concat";
  /** The share of the weights that is dropped in training, from 0 to below 1. Default: 0. */
  readonly dropout?: number;
  /**
   * Whether step i of the query looks at steps 0 to i alone: what Keras's layer is called with as
   * `use_causal_mask`. Default: false.
   */
  readonly useCausalMask?: boolean;
}

/** The options of an AdditiveAttention, with Keras's defaults. */
export interface AdditiveAttentionOptions extends LayerName {
  /** Whether numbers that are learnt, one for each feature, scale the sum. Default: true. */
  readonly useScale?: boolean;
  /** The share of the weights that is dropped in training, from 0 to below 1. Default: 0. */
  readonly dropout?: number;
  /**
   * Whether step i of the query looks at steps 0 to i alone: what Keras's layer is called with as
   * `use_causal_mask`. Default: false.
   */
  readonly useCausalMask?: boolean;
}

/** The options of a MultiHeadAttention, with Keras's defaults. */
export interface MultiHeadAttentionOptions extends LayerName {
  /** How many heads. */
  readonly numHeads: number;
  /** How long each head's queries and keys are. */
  readonly keyDim: number;
  /** How long each head's values are. Default: `keyDim`. */
  readonly valueDim?: number;
  /** The share of the weights that is dropped in training, from 0 to below 1. Default: 0. */
  readonly dropout?: number;
  /**
   * Whether step i of the query looks at steps 0 to i alone: what Keras's layer is called with as
   * `use_causal_mask`. Default: false.
   */
  readonly useCausalMask?: boolean;
  /** Whether each projection adds a bias. Default: true. */
  readonly useBias?: boolean;
  /** How long the result's rows are. Default: as the query's. */
  readonly outputSize?: number;
}

/**
 * Luong's attention, softmax(s · q kᵀ) v of the inputs `[query, value]` or `[query, value, key]`;
 * or, by `scoreMode: "concat"`, with the scores w Σ tanh(s (q + k)). Source: Luong et al. 2015, in
 * the form of keras/src/layers/attention/attention.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind, or the inputs do not fit.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { attention, functional, input } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const [query, value] = [input([1, 2]), input([2, 2])];
 * const model = functional([query, value], attention().apply([query, value]));
 * const even = model.predict([[[[0, 0]]], [[[1, 2], [3, 6]]]]);
 * assertEquals(even.toArray(), [[[2, 4]]]);
 * ```
 */
export function attention(options: AttentionOptions = {}): Layer {
  const chosen = {
    useScale: false,
    scoreMode: "dot",
    dropout: 0,
    useCausalMask: false,
    ...definedOptions("an Attention", options),
  };
  checkOptions("an Attention", chosen, {
    useScale: flagRule,
    scoreMode: choiceRule(["dot", "concat"]),
    dropout: rateRule,
    useCausalMask: flagRule,
  });
  const { name, useScale, scoreMode, dropout, useCausalMask } = chosen;
  const isDot = scoreMode === "dot";
  const number = (name: string): WeightSpec => ({ name, shape: [], initialize: ones });
  return defineLayer({
    ...ofQueries("Attention"),
    name,
    config: {
      use_scale: useScale,
      score_mode: scoreMode,
      dropout,
      use_causal_mask: useCausalMask,
    },
    weights: () => [
      ...(useScale ? [number("scale")] : []),
      ...(isDot ? [] : [number("concat_score_weight")]),
    ],
    run: (o, [query, value, key = value], weights, context) => {
      const scaled = (x: typeof query) => useScale ? o.sumOfProducts([x!, weights[0]!]) : x!;
      if (isDot) {
        const scores = scaled(o.matmul(query!, permuted(o, key!, [0, 2, 1])));
        return attendedByQuery(o, scores, value!, chosen, context);
      }
      const sums = o.apply(getActivation("tanh"), scaled(pairsOf(o, query!, key!)));
      const scores = o.sumOfProducts([summed(o, sums), weights.at(-1)!]);
      return attendedByQuery(o, scores, value!, chosen, context);
    },
  });
}

/**
 * Bahdanau's attention, softmax(Σ s ⊙ tanh(q + k)) v of the inputs `[query, value]` or
 * `[query, value, key]`. Source: Bahdanau et al. 2015, in the form of
 * keras/src/layers/attention/additive_attention.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind, or the inputs do not fit.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { additiveAttention, functional, input } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const [query, value] = [input([1, 2]), input([2, 2])];
 * const layer = additiveAttention({ useScale: false });
 * const model = functional([query, value], layer.apply([query, value]));
 * assertEquals(model.predict([[[[0, 0]]], [[[1, 1], [1, 1]]]]).toArray(), [[[1, 1]]]);
 * ```
 */
export function additiveAttention(options: AdditiveAttentionOptions = {}): Layer {
  const chosen = {
    useScale: true,
    dropout: 0,
    useCausalMask: false,
    ...definedOptions("an AdditiveAttention", options),
  };
  checkOptions("an AdditiveAttention", chosen, {
    useScale: flagRule,
    dropout: rateRule,
    useCausalMask: flagRule,
  });
  const { name, useScale, dropout, useCausalMask } = chosen;
  return defineLayer({
    ...ofQueries("AdditiveAttention"),
    name,
    config: { use_scale: useScale, dropout, use_causal_mask: useCausalMask },
    weights: (query: OpenShape) => {
      const size = query.at(-1)!;
      const initialize = uniform(Math.sqrt(6 / (2 * size))); // Keras: both fans are the length
      return useScale ? [{ name: "scale", shape: [size], initialize }] : [];
    },
    run: (o, [query, value, key = value], [scale], context) => {
      const sums = o.apply(getActivation("tanh"), pairsOf(o, query!, key!));
      return attendedByQuery(o, summed(o, sums, scale), value!, chosen, context);
    },
  });
}

/**
 * Several attentions side by side, each on projections of its own: of head n,
 * softmax((q Wᵩ) (k Wₖ)ᵀ / √keyDim) (v Wᵥ), and all of them through one more projection. The inputs
 * are `[query, value]` or `[query, value, key]`. Pairs of steps count where both do; a step of which
 * no pair counts sees the mean of all, and with `dropout` nothing. Source: Vaswani et al. 2017, in the
 * form of keras/src/layers/attention/multi_head_attention.py (Keras 3.15.1).
 *
 * @throws {TypeError} where an option is unknown or of the wrong kind, or the inputs do not fit.
 * @throws {RangeError} where its value is out of range.
 *
 * @example
 * ```ts
 * import { functional, input, multiHeadAttention } from "@gatescope/lstm";
 * import { assertEquals } from "@std/assert";
 *
 * const x = input([5, 6]);
 * const layer = multiHeadAttention({ numHeads: 2, keyDim: 3 });
 * assertEquals(functional(x, layer.apply([x, x])).outputShape, [5, 6]);
 * ```
 */
export function multiHeadAttention(options: MultiHeadAttentionOptions): Layer {
  const chosen = {
    dropout: 0,
    useBias: true,
    useCausalMask: false,
    ...definedOptions("a MultiHeadAttention", options),
  };
  const { name, numHeads, keyDim, valueDim = keyDim, dropout, useBias, outputSize } = chosen;
  checkOptions("a MultiHeadAttention", chosen, {
    numHeads: countRule,
    keyDim: countRule,
    ...(chosen.valueDim !== undefined && { valueDim: countRule }),
    dropout: rateRule,
    useBias: flagRule,
    useCausalMask: flagRule,
    ...(outputSize !== undefined && { outputSize: countRule }),
  });
  return defineLayer({
    ...ofQueries("MultiHeadAttention"),
    name,
    config: {
      num_heads: numHeads,
      key_dim: keyDim,
      value_dim: valueDim,
      dropout,
      use_bias: useBias,
      output_shape: outputSize === undefined ? null : [outputSize],
      use_causal_mask: chosen.useCausalMask,
    },
    outputShape: (...inputs: OpenShape[]) => {
      const [query] = checkedInputs("MultiHeadAttention", inputs, false);
      return [query[0]!, outputSize ?? query[1]!];
    },
    weights: (query: OpenShape, value: OpenShape, key: OpenShape = value) => {
      const out = outputSize ?? query.at(-1)!;
      const projection = (part: string, shape: readonly number[], bias: readonly number[]) => [
        { name: `${part}/kernel`, shape, initialize: glorot(shape) },
        ...(useBias ? [{ name: `${part}/bias`, shape: bias, initialize: zeros }] : []),
      ];
      const heads = (part: string, from: OpenShape, size: number) =>
        projection(part, [from.at(-1)!, numHeads, size], [numHeads, size]);
      return [
        ...heads("query", query, keyDim),
        ...heads("key", key, keyDim),
        ...heads("value", value, valueDim),
        ...projection("attention_output", [numHeads, valueDim, out], [out]),
      ];
    },
    run: (o, [query, value, key = value], weights, context) => {
      const each = useBias ? 2 : 1;
      const part = (k: number) => {
        const [kernel, bias] = weights.slice(k * each, (k + 1) * each);
        return { kernel: kernel!, bias };
      };
      /** `[batch, steps, size]` becomes `[batch, heads, steps, size of a head]`. */
      const inHeads = (x: typeof query, { kernel, bias }: ReturnType<typeof part>) => {
        const [from, heads, size] = shapeOf(o, kernel) as [number, number, number];
        const W = o.reshape(kernel, [from, heads * size]);
        const b = bias === undefined ? undefined : o.reshape(bias, [heads * size]);
        const [batch, steps] = shapeOf(o, x!) as [number, number];
        const projected = o.reshape(o.affine([[x!, W]], b), [batch, steps, heads, size]);
        return permuted(o, projected, [0, 2, 1, 3]);
      };
      const [q, k, v] = [inHeads(query, part(0)), inHeads(key, part(1)), inHeads(value, part(2))];
      const scores = o.scale(o.matmul(q, permuted(o, k, [0, 1, 3, 2])), 1 / Math.sqrt(keyDim));
      const [asks, ...masks] = context.masks;
      const counts = countsOf([asks], masks, chosen.useCausalMask);
      // Keras multiplies the weights by dropout's way alone by the mask, too
      const together = attended(o, scores, v, dropout, context, counts, dropout > 0);
      const [batch, steps] = shapeOf(o, query!) as [number, number];
      const rows = o.reshape(permuted(o, together, [0, 2, 1, 3]), [
        batch,
        steps,
        numHeads * valueDim,
      ]);
      const { kernel, bias } = part(3);
      const W = o.reshape(kernel, [numHeads * valueDim, shapeOf(o, kernel).at(-1)!]);
      return { outputs: [o.affine([[rows, W]], bias)], mask: asks };
    },
  });
}

/** What all of these are: of a query, a value, and a key that is the value where there is none. */
function ofQueries(
  className: string,
): Pick<LayerDefinition, "className" | "inputCount" | "outputShape"> {
  return {
    className,
    inputCount: [2, 3],
    outputShape: (...inputs: OpenShape[]) => {
      const [query, value] = checkedInputs(className, inputs, true);
      return [query[0]!, value[1]!];
    },
  };
}

/** The inputs, each `[steps, size]`; of the value and the key, the steps are the same. */
function checkedInputs(
  className: string,
  inputs: readonly OpenShape[],
  sameSize: boolean,
): readonly [query: OpenShape, value: OpenShape] {
  const [query, value, key = value] = inputs;
  const areRows = inputs.every((shape) => shape.length === 2 && shape[1] !== null);
  const areSteps = areRows && key![0] === value![0] &&
    (!sameSize || query![1] === key![1]);
  if (areSteps) return [query!, value!];
  const size = sameSize ? ", query and key of one size" : "";
  throw new TypeError(
    `Cannot build a ${className}: its inputs must be [steps, size], value and key of as many ` +
      `steps${size}, but they are ${inputs.map(formatOpenShape).join(", ")}, None the batch`,
  );
}

/** Whether step j of the value counts for step i of the query, in sample n. */
type Counts = (n: number, i: number, j: number) => boolean;

/** What counts by the masks of both sides; undefined where all does. */
function countsOf(
  queries: readonly (Mask | undefined)[],
  values: readonly (Mask | undefined)[],
  isCausal: boolean,
): Counts | undefined {
  if (!isCausal && [...queries, ...values].every((mask) => mask === undefined)) return undefined;
  const at = (masks: typeof values, n: number, step: number) =>
    masks.every((mask) => mask === undefined || mask.data[n * mask.shape[1]! + step] !== 0);
  return (n, i, j) => (!isCausal || j <= i) && at(queries, n, i) && at(values, n, j);
}

/** softmax(scores) · values of the steps that count; the query's mask takes out rows, and goes on. */
function attendedByQuery<V>(
  o: Ops<V>,
  scores: V,
  value: V,
  { dropout, useCausalMask }: { readonly dropout: number; readonly useCausalMask: boolean },
  context: LayerContext<V>,
): { readonly outputs: readonly V[]; readonly mask: Mask | undefined } {
  const [queryMask, valueMask] = context.masks;
  const counts = countsOf([], [valueMask], useCausalMask);
  const result = attended(o, scores, value, dropout, context, counts);
  const shown = queryMask === undefined ? result : where(o, queryMask, result);
  return { outputs: [shown], mask: queryMask };
}

/** softmax(scores) · values; `isZeroed`: what does not count has no weight, were it all of a row. */
function attended<V>(
  o: Ops<V>,
  scores: V,
  value: V,
  dropout: number,
  context: LayerContext<V>,
  counts: Counts | undefined,
  isZeroed = false,
): V {
  const shape = shapeOf(o, scores); // [batch, …heads, m, n]
  const [m, n] = shape.slice(-2) as [number, number];
  const heads = sizeOf(shape.slice(1, -2));
  const pairs = counts &&
    new Tensor(
      Float64Array.from({ length: sizeOf(shape) }, (_, at) => {
        const row = Math.floor(at / n);
        return counts(Math.floor(row / (m * heads)), row % m, at % n) ? 1 : 0;
      }),
      shape,
    );
  const low = pairs && new Tensor(new Float64Array(pairs.data.length).fill(MASKED), shape);
  const kept = pairs ? where(o, pairs, scores, o.given(low!)) : scores;
  let weights = o.apply(getActivation("softmax"), kept);
  if (pairs && isZeroed) weights = where(o, pairs, weights);
  if (context.training && dropout > 0) {
    const factors = noise(shapeOf(o, weights), dropout, randomOf(context));
    weights = o.sumOfProducts([weights, o.given(factors)]);
  }
  return o.matmul(weights, value);
}

/** qᵢ + kⱼ of each pair: `[batch, m, size]` and `[batch, n, size]` become `[batch, m, n, size]`. */
function pairsOf<V>(o: Ops<V>, query: V, key: V): V {
  const [batch, m, size] = shapeOf(o, query) as [number, number, number];
  const n = shapeOf(o, key)[1]!;
  const rows = (x: V, steps: number, step: (k: number) => number) => {
    const which = Float64Array.from(
      { length: batch * m * n },
      (_, at) => Math.floor(at / (m * n)) * steps + step(at % (m * n)),
    );
    return rowsOf(o, o.reshape(x, [batch * steps, size]), new Tensor(which, [batch, m, n]));
  };
  return o.add(rows(query, m, (at) => Math.floor(at / n)), rows(key, n, (at) => at % n));
}

/** Σ w ⊙ x over the last axis; without w, Σ x. */
function summed<V>(o: Ops<V>, x: V, w?: V): V {
  const shape = shapeOf(o, x);
  const size = shape.at(-1)!;
  const even = new Tensor(new Float64Array(size).fill(1), [size, 1]);
  const column = w === undefined ? o.given(even) : o.reshape(w, [size, 1]);
  return o.reshape(o.affine([[x, column]]), shape.slice(0, -1));
}

/** Glorot's, as Keras counts the fans of a kernel of three axes: all but the last two are a field. */
function glorot(shape: readonly number[]) {
  const [field, from, to] = shape as [number, number, number];
  return uniform(Math.sqrt(6 / (field * (from + to))));
}

/** Keras's options of a MultiHeadAttention's parts. */
const PARTS = "kernel_initializer bias_initializer kernel_regularizer bias_regularizer " +
  "kernel_constraint bias_constraint";

/** How Keras's layers are called, where that says what they do. */
const CALLED: Pick<LayerKind, "callOptions" | "callKeywords" | "write"> = {
  callOptions: ["use_causal_mask"],
  callKeywords: ({ config }) => config.use_causal_mask === true ? { use_causal_mask: true } : {},
  write: ({ config: { use_causal_mask: _, ...own } }) => own,
};
const causalOf = ({ call }: KerasConfig) =>
  ((call as KerasConfig | undefined)?.use_causal_mask ?? false) as boolean;

/** Keras's attention layers. */
export const ATTENTION_LAYERS: readonly LayerKind[] = [
  {
    className: "Attention",
    ...CALLED,
    options: names("use_scale score_mode dropout seed causal"),
    only: { causal: false },
    read: (config) =>
      attention({
        name: config.name,
        useScale: (config.use_scale ?? false) as boolean,
        scoreMode: (config.score_mode ?? "dot") as "dot",
        dropout: (config.dropout ?? 0) as number,
        useCausalMask: causalOf(config),
      }),
    seeds: ({ config }) => config.dropout === 0 ? [] : ["seed_generator/vars/0"],
  },
  {
    className: "AdditiveAttention",
    ...CALLED,
    options: names("use_scale dropout seed causal"),
    only: { causal: false },
    read: (config) =>
      additiveAttention({
        name: config.name,
        useScale: (config.use_scale ?? true) as boolean,
        dropout: (config.dropout ?? 0) as number,
        useCausalMask: causalOf(config),
      }),
    seeds: ({ config }) => config.dropout === 0 ? [] : ["seed_generator/vars/0"],
  },
  {
    className: "MultiHeadAttention",
    ...CALLED,
    options: names(
      "num_heads key_dim value_dim dropout use_bias output_shape attention_axes sliding_window " +
        `flash_attention use_gate seed query_shape key_shape value_shape ${PARTS}`,
    ),
    only: { sliding_window: null, use_gate: false },
    arguments: ["query", "value", "key"],
    takesArguments: true,
    read: (config, { refuse }) => {
      const { attention_axes: axes = null, output_shape: output = null } = config;
      if (axes !== null && JSON.stringify(axes) !== "[1]" && axes !== 1) {
        refuse("attention_axes must be those of the steps", `they are ${JSON.stringify(axes)}`);
      }
      const size = Array.isArray(output) && output.length === 1 ? output[0] : output;
      return multiHeadAttention({
        name: config.name,
        numHeads: config.num_heads as number,
        keyDim: config.key_dim as number,
        valueDim: (config.value_dim ?? config.key_dim) as number,
        dropout: (config.dropout ?? 0) as number,
        useBias: (config.use_bias ?? true) as boolean,
        useCausalMask: causalOf(config),
        ...(size !== null && { outputSize: size as number }),
      });
    },
    paths: ({ config }) =>
      ["query_dense", "key_dense", "value_dense", "output_dense"].flatMap((part) =>
        config.use_bias === true ? [`${part}/vars/0`, `${part}/vars/1`] : [`${part}/vars/0`]
      ),
    seeds: ({ config }) => config.dropout === 0 ? [] : ["_dropout_layer/seed_generator/vars/0"],
  },
];
