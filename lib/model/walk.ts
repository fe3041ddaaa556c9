// The one way through a graph, whatever a value is.

import type { Layer, LayerContext, LayerResult, Mask } from "../layers/layer.ts";
import type { Inside } from "../layers/inside.ts";
import type { Random } from "../tensor/random.ts";
import type { Ops } from "../values/ops.ts";
import type { Graph, Place } from "./graph.ts";

/** What the stateful layers remember, by layer; undefined is zeros. */
export type States<V> = readonly (readonly (readonly V[])[] | undefined)[];

/** What a walk may depend on besides inputs and weights. */
export interface WalkContext<V> {
  /** Whether dropout drops. */
  readonly training?: boolean | undefined;
  readonly random?: Random | undefined;
  readonly states?: States<V> | undefined;
  /** Runs a layer; its equation unless something else knows how. */
  readonly run?: LayerContext<V>["run"] | undefined;
  readonly listen?: LayerContext<V>["listen"];
  readonly anchor?: LayerContext<V>["anchor"];
  readonly inside?: ((inside: Inside<V>) => void) | undefined;
}

/** What a walk gave. */
export interface Walked<V> {
  readonly outputs: readonly V[];
  /** Which steps of each output count; all where there is none. */
  readonly masks: readonly (Mask | undefined)[];
  /** Each node's results. */
  readonly results: readonly (readonly V[])[];
  readonly states: States<V>;
  /** What becomes of each weight by a run in training; undefined where nothing does. */
  readonly updates: readonly (V | undefined)[];
}

/** Runs a graph: each node once, in order. */
export function walk<V>(
  { layers, nodes, outputs }: Graph,
  inputs: readonly V[],
  weights: readonly V[],
  o: Ops<V>,
  context: WalkContext<V> = {},
): Walked<V> {
  const results: (readonly V[])[] = [];
  const masks: (Mask | undefined)[] = [];
  const states: (readonly (readonly V[])[] | undefined)[] = layers.map(() => undefined);
  const updates = new Array<V | undefined>(weights.length);
  const valueAt = ([node, result]: Place) =>
    node === -1 ? inputs[result]! : results[node]![result]!;
  const maskAt = ([node]: Place) => node === -1 ? undefined : masks[node];
  const equation = (
    layer: Layer,
    given: readonly V[],
    own: readonly V[],
    context: LayerContext<V>,
  ): LayerResult<V> => layer.run(o, given, own, context);
  const { run = equation, training = false, states: before, ...rest } = context;
  for (const { name, layer: k, inputs: places } of nodes) {
    const { layer, firstWeight, weights: { length } } = layers[k]!;
    const result = run(
      layer,
      places.map(valueAt),
      weights.slice(firstWeight, firstWeight + length),
      { ...rest, name, training, run, masks: places.map(maskAt), states: before?.[k] },
    );
    results.push(result.outputs);
    masks.push(result.mask);
    states[k] = result.states;
    result.updates?.forEach((update, w) => updates[firstWeight + w] = update);
  }
  return { outputs: outputs.map(valueAt), masks: outputs.map(maskAt), results, states, updates };
}
