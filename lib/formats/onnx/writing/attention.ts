// Which timesteps a query looks at.

import type { Tensor } from "../../../tensor/tensor.ts";
import type { OnnxGraphWriter } from "./graph_writer.ts";
import { type Given, type LayerUse, type OnnxKinds, refusal } from "./layer_use.ts";
import { chosen } from "./masks.ts";

/** What a softmax sees where a step does not count. */
const MASKED = -1e9;

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

/** Throws where not each step looks at all. */
function checkSeesAll({ name, layer: { config } }: LayerUse): void {
  if (config.use_causal_mask !== true) return;
  throw refusal(
    "each step of a query must look at all steps of the value",
    name,
    "one with useCausalMask",
  );
}

function writeHeads(graph: OnnxGraphWriter, use: LayerUse): Given {
  const { name, inputs, weights, layer: { config } } = use;
  checkSeesAll(use);
  const [query, value, key = value] = inputs;
  if (inputs.some(({ mask }) => mask !== undefined)) {
    const rule = "all steps of what a MultiHeadAttention takes must count";
    throw refusal(rule, name, "one that a mask comes to");
  }
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
  const softmax = graph.add("Softmax", [scores], { axis: -1 });
  const together = graph.add("Transpose", [graph.add("MatMul", [softmax, v])], {
    perm: [0, 2, 1, 3],
  });
  const rows = graph.reshape(together, [0, 0, heads * valueDim]);
  return projected(rows, 3, heads * valueDim);
}

/** softmax(scores) · values, of the steps that count; the query's mask goes on. */
function attended(graph: OnnxGraphWriter, scores: string, use: LayerUse): Given {
  checkSeesAll(use);
  const [query, value] = use.inputs;
  let kept = scores;
  if (value!.mask !== undefined) {
    const counts = graph.add("Unsqueeze", [value!.mask, graph.integers("query", [1])]);
    kept = graph.add("Where", [counts, scores, graph.number(MASKED)]);
  }
  const weights = graph.add("Softmax", [kept], { axis: -1 });
  const result = graph.add("MatMul", [weights, value!.name]);
  const { mask } = query!;
  return { outputs: [mask === undefined ? result : chosen(graph, mask, result)], mask };
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
