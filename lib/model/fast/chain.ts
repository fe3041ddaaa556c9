// The networks that lib/compute runs in one go.

import { LINEAR } from "../../compute/activations.ts";
import type { PlanLayer } from "../../compute/plan.ts";
import type { FastForm } from "../../layers/fast_form.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Graph } from "../graph.ts";

/** A layer of a chain, and which of the network's weights are its own. */
interface Link {
  readonly form: Extract<FastForm, { readonly kind: "gated" | "dense" }>;
  readonly firstWeight: number;
  readonly count: number;
}

/** Recurrent and dense layers that follow each other. */
export type Chain = readonly Link[];

/**
 * The chain that all layers together are; undefined where one of them is none of lib/compute's. An
 * activation layer joins a dense layer that has none of its own.
 */
export function chainOf({ isRow, inputs: [input], layers }: Graph): Chain | undefined {
  if (!isRow || input!.shape.length > 2) return undefined;
  const links: Link[] = [];
  for (const { layer, firstWeight, weights: { length: count } } of layers) {
    const form = layer.fast?.();
    if (form === undefined) return undefined;
    if (form.kind === "gated" ? !form.stateful && !form.returnState : form.kind === "dense") {
      links.push({ form: form as Link["form"], firstWeight, count });
    } else if (form.kind === "activation" && form.activation.kind !== LINEAR) {
      const before = links.pop();
      if (before?.form.kind !== "dense" || before.form.activation.kind !== LINEAR) return undefined;
      links.push({ ...before, form: { ...before.form, activation: form.activation } });
    } else if (form.kind !== "identity" && form.kind !== "activation") {
      return undefined;
    }
  }
  return links.length === 0 ? undefined : links;
}

/** The chain's layers with these weights, for a plan. */
export function layersOf(chain: Chain, weights: readonly Tensor[]): PlanLayer[] {
  return chain.map(({ form, firstWeight, count }) =>
    form.kind === "gated"
      ? { ...form, ...gatedArrays(weights.slice(firstWeight, firstWeight + count)) }
      : { ...form, ...denseArrays(weights.slice(firstWeight, firstWeight + count)) }
  );
}

/** A recurrent layer's arrays, from its weights in Keras's order. */
export function gatedArrays(weights: readonly Tensor[]) {
  const [kernel, recurrentKernel, bias] = weights.map(numbersOf) as [Numbers, Numbers, Numbers?];
  return { kernel, recurrentKernel, ...(bias && { bias }) };
}

/** A dense layer's arrays, from its weights in Keras's order. */
export function denseArrays(weights: readonly Tensor[]) {
  const [kernel, bias] = weights.map(numbersOf) as [Numbers, Numbers?];
  return { kernel, ...(bias && { bias }) };
}

type Numbers = Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>;

/** A tensor's numbers; whole numbers become float32, as float64 does on its way into WASM. */
export function numbersOf({ data }: Tensor): Numbers {
  return data instanceof Int32Array ? new Float32Array(data) : data;
}
