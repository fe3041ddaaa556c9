// What lib/compute needs to know of a layer, and which networks it runs in one go.

import { type FastActivation, LINEAR } from "../../compute/activations.ts";
import type { DenseForm } from "../../compute/dense_training.ts";
import type { DenseLayer } from "../../compute/dense_layer.ts";
import type { LstmLayer } from "../../compute/lstm_layer.ts";
import type { LstmForm } from "../../compute/lstm_training.ts";
import { supportsDense } from "../../compute/supports.ts";
import type { Activation } from "../../lstm/activations.ts";
import { isBuiltIn } from "../../lstm/built_in.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import type { Layer } from "../layer.ts";

/** A layer as lib/compute knows it; one that changes nothing is an identity. */
export type FastForm =
  | LstmForm & { readonly kind: "lstm" }
  | DenseForm & { readonly kind: "dense" }
  | { readonly kind: "activation"; readonly activation: FastActivation }
  | { readonly kind: "identity" };

/** An activation's fast form where getActivation made it: the name of another says nothing. */
export function fastActivationOf(activation: Activation): FastActivation | undefined {
  return isBuiltIn(activation) ? supportsDense(activation) : undefined;
}

/** A layer of a chain, and which of the network's weights are its own. */
interface Link {
  readonly form: Extract<FastForm, { readonly kind: "lstm" | "dense" }>;
  readonly firstWeight: number;
  readonly count: number;
}

/** LSTM and dense layers that follow each other. */
export type Chain = readonly Link[];

/** The layers of a network in their places. */
type Places = readonly {
  readonly layer: Layer;
  readonly firstWeight: number;
  readonly weights: readonly unknown[];
}[];

/**
 * The chain that all layers together are; undefined where one of them is none of lib/compute's. An
 * activation layer joins a dense layer that has none of its own.
 */
export function chainOf(layers: Places): Chain | undefined {
  const links: Link[] = [];
  for (const { layer, firstWeight, weights: { length: count } } of layers) {
    const form = layer.fast?.();
    if (form === undefined) return undefined;
    if (form.kind === "lstm" || form.kind === "dense") {
      links.push({ form, firstWeight, count });
    } else if (form.kind === "activation" && form.activation.kind !== LINEAR) {
      const before = links.pop();
      if (before?.form.kind !== "dense" || before.form.activation.kind !== LINEAR) return undefined;
      links.push({ ...before, form: { ...before.form, activation: form.activation } });
    }
  }
  return links.length === 0 ? undefined : links;
}

/** The chain's layers with these weights, for a plan. */
export function layersOf(chain: Chain, weights: readonly Tensor[]): (LstmLayer | DenseLayer)[] {
  return chain.map(({ form, firstWeight, count }) =>
    form.kind === "lstm"
      ? { ...form, ...lstmArrays(weights.slice(firstWeight, firstWeight + count)) }
      : { ...form, ...denseArrays(weights.slice(firstWeight, firstWeight + count)) }
  );
}

/** An LSTM's arrays, from its weights in Keras's order. */
export function lstmArrays(weights: readonly Tensor[]) {
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
