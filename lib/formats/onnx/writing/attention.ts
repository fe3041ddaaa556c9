// Which timesteps a query looks at.

import { MASKED } from "../../../layers/activation_layers.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import type { OnnxGraphWriter } from "./graph_writer.ts";
import type { Given, GraphValue, LayerUse, OnnxKinds } from "./layer_use.ts";
import { chosen, lengthOf, stepsUpTo } from "./masks.ts";

/** The kinds of this file. */
export const ATTENTION_LAYERS: OnnxKinds = {
  Attention: {
    write: (graph, use) => {
      const { weights, layer: { config } } = use;
      const [query, key] = comparedOf(use);
      const scaled = (x: string) =>
        config.use_scale === true ? graph.add("Mul", [x, graph.constant("scale", weights[0]!)]) : x;
      if (config.score_mode === "dot") {
        const columns = graph.add("Transpose", [key], { perm: [0, 2, 1] });
        return attended(graph, scaled(graph.add("MatMul", [query, columns])), use);
      }
      const sums = graph.add("Tanh", [scaled(pairsOf(graph, query, key))]);
      const each = graph.add("ReduceSum", [sums, graph.integers("last", [-1])], { keepdims: 0 });
      const weight = graph.constant("concat_score_weight", weights.at(-1)!);
      return attended(graph, graph.add("Mul", [each, weight]), use);
    },
  },
  AdditiveAttention: {
    write: (graph, use) => {
      const { weights: [scale] } = use;
      const [query, key] = comparedOf(use);
      const sums = graph.add("Tanh", [pairsOf(graph, query, key)]);
      const each = scale === undefined
        ? sums
        : graph.add("Mul", [sums, graph.constant("scale", scale)]);
      const last = graph.integers("last", [-1]);
      return attended(graph, graph.add("ReduceSum", [each, last], { keepdims: 0 }), use);
    },
  },
  Softmax: {
    write: (graph, { inputs: [x] }) => {
      const { name, mask } = x!;
      if (mask === undefined) return graph.add("Softmax", [name], { axis: -1 });
      const kept = graph.add("Where", [mask, name, graph.number(MASKED)]); // its axes against the last
      const softmax = graph.add("Softmax", [kept], { axis: -1 });
      return { outputs: [graph.add("Where", [mask, softmax, graph.number(0)])], mask };
    },
  },
  MultiHeadAttention: { write: writeHeads },
};

function writeHeads(graph: OnnxGraphWriter, use: LayerUse): Given {
  const { inputs, weights, layer: { config } } = use;
  const [query, value, key = value] = inputs;
  const parts = ["query", "key", "value", "attention_output"] as const;
  const each = config.use_bias === true ? 2 : 1;
  /** x·W + b, the kernel as a matrix. */
  const projected = (x: string, k: number, rows: number) => {
    const [kernel, bias] = weights.slice(k * each, (k + 1) * each) as [Tensor, Tensor?];
    const W = graph.constant(`${parts[k]}/kernel`, kernel.reshape([rows, -1]));
    const product = graph.add("MatMul", [x, W]);
    if (bias === undefined) return product;
    return graph.add("Add", [product, graph.constant(`${parts[k]}/bias`, bias.reshape([-1]))]);
  };
  const [heads, keyDim, valueDim] = [config.num_heads, config.key_dim, config.value_dim] as [
    number,
    number,
    number,
  ];
  /** `[batch, heads, steps, size]`, or the last two turned. */
  const inHeads = (x: string, k: number, size: number, perm = [0, 2, 1, 3]) => {
    const rows = projected(x, k, weights[k * each]!.shape[0]!);
    return graph.add("Transpose", [graph.reshape(rows, [0, 0, heads, size])], { perm });
  };
  const q = inHeads(query!.name, 0, keyDim);
  const k = inHeads(key!.name, 1, keyDim, [0, 2, 3, 1]);
  const v = inHeads(value!.name, 2, valueDim);
  const scale = graph.number(1 / Math.sqrt(keyDim));
  const scores = graph.add("Mul", [graph.add("MatMul", [q, k]), scale]);
  const pairs = pairsThatCount(graph, use, [
    maskOver(graph, query!, [1, 3]),
    ...inputs.slice(1).map((one) => maskOver(graph, one, [1, 2])),
  ]);
  const softmax = weightsOf(graph, scores, pairs);
  // Keras multiplies the weights by dropout's way alone by the mask, too
  const zeroed = pairs === undefined || config.dropout === 0
    ? softmax
    : graph.add("Where", [pairs, softmax, graph.number(0)]);
  const together = graph.add("Transpose", [graph.add("MatMul", [zeroed, v])], {
    perm: [0, 2, 1, 3],
  });
  const rows = graph.reshape(together, [0, 0, heads * valueDim]);
  return { outputs: [projected(rows, 3, heads * valueDim)], mask: query!.mask };
}

/** softmax(scores) · values, of the steps that count; the query's mask goes on. */
function attended(graph: OnnxGraphWriter, scores: string, use: LayerUse): Given {
  const [query, value] = use.inputs;
  const pairs = pairsThatCount(graph, use, [maskOver(graph, value!, [1])]);
  const result = graph.add("MatMul", [weightsOf(graph, scores, pairs), value!.name]);
  const { mask } = query!;
  return { outputs: [mask === undefined ? result : chosen(graph, mask, result)], mask };
}

/** The softmax of the scores of pairs that count. */
function weightsOf(graph: OnnxGraphWriter, scores: string, pairs: string | undefined): string {
  const kept = pairs === undefined
    ? scores
    : graph.add("Where", [pairs, scores, graph.number(MASKED)]);
  return graph.add("Softmax", [kept], { axis: -1 });
}

/** A value's mask with those axes put in, to stand over the scores; undefined where all counts. */
function maskOver(
  graph: OnnxGraphWriter,
  { mask }: GraphValue,
  axes: readonly number[],
): string | undefined {
  if (mask === undefined) return undefined;
  return graph.add("Unsqueeze", [mask, graph.integers(`axes ${axes}`, axes)]);
}

/** Which pairs of steps count: by these masks, and where it is causal; undefined where all do. */
function pairsThatCount(
  graph: OnnxGraphWriter,
  use: LayerUse,
  masks: readonly (string | undefined)[],
): string | undefined {
  const causal = use.layer.config.use_causal_mask === true ? [notLater(graph, use)] : [];
  const all = [...causal, ...masks].filter((one) => one !== undefined);
  return all.length === 0 ? undefined : all.reduce((a, b) => graph.add("And", [a, b]));
}

/** Whether the key's step is not later than the query's, `[m, n]`. */
function notLater(graph: OnnxGraphWriter, use: LayerUse): string {
  const [query, key] = comparedOf(use).map((x) => stepsUpTo(graph, lengthOf(graph, x)[1]));
  const rows = graph.add("Unsqueeze", [query, graph.integers("last", [-1])]);
  return graph.add("LessOrEqual", [key, rows]);
}

/** The query, and the key: the value where there is none. */
function comparedOf({ inputs: [query, value, key = value] }: LayerUse): [string, string] {
  return [query!.name, key!.name];
}

/** qᵢ + kⱼ of each pair: `[batch, m, n, size]`. */
function pairsOf(graph: OnnxGraphWriter, query: string, key: string): string {
  return graph.add("Add", [
    graph.add("Unsqueeze", [query, graph.integers("second", [2])]),
    graph.add("Unsqueeze", [key, graph.integers("first", [1])]),
  ]);
}
